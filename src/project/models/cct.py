"""A transformer for images of any size from 8x8 pixels, whose tokens are made by convolutions."""

from typing import Annotated

import torch
from jaxtyping import Float32
from torch import Tensor, nn

from kindling.config.ranges import Range
from kindling.types import DataSpec
from project.models.attention import Block, check_heads
from project.models.cnn import image_size

MOST_TOKENS = 100  # each looks at each: twice as many cost up to four times as much


class CCT(nn.Module):
    """Convolutions halve the image until its places are few; these are the tokens.

    After Hassani et al., "Escaping the Big Data Paradigm with Compact Transformers" (2021,
    arxiv.org/abs/2104.05704), with the gated MLP of `Block`.

    Args:
        spec: describes the images and the number of outputs.
        width: of a token, a multiple of heads.
        depth: blocks, at least 1.
        heads: of an attention.
        dropout: share of weights of attention and of hidden units dropped while training.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        width: Annotated[int, Range(1, 65536)] = 64,
        depth: Annotated[int, Range(1, 1024)] = 2,
        heads: Annotated[int, Range(1, 1024)] = 4,
        dropout: Annotated[float, Range(0, 1, "[)")] = 0.1,
    ) -> None:
        super().__init__()
        check_heads(width, heads)
        image_size(spec, "cct")  # refuses what it cannot take
        assert spec.image_shape is not None
        channels, height, width_px = spec.image_shape
        steps: list[nn.Module] = []
        while not steps or height * width_px > MOST_TOKENS:
            steps += [nn.Conv2d(channels, width, kernel_size=3, padding=1, bias=False), nn.ReLU()]
            steps.append(nn.MaxPool2d(3, stride=2, padding=1))  # halves, rounded up
            channels, height, width_px = width, (height + 1) // 2, (width_px + 1) // 2
        self.tokenizer = nn.Sequential(*steps)
        # Attention knows no places: without this, a shuffled image would be the same to it.
        self.position = nn.Parameter(torch.randn(width, height, width_px) * 0.2)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.importance = nn.Linear(width, 1)
        self.head = nn.Linear(width, spec.num_outputs)

    def forward(self, x: Float32[Tensor, "batch channels height width"]) -> Tensor:
        x = x.contiguous(memory_format=torch.channels_last)  # as in the CNN: faster on a CPU
        x = self.tokenizer(x) + self.position  # (D, H, W) is broadcast over the batch
        x = x.flatten(2).permute(0, 2, 1)  # (B, D, H, W) -> (B, T, D)
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        # "Sequence pooling": a mean of all tokens, weighted by what they say themselves.
        weights = self.importance(x).squeeze(2).softmax(dim=1)  # (B, T); of a row they sum to 1
        answer = torch.einsum("bt,btd->bd", weights, x)
        return self.head(answer)  # (B, K) logits or (B, 1) values
