"""Attention that is written out agrees with torch's own, and does what is said of it."""

import pytest
import torch
from torch.nn import functional as F

from kindling.errors import ConfigError
from project.models.attention import Attention, Block, check_heads

B, Q, T, D, N = 3, 4, 7, 12, 2
ROWS = torch.tensor([7, 4, 1])  # tokens that each row has; the others are padding
MASKS = {
    "none": None,
    "of each row": (torch.arange(T) < ROWS[:, None])[:, None, None, :],  # (B, 1, 1, T)
    "of all rows": torch.ones(Q, T).tril().bool(),  # (Q, T)
    "of each head": torch.rand(B, N, Q, T, generator=torch.manual_seed(0)) < 0.8,
}


@pytest.fixture
def attention():
    torch.manual_seed(0)
    return Attention(D, N, dropout=0.0)


@pytest.fixture
def asking():
    return torch.randn(B, Q, D, generator=torch.manual_seed(1))


@pytest.fixture
def tokens():
    return torch.randn(B, T, D, generator=torch.manual_seed(2))


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_it_is_torchs_attention(attention, asking, tokens, mask):
    def heads(layer, x):
        return layer(x).unflatten(2, (N, D // N)).transpose(1, 2)

    q, k, v = map(
        heads, (attention.query, attention.key, attention.value), (asking, tokens, tokens)
    )
    mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    expected = attention.out(mixed.transpose(1, 2).flatten(2))
    assert torch.allclose(attention(asking, tokens, mask), expected, atol=1e-5)


def test_a_mask_hides_what_it_hides(attention, asking, tokens):
    mask = MASKS["of each row"]
    changed = torch.where(mask[:, 0, 0, :, None], tokens, 1e3)  # only what is hidden
    assert torch.equal(attention(asking, tokens, mask), attention(asking, changed, mask))
    assert not torch.allclose(attention(asking, tokens), attention(asking, changed))
    alone = attention(asking[1:2], tokens[1:2, :4])  # as if there were no padding
    assert torch.allclose(attention(asking, tokens, mask)[1:2], alone, atol=1e-6)


def test_permuting_the_tokens_permutes_the_outputs(tokens):
    torch.manual_seed(0)
    block, order = Block(D, N, dropout=0.0), torch.randperm(T)
    assert torch.allclose(block(tokens)[:, order], block(tokens[:, order]), atol=1e-6)


def test_those_that_alone_ask_are_told_the_same(tokens):
    torch.manual_seed(0)
    block = Block(D, N, dropout=0.0)
    assert torch.allclose(block(tokens, num_queries=2), block(tokens)[:, :2], atol=1e-6)
    mask = MASKS["of each row"]
    assert torch.allclose(block(tokens, mask, num_queries=2), block(tokens, mask)[:, :2], atol=1e-6)
    assert not torch.allclose(block(tokens, mask), block(tokens), atol=1e-3)


def test_a_block_without_its_first_norm_has_none(tokens):
    block = Block(D, N, dropout=0.0, norm_first=False)
    assert [name for name, _ in block.named_parameters() if name.startswith("norm.")] == []
    assert block(tokens).shape == tokens.shape


def test_dropout_takes_weights_while_training_only(attention, tokens):
    attention.dropout.p = 0.5
    assert not torch.equal(attention(tokens, tokens), attention(tokens, tokens))
    attention.eval()
    assert torch.equal(attention(tokens, tokens), attention(tokens, tokens))


@pytest.mark.parametrize(("width", "instead"), [(66, 64), (2, 4)])
def test_heads_must_have_equal_shares(width, instead):
    check_heads(64, 4)
    message = rf"a multiple of model.heads; got {width} and 4; type model.width={instead}, or type"
    with pytest.raises(ConfigError, match=message):
        check_heads(width, 4)
