"""Folders of images with one fault each; the good one holds red/00.png ... and blue/00.png ..."""

import os
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from tests.kindling.images.made_files import tiff

Change = Callable[[Path], object]


class Case(NamedTuple):
    """A change to the good folder; code, place and fix of what is said of it; what else is typed.

    A code of "" stands for a folder of which nothing is to be said.
    """

    change: Change
    code: str = ""
    place: str = ""
    fix: str = ""
    overrides: tuple[str, ...] = ()


def content(data: bytes, name: str = "red/bad.jpg") -> Change:
    return lambda folder: (folder / name).write_bytes(data)


def saved(image: Image.Image, name: str = "red/bad.png", **options) -> Change:
    return lambda folder: image.save(folder / name, **options)


def damaged(change: Callable[[bytearray], object]) -> Change:
    """Change the bytes of a good file."""

    def make(folder: Path) -> None:
        data = bytearray((folder / "red/01.png").read_bytes())
        change(data)
        (folder / "red/01.png").write_bytes(data)

    return make


def flip(data: bytearray) -> None:
    data[len(data) // 2] ^= 1


def halve(data: bytearray) -> None:
    del data[len(data) // 2 :]


def blank(data: bytearray) -> None:
    half = len(data) // 2
    data[half:] = bytes(len(data) - half)


def bomb(side: int) -> bytes:
    """Write the header of a large PNG, with no pixels behind it: decoding would fail otherwise."""
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    crc = struct.pack(">I", zlib.crc32(b"IHDR" + header))
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + header + crc + b"\0\0\0\0IDAT"


def mix_modes(folder: Path) -> None:
    for number, mode in enumerate(("L", "LA", "P", "RGBA", "1", "CMYK")):
        image = Image.open(folder / f"red/{number:02}.png").convert(mode)
        (folder / f"red/{number:02}.png").unlink()
        image.save(folder / f"red/{number:02}.{'tif' if mode == 'CMYK' else 'png'}")


def link_out(folder: Path) -> None:
    (folder / "red/00.png").rename(folder.parent / "outside.png")
    (folder / "red/00.png").symlink_to(folder.parent / "outside.png")


def move(old: str, new: str) -> Change:
    return lambda folder: (folder / old).rename(folder / new)


def copy(old: str, *new: str) -> Change:
    return lambda folder: [shutil.copy(folder / old, folder / name) for name in new]


def hide(folder: Path) -> None:
    (folder / "red/.hidden.png").write_bytes(b"none")
    (folder / ".thumbnails").mkdir()


def scatter(folder: Path) -> None:
    """Take the folders away and leave the images."""
    for file in sorted(folder.glob("*/*.png")):
        file.rename(folder / f"{file.parent.name}{file.name}")
    for path in ("red", "blue"):
        (folder / path).rmdir()


def animate(folder: Path) -> None:
    frames = [Image.new("RGB", (10, 12), colour) for colour in ("red", "green")]
    frames[0].save(folder / "red/bad.gif", save_all=True, append_images=frames[1:])


def name_in_latin(folder: Path) -> None:
    shutil.copy(folder / "red/00.png", os.fsencode(folder / "red") + b"/caf\xe9.png")


def pair_of_photos(folder: Path) -> None:
    """Write a JPEG with a second image, as cameras write a preview."""
    photos = [Image.new("RGB", (10, 12), colour) for colour in ("red", "green")]
    photos[0].save(folder / "red/bad.jpg", "MPO", save_all=True, append_images=photos[1:])


def bands(count: int, extra: int = 0) -> Change:
    pixels = np.random.default_rng(0).integers(0, 99, (12, 10, count), dtype=np.uint8)
    return content(tiff(pixels, extra=extra), "red/bad.tif")


DEEP = np.random.default_rng(0).integers(0, 65_536, (12, 10), dtype=np.uint16)
FLOATS = np.full((12, 10), 7.5, np.float32)
CASES: dict[str, Case] = {
    # files
    "empty": Case(content(b""), "D401", "bad.jpg: empty", "replace the file, or remove it"),
    "text": Case(content(b"some words"), "D401", "bad.jpg: text: 'some words'", "replace"),
    "html": Case(content(b"<!DOCTYPE html><p>"), "D401", "bad.jpg: HTML", "replace"),
    "svg": Case(content(b"<svg xmlns=''/>"), "D401", "bad.jpg: SVG", "draw it as PNG"),
    "truncated": Case(damaged(halve), "D402", "red/01.png: ", "replace the file, or remove it"),
    "zeros": Case(damaged(blank), "D402", "red/01.png: ", "replace the file, or remove it"),
    "bit-flipped": Case(damaged(flip), "D402", "red/01.png: ", "replace the file, or remove it"),
    "bomb": Case(
        content(bomb(60_000), "red/bad.png"),
        "D403",
        "bad.png: more than 50,000,000",
        "data.max_pixels",
    ),
    "bomb by one's own limit": Case(
        saved(Image.new("1", (1001, 1000))),
        "D403",
        "bad.png: 1001x1000 pixels, more than 1,000,000",
        "data.max_pixels=",
        ("data.max_pixels=1000000",),
    ),
    "floats": Case(
        saved(Image.fromarray(FLOATS), "red/bad.tif"), "D404", "bad.tif: 7.5 to 7.5", "8 or 16 bits"
    ),
    # what is unusual, and used
    "mixed modes": Case(mix_modes),
    "16-bit": Case(saved(Image.fromarray(DEEP)), "D443", "red/bad.png (uint16)", "data.scale="),
    "1x1": Case(saved(Image.new("RGB", (1, 1), "green")), "D416", "red/bad.png (1x1)", "take them"),
    "another size": Case(
        saved(Image.new("RGB", (30, 40), "green")), "D413", "red/bad.png (40x30)", "data.size="
    ),
    "moving": Case(animate, "D414", "red/bad.gif", "page 1 is taken"),
    "several photos in one": Case(pair_of_photos, "D445", "red/bad.jpg", "the photo is taken"),
    "other bands": Case(
        bands(5), "D441", "red/bad.tif (5)", "data.channels=3", ("data.channels=auto",)
    ),
    "bands that are left out": Case(
        bands(5), "D444", "red/bad.tif (5 bands)", "data.channels=auto", ("data.channels=3",)
    ),
    "infrared called transparency": Case(
        bands(4, 2), "D442", "band 4, which the file calls transparency", "data.channels=4"
    ),
    "wrong extension": Case(
        move("red/01.png", "red/bad.jpg"), "D415", "red/bad.jpg (PNG)", "rename them"
    ),
    "hidden": Case(hide),
    "other files": Case(content(b"none", "red/notes.txt"), "D417", "1 .txt", "nothing, if"),
    # folders
    "empty class": Case(lambda folder: (folder / "empty").mkdir(), "D417", "empty", "remove it"),
    "one class": Case(
        lambda folder: shutil.rmtree(folder / "red"), "D407", "only blue", "add a second class"
    ),
    "one folder too high": Case(
        lambda folder: [
            (folder / "all").mkdir(),
            *(
                path.rename(folder / "all" / path.name)
                for path in (folder / "red", folder / "blue")
            ),
        ],
        "D407",
        "only all",
        "images/all",
    ),
    "no image": Case(
        lambda folder: [file.unlink() for file in folder.rglob("*.png")],
        "D407",
        "no images in",
        "a folder of its own",
    ),
    "in the root": Case(scatter, "D406", "blue00.png", "data.path/CLASS/"),
    "link out": Case(link_out, "D405", "red/00.png", "data.follow_links=true"),
    "name that is not UTF-8": Case(name_in_latin, "D405", "red/caf\\udce9.png", "rename them"),
    "sources above the classes": Case(
        lambda folder: (
            [
                shutil.copytree(folder / name, folder / source / name)
                for name in ("red", "blue")
                for source in ("old", "new")
            ]
            + [shutil.rmtree(folder / name) for name in ("red", "blue")]
        ),
        "D418",
        "old holds blue, red",
        "data.folders=classes",
    ),
    "a mask": Case(
        saved(Image.new("L", (10, 12)), "red/00_mask.png"), "D419", "red/00_mask.png", "data.ignore"
    ),
    "ignored, but not there": Case(
        lambda _folder: None, "D420", "masks", "correct the pattern", ("data.ignore=[masks]",)
    ),
    "folders in classes": Case(
        lambda folder: [
            (folder / name / part).mkdir()
            or (folder / name / f"{file:02}.png").rename(folder / name / part / f"{file:02}.png")
            for name in ("red", "blue")
            for file, part in ((0, f"{name}1"), (1, f"{name}2"))
        ],
        "D423",
        "red holds red1, red2",
        "data.group=folder",
    ),
    # repeated images
    "train and test": Case(
        copy("red/00.png", *(f"red/copy{number:02}.png" for number in range(15))),
        "D411",
        "1 repeated: red/00.png = red/copy",
        "flatters the scores",
    ),
    "two labels": Case(
        copy("red/03.png", "blue/copy.png"),
        "D411",
        "blue/copy.png = red/03.png",
        "correct one of the labels",
    ),
    "twice": Case(
        copy("red/03.png", "red/copy.png"), "D412", "red/03.png = red/copy.png", "take one of each"
    ),
}
