"""The transformer for images: any size and channels, few tokens, places that are told apart."""

import pytest
import torch

from kindling.errors import ConfigError
from kindling.types import DataSpec
from project.models.cct import CCT, MOST_TOKENS


def images_of(*shape):
    return DataSpec("binary", "y", classes=("u", "v"), image_shape=shape)


@pytest.mark.parametrize(
    ("size", "tokens"),
    [((8, 8), 16), ((9, 33), 85), ((28, 28), 49), ((8, 1000), 63), ((97, 65), 35)],
)
@pytest.mark.parametrize("channels", [1, 5])
def test_every_size_from_eight_becomes_few_tokens(size, tokens, channels):
    network = CCT(images_of(channels, *size), width=8)
    assert network(torch.randn(2, channels, *size)).shape == (2, 2)
    assert network.position[0].numel() == tokens <= MOST_TOKENS


def test_a_shuffled_image_is_another():
    torch.manual_seed(0)
    network = CCT(images_of(1, 8, 8), width=16).eval()
    tokens = network.tokenizer(torch.randn(1, 1, 8, 8))
    network.tokenizer = torch.nn.Identity()
    assert not torch.allclose(network(tokens), network(tokens.flip(3)), atol=1e-3)
    with torch.no_grad():
        network.position.zero_()  # now it knows no places
    assert torch.allclose(network(tokens), network(tokens.flip(3)), atol=1e-5)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            DataSpec("regression", "y", numbers=("a",), edges=((0.0, 1.0),)),
            "takes images; got a table of 1 numbers and 0 categories; type model=mlp",
        ),
        (images_of(1, 7, 9), r"8x8 pixels or more; got 7x9; type model=mlp, or type 'data.size="),
    ],
)
def test_what_it_cannot_take_is_refused(spec, message):
    with pytest.raises(ConfigError, match=message):
        CCT(spec)
