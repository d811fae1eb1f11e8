"""Small real data and short runs for all tests; nothing of ours is replaced by a stand-in."""

import os
import signal
from pathlib import Path

# One thread, here and in every process started from here: the work is small, and two threads
# that wait for each other are slow where other tests run at the same time.
os.environ["OMP_NUM_THREADS"] = "1"

from jaxtyping import install_import_hook

# Signatures are checked at every call; an int serves as a float, as everywhere in Python. The
# plugin's own option takes a single package only (jaxtyping 0.3).
CHECKER = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"
install_import_hook(["kindling", "project"], CHECKER)

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kindling.checkpoints import list_checkpoints
from kindling.config.compose import compose_config, register_resolvers
from kindling.fixes import OVERRIDES, speaking
from kindling.rooms import has_room
from kindling.run.build import build_data, build_task, build_trainer
from kindling.run.console import hide_adverts
from kindling.runs import CHECKPOINT_FOLDER

ROOT = Path(__file__).parents[1]
CONF = ROOT / "conf"
register_resolvers(ROOT)


@pytest.fixture(autouse=True)
def _quiet():
    hide_adverts()
    yield
    register_resolvers(ROOT)  # a test may have composed the configuration of another clone


@pytest.fixture(autouse=True, scope="session")
def _signals_are_heard():
    """A shell's background jobs ignore some, and so would these tests and what they start."""
    before = {signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler)}
    for name in ("SIGHUP", "SIGTERM", "SIGUSR1", "SIGUSR2"):
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is signal.SIG_IGN:
            number = getattr(signal, name)
            before[number] = signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory):
    """Nothing is written into the cache of the person who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def newest(run, *, best=False):
    """Return the newest state of a run, or its best weights."""
    return list_checkpoints(Path(run) / CHECKPOINT_FOLDER, best=best)[0].path


@pytest.fixture
def compose(tmp_path):
    """Compose conf/train.yaml with overrides, for a run in tmp_path."""

    def make(*overrides, folder="run"):
        given = ["name=test", f"run_dir={tmp_path / folder}", "trainer.max_epochs=3"]
        quick = ["report=false"] if has_room(ROOT, "report") else []
        return compose_config(CONF, [*given, *quick, "baselines=false", *overrides])

    return make


@pytest.fixture(autouse=True)
def as_train_py():
    """Let fixes be worded as train.py words them, whatever part of it a test calls."""
    with speaking(OVERRIDES):
        yield


@pytest.fixture
def build(compose):
    """Build data, task and trainer as train.py does."""

    def make(*overrides, folder="run"):
        from lightning import seed_everything

        cfg = compose(*overrides, folder=folder)
        seed_everything(cfg.seed, verbose=False)
        data = build_data(cfg)
        task = build_task(cfg, data)
        return data, task, build_trainer(cfg, data, task)

    return make


@pytest.fixture
def run(compose):
    """Go the whole way of train.py; return the run folder."""

    def go(*overrides, folder="run"):
        from train import train

        cfg = compose(*overrides, folder=folder)
        train.__wrapped__(cfg)
        return Path(cfg.run_dir)

    return go


@pytest.fixture
def table_csv(tmp_path):
    """Write a CSV of 64 rows: two numbers, a boolean, a category, a label and a value."""
    rng = np.random.default_rng(0)
    size = rng.normal(50, 10, 64)
    frame = pd.DataFrame(
        {
            "size": size,
            "noise": rng.normal(size=64),
            "new": rng.random(64) < 0.5,
            "town": rng.choice(["Ulm", "Rom", "Ys"], 64),
            "label": np.where(size > 50, "large", "small"),
            "price": 3 * size + rng.normal(size=64),
        }
    )
    frame.loc[[3, 9], ["size", "town"]] = None
    file = tmp_path / "table.csv"
    frame.to_csv(file, index=False)
    return file


@pytest.fixture
def image_folder(tmp_path):
    """Write 2 x 20 colour images of 10x12 pixels in class folders: red and blue noise."""
    rng = np.random.default_rng(0)
    for channel, name in ((0, "red"), (2, "blue")):
        folder = tmp_path / "images" / name
        folder.mkdir(parents=True)
        for number in range(20):
            pixels = rng.integers(0, 100, (12, 10, 3), dtype=np.uint8)
            pixels[..., channel] += 120
            Image.fromarray(pixels).save(folder / f"{number:02}.png")
    return tmp_path / "images"
