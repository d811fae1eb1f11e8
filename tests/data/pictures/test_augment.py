import pytest
import torch

from kindling.data.pictures.augment import Augment, draw

# Of SplitMix64, as in keyed.py.
MULTIPLIERS = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
ROWS = torch.arange(20)
PIXELS = torch.randint(
    0, 256, (20, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
)


@pytest.mark.parametrize("strength", ["light", "strong"])
@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_changes_by_seed_epoch_and_row_and_by_nothing_else(strength, channels):
    augment, x = Augment(strength, flip=True, seed=0), PIXELS[:, :channels]
    whole = augment(x, ROWS, 3)
    assert (whole.dtype, whole.shape) == (torch.uint8, x.shape)
    halves = torch.cat([augment(x[:7], ROWS[:7], 3), augment(x[7:], ROWS[7:], 3)])
    shuffled = torch.randperm(20, generator=torch.Generator().manual_seed(1))
    # Whatever batch a row is in: one grey level of rounding at most.
    assert (whole.int() - halves.int()).abs().max() <= 1
    assert (augment(x[shuffled], ROWS[shuffled], 3).int() - whole[shuffled].int()).abs().max() <= 1
    torch.rand(5)
    assert torch.equal(augment(x, ROWS, 3), whole)
    assert not torch.equal(augment(x, ROWS, 4), whole)
    assert not torch.equal(Augment(strength, flip=True, seed=1)(x, ROWS, 3), whole)


def test_about_half_are_mirrored_and_none_without_flip():
    ramp = torch.arange(0, 256, 16, dtype=torch.uint8).expand(200, 1, 16, 16)
    rows = torch.arange(200)
    for flip, low, high in ((True, 70, 130), (False, 0, 0)):
        changed = Augment("light", flip=flip, seed=0)(ramp, rows, 0).float()
        mirrored = (changed[..., :4].mean((1, 2, 3)) > changed[..., -4:].mean((1, 2, 3))).sum()
        assert low <= mirrored <= high


def test_draws_are_even_and_independent_numbers():
    x = draw(12345, torch.arange(20_000), 12)
    assert 0 <= x.min() < x.max() < 1
    assert x.mean(0) == pytest.approx(torch.full((12,), 0.5), abs=0.01)
    assert x.var(0) == pytest.approx(torch.full((12,), 1 / 12), abs=0.002)
    assert torch.corrcoef(x.T).fill_diagonal_(0).abs().max() < 0.03
    assert torch.corrcoef(torch.stack([x[:-1, 0], x[1:, 0]]))[0, 1].abs() < 0.03


def test_draws_are_what_integers_without_end_say():
    state, mask = 0xFEDCBA9876543210, (1 << 64) - 1
    expected = []
    for counter in range(3):
        x = (5 * 3 + counter + state) & mask
        for multiplier, shift in zip(MULTIPLIERS, (30, 27, 31), strict=True):
            x = ((x ^ (x >> shift)) * multiplier) & mask
        expected.append(((x ^ (x >> 29)) >> 40) / 2**24)
    assert draw(state, torch.tensor([5]), 3)[0].tolist() == expected


def test_only_train_images_are_augmented(build):
    data, task, trainer = build("data=digits", "data.augment=strong", "trainer.max_epochs=1")
    seen = []

    class Watched(Augment):
        def __call__(self, pixels, row, epoch):
            seen.extend(row.tolist())
            return super().__call__(pixels, row, epoch)

    data.augment = Watched("strong", flip=False, seed=0)
    trainer.fit(task, data)
    trainer.test(task, data, verbose=False)
    assert sorted(seen) == data.split["train"].tolist()


@pytest.mark.slow
def test_workers_and_chunks_change_nothing_of_an_augmented_run(build):
    ends = []
    for words in ([], ["data.num_workers=2"], ["task.steps_per_call=1"]):
        data, task, trainer = build("data=digits", "data.augment=light", *words)
        trainer.fit(task, data)
        ends.append(torch.cat([p.detach().flatten() for p in task.parameters()]))
    assert torch.equal(ends[0], ends[1])
    assert ends[0] == pytest.approx(ends[2], abs=1e-3)
