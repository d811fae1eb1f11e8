"""Images that are arrays rather than files such as PNG: any channels, uint8 or float32, and .npy.

A data source of one's own that returns arrays describes them with `array_schema(x)`.
"""

import hashlib
from collections.abc import Sequence
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np

from kindling.errors import DataError, Problem
from kindling.formatting import first_few
from kindling.images.image_schema import Dtype, ImageSchema

MAGIC = b"\x93NUMPY"  # how a .npy file begins
CHECKED = 256  # images that are looked at together
READ_HEADER = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def array_schema(images: np.ndarray) -> ImageSchema:
    """Describe images that are given as one array: the `images` of a `RawData`.

    Args:
        images: uint8 or float32 (N, channels, height, width), with any number of channels, in
            memory or mapped from a file; all numbers are finite.

    Raises:
        DataError: another data type, another number of axes, no image, or a number that is none.
    """
    if images.ndim != 4 or 0 in images.shape:
        rule = "images given as an array must have four axes: (N, channels, height, width)"
        fix = "change its axes, for instance with x[:, None] or x.transpose(0, 3, 1, 2)"
        raise DataError(Problem(rule, f"an array of {images.shape}", fix, "D409"))
    if images.dtype not in get_args(Dtype):
        rule, fix = "images given as an array must be uint8 or float32", "x.astype(np.float32)"
        raise DataError(Problem(rule, f"an array of {images.dtype}", fix, "D409"))
    for start in range(0, len(images), CHECKED):
        chunk = images[start : start + CHECKED]
        bad = np.flatnonzero(~np.isfinite(chunk).all(axis=(1, 2, 3)))
        if len(bad):
            row = start + int(bad[0])
            raise DataError(_not_finite(f"image {row}, counted from 0", images.dtype, row=row))
    _, channels, height, width = images.shape
    return ImageSchema(channels, height, width, dtype=cast(Dtype, images.dtype.name))


def npy_shape(source: Path | bytes, name: str) -> tuple[int, int, int]:
    """Read channels, height and width of a .npy file from its header."""
    with _open(source) as stream:
        shape, _ = _read_layout(stream)
    if len(shape) != 3:
        rule, fix = "a .npy file must hold one image", "save an array (channels, height, width)"
        raise DataError(Problem(rule, f"{name}: an array of {shape}", fix, "D409", file=name))
    return shape


def read_npy(source: Path | bytes, schema: ImageSchema, name: str) -> np.ndarray:
    """Read one image of the schema's shape and data type from a .npy file.

    Args:
        source: the file, or its bytes.
        schema: what the image must be; a .npy file is neither resized nor scaled.
        name: what to call it in a message.

    Raises:
        DataError: another shape or data type (see `is_cast`), or a number that is not finite.
    """
    with _open(source) as stream:
        # The header first: np.load would make room for whatever shape it claims.
        shape, dtype = _read_layout(stream)
        if shape != schema.shape or not is_cast(dtype, schema):
            rule = f"an image in a .npy file must be {schema.dtype} {schema.shape}"
            fix = "save an array of this shape (channels, height, width)"
            if shape == schema.shape:
                fix = type_fix(dtype, schema)
            raise DataError(Problem(rule, f"{name}: {dtype} {shape}", fix, "D409", file=name))
        stream.seek(0)
        image = cast_images(np.load(stream, allow_pickle=False), schema)
    if not np.isfinite(image).all():
        raise DataError(_not_finite(name, dtype, file=name))
    return image


def is_cast(dtype: np.dtype, schema: ImageSchema) -> bool:
    """Say whether numbers of this type are taken: the schema's, and for float32 any float.

    Whole numbers are not: nobody knows whether they are in the unit of the train images.
    """
    is_same = dtype.newbyteorder("=") == schema.dtype
    return is_same or (schema.dtype == "float32" and dtype.kind == "f")


def cast_images(images: np.ndarray, schema: ImageSchema) -> np.ndarray:
    """Bring numbers that `is_cast` takes to the schema's data type; too large ones are infinite."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(images, dtype=schema.dtype)


def not_finite(dtype: np.dtype) -> str:
    """Name what is not finite once numbers of this type are float32."""
    is_wide = dtype.kind == "f" and dtype.itemsize > np.dtype(np.float32).itemsize
    return "NaN, infinity or a number beyond float32" if is_wide else "NaN or infinity"


def type_fix(dtype: np.dtype, schema: ImageSchema) -> str:
    """Say how to bring numbers of another type to that of the train images."""
    if dtype.kind not in "iuf":
        return f"save numbers of {schema.dtype}"
    if schema.dtype == "float32":
        return "take .astype(np.float32), if they are in the unit of the train images"
    return "take .astype(np.uint8), if they are whole numbers from 0 to 255"


def stack_npy(folder: Path, names: Sequence[str]) -> np.ndarray:
    """Read .npy files of one shape as one array (N, channels, height, width).

    Raises:
        DataError: files that are not there or hold no array, or arrays of several shapes.
    """
    absent = [name for name in names if not (folder / name).is_file()]
    if absent:
        rule, fix = "every image must be there", "put it there, or take its label out"
        got = f"{folder} has no {first_few(absent)}"
        raise DataError(Problem(rule, got, fix, "D409", file=absent[0], count=len(absent)))
    arrays: list[np.ndarray] = []
    for name in names:
        try:
            arrays.append(np.load(folder / name, allow_pickle=False))
        except (ValueError, EOFError, OSError) as error:
            rule, fix = "every .npy file must hold one array of numbers", "save it with np.save"
            raise DataError(Problem(rule, f"{name}: {error}", fix, "D409", file=name)) from error
    shapes = [array.shape for array in arrays]
    others = [k for k, shape in enumerate(shapes) if shape != shapes[0]]
    if others:
        rule = "all images must have one shape (channels, height, width)"
        shown = [f"{names[k]} {shapes[k]}" for k in others]
        got = f"{names[0]} {shapes[0]}, but {first_few(shown)}"
        fix = "save arrays of one shape, or leave these out"
        name = names[others[0]]
        raise DataError(Problem(rule, got, fix, "D409", file=name, count=len(others)))
    return np.stack(arrays)


def content_hash(image: np.ndarray) -> int:
    """Hash the pixels of one image: two files of the same pixels have the same hash."""
    return int.from_bytes(hashlib.blake2b(image.tobytes(), digest_size=8).digest(), "little")


def decode_array(source: Any, schema: ImageSchema) -> np.ndarray:
    """Read one image from a .npy file or its bytes, where no other image files are read.

    Args:
        source: a path or bytes; whatever else somebody gives is refused.
        schema: what the image must be.

    Raises:
        DataError: it is none, or not of the schema's shape and data type.
    """
    name = str(source) if isinstance(source, Path) else "the image that was given"
    is_known = isinstance(source, Path | bytes)
    try:
        with _open(source if is_known else b"") as stream:
            is_npy = stream.read(len(MAGIC)) == MAGIC
        if is_npy:
            return read_npy(source, schema, name)
        got = "no .npy file"
    except DataError:
        raise
    except (OSError, EOFError, ValueError) as error:
        got = str(error)
    rule = f"an image must be given as an array here: {schema.dtype} {schema.shape}"
    fix = "save the array with numpy.save as a .npy file"
    raise DataError(Problem(rule, f"{name}: {got}", fix, "D409", file=name))


def _open(source: Path | bytes) -> BytesIO | BufferedReader:
    return BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def _read_layout(stream: BytesIO | BufferedReader) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(stream)
    if version not in READ_HEADER:
        raise ValueError(f"version {version} of the .npy format, which holds no plain numbers")
    shape, _, dtype = READ_HEADER[version](stream)
    return shape, dtype


def _not_finite(got: str, dtype: np.dtype, *, file: str = "", row: int | None = None) -> Problem:
    rule, fix = "every number of an image must be finite", "replace NaN and infinity, or remove it"
    return Problem(rule, f"{not_finite(dtype)} in {got}", fix, "D409", file=file, row=row)
