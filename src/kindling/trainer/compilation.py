"""A network in; the same network, whose training steps are compiled, out."""

from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn

from kindling.errors import ConfigError, Problem


def compile_training(network: nn.Module, mode: str, batch_size: int) -> None:
    """Compile what the network computes on full train batches; nothing else about it changes.

    A last, shorter batch would be compiled again, evaluation too: they run as ever, and so does
    a network that hooks look into. Names stay: the network is not wrapped in another.
    """
    own: Any = network.forward
    plain = own.__func__
    compiled = torch.compile(plain, mode=mode, dynamic=False)

    def forward(self: nn.Module, x: Tensor) -> Tensor:
        if not self.training or len(x) != batch_size or self._forward_hooks:
            return plain(self, x)
        try:
            # CUDA graphs write every batch's outputs to the same place: hence the copy.
            return compiled(self, x).clone()
        except torch._dynamo.exc.TorchDynamoException as error:
            rule = f"compile={mode} must work with this network on this machine"
            got = str(error).strip().partition("\n")[0]
            raise ConfigError(Problem(rule, got, "type compile=off")) from error

    network.forward = MethodType(forward, network)  # a method, so that a copy has its own
