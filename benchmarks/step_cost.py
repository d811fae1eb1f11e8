"""What a training step of each network costs, as a multiple of the MLP's (images: the CNN's).

python benchmarks/step_cost.py          # a minute; prints a Markdown table

Batches of 256 rows of the loans and of 64 digits; forward, backward and AdamW in CPU time of one
thread; the fastest of several steps.
"""

import time
from typing import Any

import torch
from accuracy import ROOT, make_quiet
from hydra.utils import instantiate

from kindling.config.compose import compose_config
from kindling.run.build import build_data

STEPS = 12
TABLES = ("mlp", "realmlp", "tabm", "ft_transformer", "ensemble model.network=mlp")
IMAGES = ("cnn", "resnet", "cct")


def main() -> None:
    """Time each network, and print the table."""
    make_quiet()
    print("| data | network | weights | ms a step | of the first |\n|---|---|---|---|---|")
    for data, rows, networks in (("credit", 256, TABLES), ("digits", 64, IMAGES)):
        first = None
        for network in networks:
            words = [f"data={data}", *f"model={network}".split(), "run_dir=nowhere"]
            cfg = compose_config(ROOT / "conf", words)
            module = build_data(cfg)
            built = instantiate(cfg.model)(module.spec).train()
            seconds = time_step(built, module, rows)
            first = first or seconds
            weights = sum(p.numel() for p in built.parameters())
            cost = f"{1000 * seconds:.1f} | {seconds / first:.1f}"
            print(f"| {data} | {type(built).__name__} | {weights:,} | {cost} |", flush=True)


def time_step(network: torch.nn.Module, data: Any, rows: int) -> float:
    """Return the CPU seconds of the fastest step."""
    if hasattr(network, "by_member"):
        network.by_member = True  # type: ignore[assignment]
    optimizer = torch.optim.AdamW(network.parameters(), fused=True)
    x = data.x[:rows].float()
    times = []
    for _ in range(STEPS):
        start = time.process_time()
        optimizer.zero_grad()
        network(x).square().mean().backward()
        optimizer.step()
        times.append(time.process_time() - start)
    return min(times)


if __name__ == "__main__":
    main()
