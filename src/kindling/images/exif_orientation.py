"""An image file's own remarks in; which way up it was taken, and how to set it upright, out."""

from PIL import Image

ORIENTATION = 0x0112  # the EXIF tag
TURNS = {  # what sets an image of this orientation upright; from 5 on it is stored on its side
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation(image: Image.Image) -> int:
    """Say how the camera was held, 1 to 8."""
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # remarks that cannot be read say nothing; the pixels may be sound
        return 1


def lies_on_its_side(image: Image.Image) -> bool:
    """Say whether height and width change places; a header is asked, nothing is decoded."""
    if image.format == "TIFF":
        return False  # Pillow turns these by itself
    remarks = {"exif", "RawData profile type exif", "XML:com.adobe.xmp"}
    is_silent = image.format == "PNG" and not remarks & set(image.info)
    return not is_silent and orientation(image) >= 5  # to ask a silent PNG would decode it
