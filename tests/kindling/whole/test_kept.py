"""Runs of earlier versions, kept in kept/VERSION: what was read once is read for ever.

Each is `python train.py data=table data.path=rows.csv data.target=species model=mlp model.width=8
data.drop_missing_target=true trainer.max_epochs=5 baselines=false report=false` on the penguins.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kindling import load
from kindling.cli.command_line import main
from kindling.config.recorded import read_settings
from kindling.data_record import read_record
from kindling.errors import ConfigError, DataError
from kindling.report.run_folders import read_runs
from kindling.runs import DATA_FILE, MANIFEST_FILE, METRICS_FILE, SETTINGS_FILE

ROOT = Path(__file__).parents[3]
KEPT = sorted((Path(__file__).parent / "kept").iterdir())


@pytest.fixture(params=KEPT, ids=lambda folder: folder.name)
def kept(request, tmp_path, monkeypatch):
    """A kept run in the working directory, with the rows that it was trained on beside it."""
    shutil.copytree(request.param, tmp_path / "run")
    shutil.copy(ROOT / "data" / "penguins.csv", tmp_path / "rows.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "run"


def test_a_kept_bundle_predicts_what_it_has_predicted(kept):
    said = pd.read_csv(kept / "predictions.csv")
    rows = pd.read_csv("rows.csv").iloc[said.row]
    model = load(kept)
    assert (model.predict(rows) == said.prediction).all()
    assert np.allclose(model.predict_proba(rows), said.filter(like="prob_"), atol=1e-5)


@pytest.mark.slow
def test_a_kept_run_is_evaluated_on_its_own_rows_again(kept, capsys):
    main(["evaluate", str(kept), "--json"])
    again = json.loads(capsys.readouterr().out)["scores"]
    known = json.loads((kept / METRICS_FILE).read_text())["test"]
    assert again == pytest.approx(known, abs=1e-5)


def test_a_kept_run_is_compared(kept):
    (run,), skipped = read_runs([str(kept)])
    known = json.loads((kept / METRICS_FILE).read_text())["test"]
    assert skipped == {}
    assert run.numbers["test/accuracy"] == known["accuracy"]


def test_the_settings_and_the_data_of_a_kept_run_are_read(kept):
    settings, typed_again = read_settings(kept)
    assert ("model.width", 8) in {(each.key, each.value) for each in settings}
    assert typed_again == []
    assert read_record(kept).sizes == {"train": 240, "val": 52, "test": 52}


@pytest.mark.slow
def test_weights_of_a_kept_run_begin_another(kept, build):
    words = ["data=table", "data.path=rows.csv", "data.target=species", "model=mlp"]
    words += ["data.drop_missing_target=true", "model.width=8", f"init_from={kept}"]
    _, task, _ = build(*words)
    assert len(task.warm_start.taken) == len(task.network.state_dict())


@pytest.mark.parametrize("name", [SETTINGS_FILE, DATA_FILE, METRICS_FILE, MANIFEST_FILE])
def test_a_format_that_is_newer_is_refused_in_words(kept, name):
    file = kept / ("bundle" if name == MANIFEST_FILE else "") / name
    content = json.loads(file.read_text())
    file.write_text(json.dumps(content | {"format": 99}))
    read = {
        SETTINGS_FILE: lambda: read_settings(kept),
        DATA_FILE: lambda: read_record(kept),
        METRICS_FILE: lambda: read_runs([str(kept)]),
        MANIFEST_FILE: lambda: load(kept),
    }
    said = rf"format 99; this Kindling reads format {content['format']}.*upgrade Kindling"
    with pytest.raises((ConfigError, DataError), match=said):
        read[name]()
