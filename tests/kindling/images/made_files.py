"""Image files that Pillow does not write: 16-bit colours, packed 12 bits, bands of a satellite."""

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image


def png(pixels: np.ndarray, colour_type: int, *further: tuple[bytes, bytes]) -> bytes:
    """Write uint8 or uint16 (H, W) or (H, W, bands) as a PNG with further chunks."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    height, width = pixels.shape[:2]
    bits = 8 * pixels.dtype.itemsize
    rows = b"".join(b"\0" + row.astype(f">u{bits // 8}").tobytes() for row in pixels)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0))
    middle = b"".join(chunk(*pair) for pair in further)
    data = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + middle + data


def tiff(
    pixels: np.ndarray,
    *,
    photometric: int | None = None,
    extra: int | None = 0,
    bits: int = 0,
    orientation: int = 1,
) -> bytes:
    """Write (H, W) or (H, W, bands) as an uncompressed TIFF.

    Args:
        pixels: of any data type; with bits=12, uint16 below 4096 and an even width.
        photometric: 0 white is zero, 1 grey, 2 colour; None is what suits the bands.
        extra: what the bands behind grey or colour are: 0 nothing that is said, 2 transparency;
            None leaves the tag out.
        bits: 12 packs two numbers into three bytes.
        orientation: as EXIF counts it.
    """
    bands = pixels.shape[2] if pixels.ndim == 3 else 1
    kind = {"u": 1, "i": 2, "f": 3}[pixels.dtype.kind]
    photometric = (2 if bands >= 3 else 1) if photometric is None else photometric
    data = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    if bits == 12:
        pair = pixels.reshape(-1, 2).astype(np.uint32)
        middle = (pair[:, 0] & 15) << 4 | pair[:, 1] >> 8
        data = np.stack([pair[:, 0] >> 4, middle, pair[:, 1] & 255], 1).astype(np.uint8).tobytes()
    width, height = pixels.shape[1], pixels.shape[0]
    tags = {
        **{256: [width], 257: [height], 258: [bits or 8 * pixels.dtype.itemsize] * bands, 259: [1]},
        **{262: [photometric], 273: [0], 274: [orientation], 277: [bands], 278: [height]},
        **{279: [len(data)], 284: [1], 339: [kind] * bands},
    }
    more = bands - (3 if photometric == 2 else 1)
    if more and extra is not None:
        tags[338] = [extra] + [0] * (more - 1)
    start = 8 + 2 + 12 * len(tags) + 4
    entries, behind = b"", b""
    for tag, values in sorted(tags.items()):
        packed = struct.pack(f"<{len(values)}I", *values)
        if len(values) > 1:
            entries += struct.pack("<HHII", tag, 4, len(values), start + len(behind))
            behind += packed
        else:
            entries += struct.pack("<HHI", tag, 4, 1) + (b"@@@@" if tag == 273 else packed)
    entries = entries.replace(b"@@@@", struct.pack("<I", start + len(behind)))
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + behind + data


def folder_of(root: Path, images: dict[str, bytes | np.ndarray]) -> Path:
    """Write files, arrays as Pillow saves them, below a folder."""
    for name, content in images.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            (root / name).write_bytes(content)
        else:
            Image.fromarray(content).save(root / name)
    return root
