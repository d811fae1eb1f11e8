"""Train on the penguins by hand: the project's data and network, no Trainer, no configuration.

python docs/lesson_loop.py                          # ends with bitwise the same weights as
python train.py model=mlp device=cpu trainer.max_epochs=5 task.calibrate=null
"""

from pathlib import Path

import torch
from torch.nn import functional as F

from kindling.rng import derive_seed
from kindling.tables.source import TableSource
from project.data.datamodule import DataModule
from project.models.mlp import MLP
from project.training.schedulers import warmup_cosine

CSV = Path(__file__).resolve().parents[1] / "data" / "penguins.csv"
SEED, EPOCHS = 0, 5
BATCH_SIZE, EVAL_BATCH_SIZE, VAL_FRACTION, TEST_FRACTION = 32, 1024, 0.15, 0.15
WIDTH, DEPTH, DROPOUT = 256, 2, 0.2
LR, BETAS, WEIGHT_DECAY = 0.002, (0.9, 0.999), 0.01
WARMUP_FRACTION, FINAL_FRACTION = 0.05, 0.01  # of the steps; of the rate


def train() -> MLP:
    """Go the whole way, print the scores, and return the network of the last epoch."""
    torch.manual_seed(SEED)  # the first weights are drawn from here
    data = DataModule(
        TableSource(str(CSV), "species", drop_missing_target=True),
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
    scheduler = warmup_cosine(
        optimizer,
        num_steps=EPOCHS * len(loader),
        warmup_fraction=WARMUP_FRACTION,
        final_fraction=FINAL_FRACTION,
    )
    for epoch in range(EPOCHS):
        network.train()
        loader.sampler.set_epoch(epoch)  # another order of the rows in each epoch
        for number, batch in enumerate(loader):
            torch.manual_seed(derive_seed(SEED, "step", epoch, number))  # what dropout draws

            optimizer.zero_grad()
            outputs = network(batch.x)
            loss = F.cross_entropy(outputs, batch.y)
            loss.backward()
            optimizer.step()

            scheduler.step()  # another learning rate for the next step
    for split in ("val", "test"):
        network.eval()
        with torch.no_grad():
            (batch,) = data.eval_dataloader(split)  # all rows of the split fit into one
            outputs = network(batch.x)
        loss = F.cross_entropy(outputs, batch.y).item()
        accuracy = (outputs.argmax(dim=1) == batch.y).float().mean().item()
        print(f"{split}/loss {loss:.5g}  {split}/accuracy {accuracy:.5g}")
    return network


if __name__ == "__main__":
    train()
