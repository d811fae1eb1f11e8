"""A network and a batch in; how many threads are worth it out.

Measured on two cores (torch 2.13, AdamW, threads that sleep while they wait), two threads against
one: CNNs with steps of 0.6 billion operations 0.6 times as fast, of 1.3 0.8 times, of 2.3 1.0, of
3.6 1.2, of 21 1.7; MLPs of 0.5 billion 1.1 times, of 1.7 1.4. Beside another busy process a second
thread costs small steps several times what they take.
"""

from contextlib import suppress

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from project.data.datamodule import DataModule

# What torch takes by itself, OMP_NUM_THREADS included; read once, before anybody changes it.
MOST = torch.get_num_threads()
WORTH_A_THREAD = 1e9  # operations of a step


def choose_threads(wish: int | str, network: nn.Module, data: DataModule) -> int:
    """Return the threads that were asked for, or by the work of a step; the same in every run."""
    if wish != "auto":
        return int(wish)
    operations = 3 * data.batch_size * count_operations(network, data)  # backward is twice as much
    return max(1, min(MOST, int(operations / WORTH_A_THREAD)))


def count_operations(network: nn.Module, data: DataModule) -> int:
    """Count the multiplications and additions of one row's way through the network."""
    modes, counter = {m: m.training for m in network.modules()}, FlopCounterMode(display=False)
    network.eval()
    # What fails here fails in the pre-flight check, too, which says what is wrong.
    with suppress(Exception), torch.no_grad(), counter:
        network(data.x[:1].float())
    for module, training in modes.items():
        module.training = training
    return int(counter.get_total_flops())
