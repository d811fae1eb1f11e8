import pytest
import torch
from lightning.pytorch.callbacks import Callback

from kindling.images.augmentation import STRENGTHS, Augment, draw
from tests.conftest import newest

# Of SplitMix64, as in rng.py.
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
    assert torch.equal(halves, whole)  # whatever batch a row is in
    assert torch.equal(augment(x[shuffled], ROWS[shuffled], 3), whole[shuffled])
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


@pytest.mark.parametrize("strength", ["light", "strong"])
@pytest.mark.parametrize("channels", [1, 3])
def test_nothing_waits_for_the_device(strength, channels):
    # A meta tensor has no values: whatever asked for one, as .item() does, would fail.
    pixels, rows = PIXELS[:, :channels].to("meta"), ROWS.to("meta")
    changed = Augment(strength, flip=True, seed=0)(pixels, rows, 0)
    assert (changed.device.type, changed.shape) == ("meta", pixels.shape)


def test_grey_stays_grey_and_colours_shift_apart():
    flat = torch.full((20, 3, 16, 16), 100, dtype=torch.uint8)
    assert Augment("light", flip=False, seed=0)(flat[:, :1], ROWS, 0).shape == (20, 1, 16, 16)
    changed = Augment("light", flip=False, seed=0)(flat, ROWS, 0)
    assert (changed[:, 0] != changed[:, 1]).any()


def test_an_image_is_changed_but_stays_itself():
    disc = torch.zeros(20, 1, 32, 32, dtype=torch.uint8)
    disc[..., 12:20, 12:20] = 255
    changed = Augment("light", flip=True, seed=0)(disc, ROWS, 0).float()
    at = torch.arange(32.0)
    weight = changed.sum(dim=(1, 2, 3))
    across = (changed.sum(dim=(1, 2)) * at).sum(1) / weight
    down = (changed.sum(dim=(1, 3)) * at).sum(1) / weight
    for centre in (across, down):
        assert (centre - 15.5).abs().max() < 0.1 * 32  # moved by a twelfth of the side at most
        assert centre.std() > 0.5
    assert weight / 255 == pytest.approx(torch.full((20,), 64.0), rel=0.45)  # zoom and light


@pytest.mark.parametrize("is_standing", [False, True])
def test_an_image_that_is_not_square_is_turned_and_not_sheared(is_standing):
    bar = torch.zeros(200, 1, 20, 60, dtype=torch.uint8)
    if is_standing:
        bar[..., 3:17, 29:31] = 255
    else:
        bar[..., 9:11, 15:45] = 255
    changed = Augment("light", flip=False, seed=0)(bar, torch.arange(200), 0)[:, 0].float()
    changed = (changed - 60).clamp(min=0)  # contrast lifts what was black
    down, across = torch.meshgrid(torch.arange(20.0), torch.arange(60.0), indexing="ij")
    weight = changed / changed.sum(dim=(1, 2), keepdim=True)
    dx = across - (weight * across).sum(dim=(1, 2), keepdim=True)
    dy = down - (weight * down).sum(dim=(1, 2), keepdim=True)
    xx, yy, xy = ((weight * d).sum(dim=(1, 2)) for d in (dx * dx, dy * dy, dx * dy))
    along = yy - xx if is_standing else xx - yy
    turned = torch.atan2(2 * xy, along).rad2deg() / 2  # of the main axis
    assert 6 < turned.abs().max() < 9  # as far as turn_deg=8 says


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
    assert torch.equal(ends[0], ends[2])


class Interrupt(Exception):
    pass


class StopBeforeEpoch(Callback):
    def __init__(self, epoch):
        self.epoch = epoch

    def on_train_epoch_start(self, trainer, pl_module):
        if trainer.current_epoch == self.epoch:
            raise Interrupt


@pytest.mark.slow
def test_an_augmented_run_that_was_resumed_is_bitwise_the_uninterrupted_one(build, compose):
    words = ["data=digits", "data.augment=strong", "data.flip=true", "trainer.max_epochs=4"]
    data, whole, trainer = build(*words, folder="whole")
    trainer.fit(whole, data)
    data, first, trainer = build(*words, folder="parts")
    trainer.callbacks.append(StopBeforeEpoch(2))
    with pytest.raises(Interrupt):
        trainer.fit(first, data)
    cfg = compose(*words, "resume=parts", folder="parts")
    data, second, trainer = build(*words, folder="parts")
    trainer.fit(second, data, ckpt_path=newest(cfg.run_dir), weights_only=True)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name]), name


def test_classes_of_images_are_augmented_lightly_by_default_and_never_mirrored(build):
    data, _, _ = build("data=digits")
    assert data.augment.strength == STRENGTHS["light"]
    assert not data.augment.flip
    assert build("data=digits", "data.augment=none")[0].augment is None


def test_images_of_values_are_left_alone_by_default(build, image_folder, tmp_path):
    files = sorted(image_folder.rglob("*.png"))
    rows = [f"{file.relative_to(image_folder)},{number}.5" for number, file in enumerate(files)]
    labels = tmp_path / "labels.csv"
    labels.write_text("\n".join(["file,size", *rows]))
    words = ["data=images", f"data.path={image_folder}", f"data.labels={labels}"]
    assert build(*words, "data.target=size")[0].augment is None
