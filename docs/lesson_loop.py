"""Learn what a penguin weighs, by hand: the project's data and network, no Trainer, no YAML.

python docs/lesson_loop.py             # ends with bitwise the same weights as
python train.py experiment=lesson
python docs/lesson_mistakes.py         # this loop with one mistake at a time
"""

from pathlib import Path

import torch

from kindling.rng import derive_seed
from kindling.tables.source import TableSource
from project.data.datamodule import DataModule
from project.models.mlp import MLP

CSV = Path(__file__).resolve().parents[1] / "data" / "penguins.csv"
TARGET, SEED, EPOCHS = "body_mass_g", 0, 10
BATCH_SIZE, EVAL_BATCH_SIZE, VAL_FRACTION, TEST_FRACTION = 32, 1024, 0.15, 0.15
WIDTH, DEPTH, DROPOUT = 64, 2, 0.5
LR = 0.05


def train() -> tuple[MLP, list[tuple[float, float]]]:
    """Print the losses of each epoch; return the network of the last one, and all losses."""
    torch.manual_seed(SEED)  # the first weights are drawn from here
    data = DataModule(
        TableSource(str(CSV), TARGET, drop_missing_target=True),
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
    optimizer = torch.optim.SGD(network.parameters(), lr=LR, fused=True)
    loader = data.train_dataloader()
    (val,) = data.eval_dataloader("val")  # all rows of the split fit into one batch
    losses = []
    for epoch in range(EPOCHS):
        network.train()
        loader.sampler.set_epoch(epoch)  # another order of the rows in each epoch
        total = 0.0
        for number, batch in enumerate(loader):
            torch.manual_seed(derive_seed(SEED, "step", epoch, number))  # what dropout draws

            optimizer.zero_grad()
            outputs = network(batch.x)
            loss = (outputs.squeeze(1) - batch.y).square().mean()
            loss.backward()
            optimizer.step()

            total += loss.item() * len(batch.y)  # a mean over rows; the last batch is smaller
        network.eval()
        with torch.no_grad():
            outputs = network(val.x)
        val_loss = (outputs.squeeze(1) - val.y).square().mean().item()
        losses.append((total / len(loader.dataset), val_loss))
        print("epoch {}  train/loss {:#.3g}  val/loss {:#.3g}".format(epoch, *losses[-1]))
    return network, losses


if __name__ == "__main__":
    train()
