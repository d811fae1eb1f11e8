"""Masks and copies beside the images of a class are told, and can be left out."""

import pytest

from kindling.images.image_source import ImageSource
from tests.kindling.images.made_images import save_images


def found(path, **options):
    raw = ImageSource(path, **options).read()
    return len(raw.y), [p for p in raw.findings if p.code == "D419"]


@pytest.mark.parametrize(
    "mask", ["{k}_mask.png", "mask_{k}.png", "{k}-seg.png", "{k}_Mask_1.png", "{k}_thumb.png"]
)
def test_masks_beside_their_images_are_told_and_can_be_left_out(mask, tmp_path):
    save_images(tmp_path, "a", "b", name="{k}.png")
    save_images(tmp_path, "a", "b", name=mask)
    number, (problem,) = found(tmp_path)
    assert (number, problem.count, problem.severity) == (16, 8, "warning")
    assert found(tmp_path, ignore=problem.fix.value) == (8, [])


def test_a_class_of_masks_is_none_of_others(tmp_path):
    save_images(tmp_path, "with_mask", name="with_mask_{k}.png")
    save_images(tmp_path, "without_mask", name="without_mask_{k}.png")
    assert found(tmp_path) == (8, [])


def test_one_name_with_two_endings_is_told_and_one_of_them_can_be_left_out(tmp_path):
    save_images(tmp_path, "a", "b", name="{k}.bmp")
    save_images(tmp_path, "a", name="{k}.png")
    number, (problem,) = found(tmp_path)
    assert (number, problem.count) == (12, 4)
    assert "a/0.bmp and a/0.png" in problem.got
    assert found(tmp_path, ignore=problem.fix[0].value) == (8, [])


def test_a_class_folder_of_masks_is_told(tmp_path):
    save_images(tmp_path, "cats", "dogs", "masks")
    number, (problem,) = found(tmp_path)
    assert (number, problem.got) == (12, "folders masks")
    assert found(tmp_path, ignore=problem.fix.value) == (8, [])
