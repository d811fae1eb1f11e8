import numpy as np
import torch

from kindling.report.occlusion import occlusion, overlay, patches
from kindling.types import DataSpec

SHAPE = (1, 16, 12)
VALUES = DataSpec("regression", "y", image_shape=SHAPE, pixel_mean=(0.0,), pixel_scale=(1.0,))
CLASSES = DataSpec(
    "binary",
    "y",
    classes=("dark", "light"),
    image_shape=SHAPE,
    pixel_mean=(0.0,),
    pixel_scale=(1.0,),
)


def brightness_of_a_corner(images):
    """A network that looks at the upper left corner alone."""
    return images[:, 0, :4, :3].double().mean(dim=(1, 2)).numpy()


def probabilities(images):
    light = brightness_of_a_corner(images) / 255
    return np.stack([1 - light, light], axis=1)


def test_the_place_that_is_looked_at_is_found():
    image = torch.full(SHAPE, 200, dtype=torch.uint8)
    change = occlusion(brightness_of_a_corner, VALUES, image)
    assert change.shape == SHAPE[1:]
    assert change[0, 0] == change.max() == 200
    assert change[8:].max() == change[:, 8:].max() == 0


def test_of_classes_it_is_the_fall_of_the_one_that_is_said():
    image = torch.full(SHAPE, 255, dtype=torch.uint8)
    assert occlusion(probabilities, CLASSES, image)[0, 0] == 1.0


def test_patches_cover_every_pixel_of_any_side():
    for side in (1, 3, 8, 13, 128):
        covered = np.zeros(side)
        for start, length in patches(side):
            covered[start : start + length] += 1
        assert covered.min() >= 1
        assert len(covered) == side


def test_only_the_image_is_painted_and_not_what_lies_beside_it():
    painted = overlay(np.full((1, 16, 8), 100, np.uint8), np.ones((16, 8)))
    assert (painted[:, :30] == 255).all()  # the padding of a narrow image
    assert painted[64, 64, 0] > painted[64, 64, 1]
