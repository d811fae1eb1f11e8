"""Attention of several heads, written out, and the block of a transformer around it.

After Vaswani et al., "Attention Is All You Need" (NeurIPS 2017, arxiv.org/abs/1706.03762). Names
end in their shape: B batch, Q tokens that ask, T tokens that are looked at, D width of a token,
N heads, E = D / N width of a head.
"""

import torch
from torch import Tensor, nn

from kindling.errors import ConfigError, Problem
from kindling.fixes import Setting


class Attention(nn.Module):
    """Each token that asks gets a mixture of the others; how much of each is computed from them.

    Args:
        width: D, of a token.
        heads: N; each mixes in a way of its own, on its share of the width.
        dropout: share of the weights dropped while training.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        # Without biases: that of the keys would add the same to all scores, and softmax undo it.
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(width, width)

    def forward(self, x_BQD: Tensor, context_BTD: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return what each asking token is told: (B, Q, D).

        Args:
            x_BQD: the tokens that ask.
            context_BTD: the tokens that are looked at; in self-attention those that ask.
            mask: true where a token may be looked at; of any shape that is broadcast to
                (B, N, Q, T), such as (B, 1, 1, T) for each row or (Q, T) for all rows.
                Each asking token must be left one.
        """
        q_BNQE = self.split_heads(self.query(x_BQD))
        k_BNTE = self.split_heads(self.key(context_BTD))
        v_BNTE = self.split_heads(self.value(context_BTD))
        # How well each query fits each key. The more numbers are summed, the larger: scale them.
        q_BNQE = q_BNQE * q_BNQE.shape[3] ** -0.5
        scores_BNQT = torch.einsum("bnqe,bnte->bnqt", q_BNQE, k_BNTE)
        if mask is not None:
            scores_BNQT = scores_BNQT.masked_fill(~mask, -torch.inf)  # its softmax is 0
        # Over the tokens that are looked at: what one token is told is a mean of them.
        weights_BNQT = self.dropout(scores_BNQT.softmax(dim=3))
        mixed_BNQE = torch.einsum("bnqt,bnte->bnqe", weights_BNQT, v_BNTE)
        # permute leaves gaps between the heads of a token, so view would refuse; reshape copies.
        mixed_BQD = mixed_BNQE.permute(0, 2, 1, 3).reshape(x_BQD.shape)
        return self.out(mixed_BQD)

    def split_heads(self, x_BTD: Tensor) -> Tensor:
        """Cut each token into heads, and put them beside the batch: each attends on its own.

        A view to (B, N, T, E) at once would have that shape, too, and tear the tokens apart.
        """
        B, T, D = x_BTD.shape
        return x_BTD.view(B, T, self.heads, D // self.heads).permute(0, 2, 1, 3)


class Block(nn.Module):
    """Attention, then a small MLP for each token; both are added to what goes in.

    What goes into each is normalised first, so that the sums pass through any number of blocks as
    they are ("pre-norm"). The MLP is gated (ReGLU: Shazeer 2020, arxiv.org/abs/2002.05202).
    """

    def __init__(self, width: int, heads: int, dropout: float, *, norm_first: bool = True) -> None:
        super().__init__()
        hidden = width * 4 // 3  # the gate takes as many weights again
        self.norm = nn.LayerNorm(width) if norm_first else nn.Identity()
        self.attention = Attention(width, heads, dropout)
        self.gate_norm = nn.LayerNorm(width)
        self.gate = nn.Linear(width, 2 * hidden)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(hidden, width)

    def forward(
        self, x: Tensor, mask: Tensor | None = None, *, num_queries: int | None = None
    ) -> Tensor:
        """Return the tokens (B, T, D), or the first `num_queries` where no others are read."""
        tokens = self.norm(x)
        # A slice has gaps, and of these torch's products differ in a bit where nothing is learnt.
        x = x[:, :num_queries] + self.attention(tokens[:, :num_queries].contiguous(), tokens, mask)
        values, gates = self.gate(self.gate_norm(x)).chunk(2, dim=2)
        return x + self.out(self.dropout(values * gates.relu()))


def check_heads(width: int, heads: int) -> None:
    """Say what to type where heads cannot have equal shares of a token."""
    if width % heads:
        ways = (Setting("model.width", width - width % heads or heads), Setting("model.heads", 1))
        rule = "model.width must be a multiple of model.heads"
        raise ConfigError(Problem(rule, f"{width} and {heads}", ways))
