"""The transformer for tables: many columns, categories that train does not have, images."""

from dataclasses import replace

import pytest
import torch

from kindling.errors import ConfigError
from kindling.types import DataSpec
from project.models.ft_transformer import FTTransformer

TABLE = DataSpec(
    problem_type="multiclass",
    target="y",
    numbers=("a", "b"),
    categories=("c", "d"),
    cardinalities=(4, 5),
    edges=((-2.0, 0.0, 2.0), (0.0, 1.0)),
    classes=("u", "v", "w"),
)


def wide(columns):
    names = tuple(f"x{k}" for k in range(columns))
    return DataSpec("regression", "y", numbers=names, edges=((0.0, 1.0),) * columns)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return FTTransformer(TABLE, width=16).eval()


def test_every_column_is_a_token_and_one_more_asks(network):
    seen = []
    network.blocks[-1].attention.register_forward_hook(lambda _, args, __: seen.extend(args[:2]))
    network(torch.zeros(5, 4))
    assert [tuple(x.shape) for x in seen] == [(5, 1, 16), (5, 5, 16)]


def test_a_category_is_known_by_its_column_where_its_level_is_not(network):
    """Unknown (0) and missing (1) say which column they are in, and nothing else at first."""
    base = torch.tensor([[0.1, 0.2, 2.0, 2.0]])
    rows = base.repeat(4, 1)
    rows[0, 2], rows[1, 2], rows[2, 3] = 0, 1, 0
    unknown, missing, other, known = network(rows)
    assert torch.allclose(unknown, missing, atol=1e-6)
    assert not torch.allclose(unknown, other, atol=1e-3)
    assert not torch.allclose(unknown, known, atol=1e-3)


@pytest.mark.parametrize("kind", ["numbers", "categories"])
def test_a_table_of_one_kind_is_enough(kind):
    spec = replace(TABLE, categories=(), cardinalities=())
    if kind == "categories":
        spec = replace(TABLE, numbers=(), edges=())
    network = FTTransformer(spec, width=16)
    network(torch.ones(8, 2)).square().sum().backward()
    assert all(p.grad is not None for p in network.parameters())


def test_as_many_columns_as_its_memory_allows():
    most = FTTransformer(wide(255), width=8, depth=1)
    assert most(torch.zeros(2, 255)).shape == (2, 1)
    message = (
        "model=ft_transformer with 4 heads takes at most 255 columns; got 2000 numbers and 0 "
        "categories; type model=tabm"
    )
    with pytest.raises(ConfigError, match=message):
        FTTransformer(wide(2000))
    FTTransformer(wide(511), width=8, depth=1, heads=1)


def test_images_are_refused():
    spec = DataSpec("binary", "y", classes=("u", "v"), image_shape=(3, 9, 8))
    with pytest.raises(ConfigError, match=r"takes tables; got images of 3x9x8; type model=cct"):
        FTTransformer(spec)
