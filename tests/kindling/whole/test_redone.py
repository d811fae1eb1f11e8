"""The end of a run is steps that can be done again: what is missing is made, nothing trained."""

import importlib
import json
import re

import pytest

import kindling
from tests.conftest import CONF
from tests.kindling.thinning import thin

pytestmark = pytest.mark.slow  # whole runs

QUICK = ["model=mlp", "trainer.max_epochs=3", "threads=1", "device=cpu"]
# Files that hold seconds, and one in which skops numbers objects by where they lie in memory.
OF_ITS_TIME = ("metrics.json", "MANIFEST.json", "preprocess.skops")
TIMES = ("seconds", "rows_per_s", "timing")


class Killed(BaseException):
    """Stands for the end of the process."""


def train(*words):
    from train import train

    return train(kindling.compose(*words, conf=CONF))


def products(run):
    """Return what a run leaves, without the times that it took and the words of its command."""
    files = {
        str(file.relative_to(run)): file.read_bytes()
        for file in (run / "predictions.csv", *(run / "bundle").iterdir())
        if file.name not in OF_ITS_TIME
    }
    metrics = json.loads((run / "metrics.json").read_text())
    report = (run / "report.html").read_text().replace(str(run), "RUN")
    report = re.sub(r"\d+(\.\d+)? s\b|\d\d:\d\d</p>|resume: \w+|- resume=.*\n", "", report)
    return files | {name: metrics[name] for name in metrics if name not in TIMES}, report


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    run = tmp_path_factory.mktemp("whole") / "run"
    train(*QUICK, f"hydra.run.dir={run}")
    return products(run)


@pytest.mark.parametrize(
    "place",
    thin(
        [
            "project.baselines:fit_baselines",
            "kindling.run.finish:write_predictions",
            "kindling.bundle.save:save_bundle",
            "kindling.bundle.verify:verify_bundle",
            "kindling.report.page:write_report",
            "kindling.run.finish:write_json",
        ],
        3,
        pytest.mark.nightly,
    ),
)
def test_what_a_kill_has_left_out_is_made_and_is_the_same(tmp_path, whole, place, monkeypatch):
    def killed(*_, **__):
        raise Killed

    run, (module, name) = tmp_path / "run", place.split(":")
    with monkeypatch.context() as patch:
        patch.setattr(importlib.import_module(module), name, killed)
        with pytest.raises(Killed):
            train(*QUICK, f"hydra.run.dir={run}")
    train(f"resume={run}")
    files, report = products(run)
    assert {name for name in files if files[name] != whole[0][name]} == set()
    assert report == whole[1]
