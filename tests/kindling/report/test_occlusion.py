from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from kindling.images.image_schema import ImageSchema
from kindling.outputs import Result
from kindling.report.occlusion import image_section, occlusion, overlay, patches
from kindling.report.report_data import (
    ReportData,
    TrainedNetwork,
    describe_images,
    shown_range,
)
from kindling.report.tensorboard import add_embedding
from kindling.report.weak_spots import weak_section
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


def images_of(dtype, channels):
    """Return the report data of 30 images, each a shade, and a network that tells them apart."""
    shades = torch.linspace(0, 200, 30)
    x = shades.view(-1, 1, 1, 1).expand(-1, channels, 16, 12).to(dtype).contiguous()
    shape = (channels, 16, 12)
    mean, scale = (100.0,) * channels, (50.0,) * channels
    spec = DataSpec("regression", "y", image_shape=shape, pixel_mean=mean, pixel_scale=scale)
    rows = np.arange(30)
    result = Result(rows, shades.double().numpy(), np.full(30, 50.0), {})
    data = ReportData(spec, result, rows, x, rows, describe_images(x), {})
    network = nn.Sequential(nn.Flatten(), nn.Linear(16 * 12 * channels, 1))
    return data, TrainedNetwork(network, spec)


@pytest.mark.parametrize(("dtype", "channels"), [(torch.uint8, 1), (torch.uint8, 3)])
def test_images_of_grey_levels_or_colours_are_shown(dtype, channels):
    section = image_section(*images_of(dtype, channels))
    assert [block.name for block in section.blocks] == ["mistakes", "occlusion"]
    assert section.intro == ""


def test_images_of_more_than_8_bits_are_shown_in_a_range_of_theirs():
    data, network = images_of(torch.float32, 1)
    data = replace(data, x=data.x * 20, shown=(0.0, 4000.0))
    section = image_section(data, network)
    assert [block.name for block in section.blocks] == ["mistakes", "occlusion"]
    assert data.pictures([0, 29])[:, 0, 0, 0].tolist() == [0, 255]


def test_the_range_that_is_shown_leaves_out_extremes():
    schema = ImageSchema(
        1, 16, 12, dtype="float32", scale="none", samples="uint16", value_range=(0.0, 4095.0)
    )
    spec = DataSpec("regression", "y", image_shape=(1, 16, 12), pixel_mean=(9,), pixel_scale=(5,))
    assert shown_range(schema, spec) == (0.0, 24.0)
    assert shown_range(replace(schema, scale="format"), spec) is None
    assert shown_range(replace(schema, channels=4, bands=(1, 2, 3, 4)), spec) is None


@pytest.mark.parametrize(("dtype", "channels"), [(torch.uint8, 4), (torch.float32, 1)])
def test_other_images_are_left_out_with_a_sentence_and_listed_by_name(dtype, channels, tmp_path):
    data, network = images_of(dtype, channels)
    section = image_section(data, network)
    assert section.blocks == []
    assert f"{str(dtype).split('.')[1]} in {channels} channel" in section.intro
    assert "Largest errors" in [block.title for block in weak_section(data).blocks]
    with SummaryWriter(str(tmp_path)) as writer:
        add_embedding(writer, data, network, 0)
    assert list(tmp_path.rglob("metadata.tsv"))
    assert not list(tmp_path.rglob("sprite.png"))


class LooksTwice(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(x) + self.network(x.flip(3))


def test_rows_that_the_last_layer_has_several_vectors_of_are_not_embedded(tmp_path):
    data, network = images_of(torch.uint8, 1)
    with SummaryWriter(str(tmp_path)) as writer:
        add_embedding(writer, data, TrainedNetwork(LooksTwice(network.network), data.spec), 0)
    assert not list(tmp_path.rglob("metadata.tsv"))


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
