"""Train on the penguins by hand: Kindling's data and network, no Trainer, no configuration.

python docs/lesson_loop.py                          # ends with bitwise the same weights as
python train.py device=cpu trainer.max_epochs=5
"""

import math
from pathlib import Path

import torch
from torch.nn import functional as F

from kindling.rng import derive_seed
from kindling.tables.source import table
from project.models.mlp import MLP

CSV = Path(__file__).resolve().parents[1] / "data" / "penguins.csv"
SEED, EPOCHS = 0, 5
BATCH_SIZE, EVAL_BATCH_SIZE, VAL_FRACTION, TEST_FRACTION = 32, 1024, 0.15, 0.15
WIDTH, DEPTH, DROPOUT = 256, 2, 0.2
LR, BETAS, WEIGHT_DECAY = 0.002, (0.9, 0.999), 0.01
WARMUP_FRACTION, FINAL_FRACTION = 0.05, 0.01  # of the steps; of the rate


def train() -> MLP:
    """Go the whole way, print the scores, and return the network of the last epoch."""
    torch.manual_seed(SEED)  # the first weights are drawn from here
    data = table(
        str(CSV),
        "species",
        drop_missing_target=True,
        batch_size=BATCH_SIZE,
        eval_batch_size=EVAL_BATCH_SIZE,
        val_fraction=VAL_FRACTION,
        test_fraction=TEST_FRACTION,
        drop_last=False,
        num_workers=0,
        seed=SEED,
    )
    data.setup()
    network = MLP(data.spec, width=WIDTH, depth=DEPTH, dropout=DROPOUT)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=LR, betas=BETAS, weight_decay=WEIGHT_DECAY, fused=True
    )
    loader = data.train_dataloader()
    for epoch in range(EPOCHS):
        network.train()
        loader.sampler.set_epoch(epoch)  # another order of the rows in each epoch
        for number, batch in enumerate(loader):
            torch.manual_seed(derive_seed(SEED, "step", epoch, number))  # what dropout draws
            step = epoch * len(loader) + number
            for group in optimizer.param_groups:
                group["lr"] = LR * rate(step, EPOCHS * len(loader))

            optimizer.zero_grad()
            outputs = network(batch.x)
            loss = F.cross_entropy(outputs, batch.y)
            loss.backward()
            optimizer.step()
    for stage in ("val", "test"):
        network.eval()
        with torch.no_grad():
            (batch,) = data.eval_dataloader(stage)  # all rows of the stage fit into one
            outputs = network(batch.x)
        loss = F.cross_entropy(outputs, batch.y).item()
        accuracy = (outputs.argmax(dim=1) == batch.y).float().mean().item()
        print(f"{stage}/loss {loss:.5g}  {stage}/accuracy {accuracy:.5g}")
    return network


def rate(step: int, num_steps: int) -> float:
    """Return the factor on the learning rate: up in a line, then down along half a cosine."""
    warmup = WARMUP_FRACTION * num_steps
    if step < warmup:
        return (step + 1) / (warmup + 1)
    fall = 0.5 * (1 + math.cos(math.pi * (step - warmup) / (num_steps - 1 - warmup)))
    return FINAL_FRACTION + (1 - FINAL_FRACTION) * fall


if __name__ == "__main__":
    train()
