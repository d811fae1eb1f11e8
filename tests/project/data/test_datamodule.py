import json

import numpy as np
import pytest
import torch

from kindling.types import Batch
from project.data.dataset import (
    BLOCK_ROWS,
    WINDOW,
    IndexedDataset,
    PositionSampler,
    block_order,
    rows_of_block,
)


def order(epoch, seed=0):
    sampler = PositionSampler(10, 4, shuffle_seed=seed)
    sampler.set_epoch(epoch)
    return torch.cat(list(sampler)).tolist()


def test_every_epoch_has_its_own_order_of_all_rows():
    assert sorted(order(0)) == sorted(order(1)) == list(range(10))
    assert order(0) != order(1)
    assert order(0) != order(0, seed=1)


def test_the_order_is_keyed_and_not_consumed():
    before = order(3)
    torch.rand(100)
    order(0)
    assert order(3) == before


@pytest.mark.parametrize(("drop_last", "sizes"), [(False, [4, 4, 2]), (True, [4, 4])])
def test_the_last_batch_can_be_left_out(drop_last, sizes):
    sampler = PositionSampler(10, 4, shuffle_seed=0, drop_last=drop_last)
    assert [len(batch) for batch in sampler] == sizes
    assert len(sampler) == len(sizes)


def test_a_batch_is_taken_by_position_and_knows_its_rows():
    x, y = torch.arange(20.0).view(10, 2), torch.arange(10)
    batch = IndexedDataset(x, y, torch.tensor([7, 2, 5]))[torch.tensor([2, 0])]
    assert batch.row.tolist() == [5, 7]
    assert torch.equal(batch.x, x[[5, 7]])
    assert batch.y.tolist() == [5, 7]


def test_setup_twice_is_harmless(build):
    data, _, _ = build()
    x, spec = data.x, data.spec
    data.setup("fit")
    data.setup("test")
    assert data.x is x
    assert data.spec is spec


def test_the_tensors_share_memory_with_the_images(build):
    data, _, _ = build("data=digits")
    assert data.x.data_ptr() == data.raw.x.ctypes.data


def test_dtypes_are_decided_once(build, table_csv):
    table = ["data=table", f"data.path={table_csv}"]
    assert build("data=digits")[0].x.dtype == torch.uint8
    values, _, _ = build(*table, "data.target=price")
    assert (values.x.dtype, values.y.dtype) == (torch.float32, torch.float32)
    labels, _, _ = build(*table, "data.target=label")
    assert labels.y.dtype == torch.int64


def test_two_workers_hand_out_the_same_batches(build):
    batches = []
    for workers in (0, 2):
        data, _, _ = build(f"data.num_workers={workers}")
        batches.append(list(data.train_dataloader()))
    for one, other in zip(*batches, strict=True):
        assert isinstance(other, Batch)
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_images_become_standardised_floats_on_the_device_only(build):
    data, _, _ = build("data=digits")
    batch = next(iter(data.eval_dataloader("train")))
    assert batch.x.dtype == torch.uint8
    ready = data.on_after_batch_transfer(batch, 0)
    assert ready.x.dtype == torch.float32
    expected = (batch.x.double() - data.spec.pixel_mean[0]) / data.spec.pixel_scale[0]
    assert ready.x.numpy() == pytest.approx(expected.numpy(), abs=1e-5)


def test_changing_val_and_test_rows_changes_nothing_that_is_fitted(build, table_csv):
    overrides = ["data=table", f"data.path={table_csv}", "data.target=price"]
    before, _, _ = build(*overrides)
    import pandas as pd

    frame = pd.read_csv(table_csv, dtype=str)  # the cells of train rows stay as they are written
    others = np.concatenate([before.split["val"], before.split["test"]])
    frame.loc[others, ["size", "price"]] = "1e6"
    frame.loc[others, "town"] = "Atlantis"
    frame.to_csv(table_csv, index=False)
    after, _, _ = build(*overrides)
    assert after.spec == before.spec
    train = before.split["train"]
    assert torch.equal(after.x[train], before.x[train])


def test_blocks_are_shuffled_without_losing_a_row():
    rows = 3 * BLOCK_ROWS * WINDOW // 2 + 17
    first, again, other = (
        block_order(rows, BLOCK_ROWS, generator=torch.Generator().manual_seed(seed))
        for seed in (0, 0, 1)
    )
    assert torch.equal(first.sort().values, torch.arange(rows))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert len(first[:10_000].div(BLOCK_ROWS, rounding_mode="floor").unique()) > WINDOW // 2


def test_a_window_of_blocks_fits_into_memory_whatever_the_rows_are():
    rows = [torch.empty(3, 25), torch.empty((3, 3, 128, 128), dtype=torch.uint8)]
    rows += [torch.empty((1, 3, 2000, 2000), dtype=torch.uint8), torch.empty(3, 0)]
    blocks = [rows_of_block(x) for x in rows]
    assert blocks == [BLOCK_ROWS, 21, 1, BLOCK_ROWS]


def test_what_is_a_single_window_has_one_order_from_memory_and_from_a_file():
    ram, disk = (
        torch.cat(list(PositionSampler(7 * WINDOW, 32, shuffle_seed=0, block_rows=block_rows)))
        for block_rows in (None, 7)
    )
    assert torch.equal(ram, disk)


@pytest.mark.slow
def test_rows_on_disk_are_the_rows_in_memory(build, table_csv):
    words = ["data=table", f"data.path={table_csv}", "data.target=price"]
    (ram, *_), (disk, *_) = (build(*words, f"data.memory={kind}") for kind in ("ram", "disk"))
    assert disk.spec == ram.spec
    assert disk.x.equal(ram.x)
    assert disk.y.equal(ram.y)
    assert disk.raw.on_disk
    assert {kind: split.tolist() for kind, split in disk.split.items()} == {
        kind: split.tolist() for kind, split in ram.split.items()
    }


@pytest.mark.slow
def test_a_run_from_disk_learns(run, table_csv):
    words = ["data=table", f"data.path={table_csv}", "data.target=label", "trainer.max_epochs=20"]
    numbers = json.loads((run(*words, "data.memory=disk") / "metrics.json").read_text())
    assert numbers["train"]["accuracy"] > 0.9
