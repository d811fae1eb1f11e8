"""Which tensors are about classes, columns and pixels is found for each network of conf/model."""

from dataclasses import replace

import pytest
import torch
from hydra.utils import instantiate
from torch import nn

from kindling.run.data_dependence import (
    computed_buffers,
    enlarged,
    find_dependence,
    row_axis,
    shapes_of,
)
from kindling.types import DataSpec
from tests.conftest import CONF
from tests.kindling.thinning import thin

TABLE = DataSpec(
    "multiclass",
    "kind",
    numbers=("size", "age", "pay"),
    categories=("town", "job"),
    cardinalities=(4, 5),
    edges=((-1.0, 0.0, 1.0), (0.0, 1.0), (0.0, 2.0, 3.0, 4.0)),
    classes=("a", "b", "c"),
    class_counts=(5, 5, 5),
    num_rows=15,
)
IMAGES = DataSpec(
    "multiclass",
    "class",
    classes=("a", "b", "c"),
    class_counts=(5, 5, 5),
    image_shape=(3, 32, 32),
    pixel_mean=(0.0,) * 3,
    pixel_scale=(1.0,) * 3,
    num_rows=15,
)
ON_IMAGES = {"cnn", "resnet", "cct"}
MODELS = sorted(file.stem for file in (CONF / "model").glob("*.yaml"))


@pytest.mark.parametrize("model", thin(MODELS, 3))
def test_what_is_about_classes_and_columns_is_known_and_its_rows_too(compose, model):
    make, spec = instantiate(compose(f"model={model}").model), TABLE
    if model in ON_IMAGES:
        spec = IMAGES
    network = make(spec)
    found = find_dependence(make, network, spec, list(enlarged(spec)))
    last = list(shapes_of(network))[-1]
    about = {part: [n for n in found if part in found[n]] for part in enlarged(spec)}
    assert None not in [shape for parts in found.values() for shape in parts.values()]
    assert last in about["outputs"]
    assert len(about["outputs"]) < len(found) / 2
    assert about["numbers" if spec is TABLE else "channels"]
    for name in about["outputs"]:  # its rows can be told apart
        assert row_axis(shapes_of(network)[name], found[name]["outputs"], 3, 1) is not None
    if spec is TABLE:
        codes = {name: found[name]["codes"] for name in about["codes"]}
        assert codes, "the categories are embedded somewhere"
        for name, larger in codes.items():
            assert row_axis(shapes_of(network)[name], larger, 9, 2) == 0


class Offsets(nn.Module):
    """Keeps a buffer that is about its data, and one that is drawn."""

    def __init__(self, spec):
        super().__init__()
        self.register_buffer("offsets", torch.tensor(spec.cardinalities).cumsum(0))
        self.register_buffer("frequencies", torch.randn(4))


def test_a_buffer_that_is_computed_from_the_data_is_known():
    other, before = replace(TABLE, cardinalities=(5, 4)), torch.get_rng_state()
    assert computed_buffers(Offsets, TABLE, other, {"offsets", "frequencies"}) == {"offsets"}
    assert torch.equal(torch.get_rng_state(), before)


def fails_on_meta(spec):
    """Build a network that looks at the values of a tensor, which the meta device has not."""
    assert torch.ones(3).sum() == 3
    return nn.Linear(len(spec.numbers), spec.num_outputs)


def test_of_a_network_that_cannot_be_built_again_every_tensor_may_be_about_everything():
    found = find_dependence(fails_on_meta, fails_on_meta(TABLE), TABLE, ["outputs", "codes"])
    assert found == {name: {"outputs": None, "codes": None} for name in ("weight", "bias")}
