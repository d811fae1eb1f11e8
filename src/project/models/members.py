"""Networks of several members: each is trained on its own, together they predict."""

import math

import torch
from torch import Tensor, nn


class LossOfMembers(nn.Module):
    """The mean of the members' losses, never the loss of their mean, which would make them alike.

    Args:
        loss: of one network: outputs (B, K) or (B, 1) and targets (B,) in, one number out.
    """

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.loss = loss
        if hasattr(loss, "batch_weights"):
            self.batch_weights = loss.batch_weights

    def forward(self, outputs: Tensor, y: Tensor) -> Tensor:
        if outputs.ndim == 3:  # while training: (B, M, K)
            y = y.repeat_interleave(outputs.shape[1])  # (B,) -> (B * M,)
            outputs = outputs.flatten(0, 1)  # (B, M, K) -> (B * M, K)
        return self.loss(outputs, y)


def average_members(outputs: Tensor) -> Tensor:
    """Return what the members say together: (B, M, K) -> (B, K).

    Values are averaged. Of logits the probabilities are, and come back as their logarithms, whose
    softmax they are again.
    """
    if 1 in outputs.shape[1:]:  # a value, or a single member
        return outputs.mean(dim=1)
    return torch.logsumexp(outputs.log_softmax(dim=2), dim=1) - math.log(outputs.shape[1])
