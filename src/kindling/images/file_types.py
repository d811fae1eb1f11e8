"""Which files are images: the formats that Pillow and its plug-ins read, by their endings."""

import logging
import warnings
from importlib.util import find_spec

from PIL import Image

from kindling.images.image_schema import ImageSchema
from kindling.rooms import entry

EXTRA = "where pyproject.toml is, type pip install -c constraints.txt -e '.[images]'"

if find_spec("pillow_heif"):
    import pillow_heif  # optional

    pillow_heif.register_heif_opener()
Image.init()  # makes all formats of Pillow known
# Pillow warns of images that are refused here or asked for, and of odd metadata of cameras, never
# saying in which file; what hinders is an error.
for kind in (Image.DecompressionBombWarning, UserWarning):
    warnings.filterwarnings("ignore", category=kind, module=r"PIL\.")
for library in ("PIL.TiffImagePlugin", "tifffile"):  # log what they cannot read, naming no file
    logging.getLogger(library).setLevel(logging.CRITICAL)
# EPS starts Ghostscript, WMF needs Windows; the others only describe what they cannot decode.
FORMATS = [name for name in Image.ID if name not in {"EPS", "WMF", "BUFR", "GRIB", "HDF5", "MPEG"}]
SUFFIXES = {
    end: name.replace("MPO", "JPEG")
    for end, name in Image.registered_extensions().items()
    if name in (*FORMATS, "MPO")
}


def image_suffixes(schema: ImageSchema) -> set[str]:
    """List the endings of the files that can be read for a schema."""
    takes_files = schema.takes_image_files and entry("decode") is not None
    return {".npy"} | (set(SUFFIXES) if takes_files else set())
