"""`kindling compare` on folders: real runs, and folders that somebody else has prepared."""

import csv
import json
import os
import shutil
from itertools import pairwise

import pytest

from kindling.cli.command_line import main
from kindling.report.comparison import Comparison
from kindling.report.comparison_output import GAP, columns_that_fit
from kindling.scoring import MetricInfo

CONFIG = "seed: 0\nrun_dir: /runs/x\ndata:\n  path: a.csv\n  target: y\nmodel:\n  width: 8\n"
METRICS = json.dumps(
    {
        "val": {"accuracy": 0.5},
        "test": {"accuracy": 0.25},
        "seconds": 1.0,
        "problem_type": "multiclass",
        "metrics": {"accuracy": {"label": "accuracy", "direction": "max"}},
    }
)


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Return a function that writes a run below ./runs."""
    monkeypatch.chdir(tmp_path)

    def write(end, config=CONFIG, metrics=METRICS):
        folder = tmp_path / "runs" / "a_mlp" / f"2026-01-01_10-00-00_{end}"
        folder.mkdir(parents=True)
        (folder / "config.yaml").write_text(config)
        (folder / "metrics.json").write_text(metrics)
        return folder

    return write


def as_json(capsys, *words):
    main(["compare", "--json", *words])
    return json.loads(capsys.readouterr().out)


@pytest.mark.slow
def test_real_runs_are_gathered_over_their_seeds(run, tmp_path, capsys):
    for seed in (0, 1):
        run(f"seed={seed}", "trainer.max_epochs=1", folder=f"runs/x/seed{seed}")
    capsys.readouterr()
    (table,) = as_json(capsys, str(tmp_path / "runs"))["tables"]
    assert table["data"].endswith("data/penguins.csv, target species")
    assert table["settings"] == ["seed"]
    (group,) = table["groups"]
    written = [
        json.loads((tmp_path / f"runs/x/seed{seed}/metrics.json").read_text()) for seed in (0, 1)
    ]
    mean = sum(metrics["test"]["accuracy"] for metrics in written) / 2
    assert group["mean"]["test/accuracy"] == pytest.approx(mean)


def test_a_run_is_called_by_what_finds_it_again(runs, capsys):
    folder = runs("ab12")
    main(["compare"])
    assert "\nab12 " in (out := capsys.readouterr().out)
    assert out.startswith("a.csv, target y: multiclass, 1 run, sorted by val/accuracy\n")
    elsewhere = folder.parents[2] / "other"
    shutil.copytree(folder, elsewhere)
    main(["compare", "runs", "other", str(folder)])
    out = capsys.readouterr().out
    assert "2 runs" in out
    assert "other" in out


def test_runs_can_be_sorted_by_what_they_monitored(runs, capsys):
    for end, value in (("aaaa", 0.7), ("bbbb", 0.1), ("cccc", 0.4)):
        metrics = json.loads(METRICS) | {"monitored": {"val/loss": value}}
        runs(end, CONFIG.replace("8", str(value)), json.dumps(metrics))
    (table,) = as_json(capsys, "--sort", "val/loss")["tables"]
    assert [group["mean"]["val/loss"] for group in table["groups"]] == [0.1, 0.4, 0.7]


def test_json_is_alone_on_stdout_and_what_is_left_out_on_stderr(runs, capsys):
    runs("good")
    runs("evil", metrics="{")
    main(["compare", "--json"])
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert [group["n"] for group in found["tables"][0]["groups"]] == [1]
    assert list(found["skipped"]) == ["runs/a_mlp/2026-01-01_10-00-00_evil"]
    assert "evil: metrics.json: " in err


BOMB = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in pairwise("abcdefgh"))


@pytest.mark.parametrize(
    ("config", "metrics"),
    [
        ("[" * 100_000, METRICS),
        ("\n".join(" " * depth + "a:" for depth in range(500)), METRICS),
        (BOMB, METRICS),
        ("a: " + "1:" * 6000 + "1", METRICS),
        ("a: " + "9" * 6000, METRICS),
        ("a: !!python/object/apply:os.system ['touch opened']", METRICS),
        ("a: !!python/name:os.system", METRICS),
        ("a: \x00", METRICS),
        ("x" * 2_000_000, METRICS),
        ("- just\n- a list", METRICS),
        ("? [1, 2]\n: 3", METRICS),
        (CONFIG, "[" * 100_000),
        (CONFIG, "{" + '"a":{' * 50_000),
        (CONFIG, "9" * 5000),
        (CONFIG, "null"),
        (CONFIG, "{}"),
        (CONFIG, '{"val": {"accuracy": 0.5}}'),
        (CONFIG, '{"metrics": {"accuracy": {}}, "val": [1], "test": "high", "baselines": 3}'),
        (CONFIG, " " * 2_000_000),
    ],
)
def test_a_broken_or_hostile_run_is_left_out_by_name(runs, capsys, config, metrics):
    runs("good")
    folder = runs("evil", config, metrics)
    found = as_json(capsys)
    assert [str(folder)] == [str(folder.parents[2] / name) for name in found["skipped"]]
    assert [run["run"] for run in found["tables"][0]["groups"][0]["runs"]] == ["good"]
    assert not (folder.parents[2] / "opened").exists()


def test_text_in_a_config_is_only_ever_text(runs, capsys, monkeypatch):
    monkeypatch.setenv("SECRET", "opened")
    runs("ab12", CONFIG + "a: ${oc.env:SECRET}\nb: {_target_: os.system, command: x}\n")
    runs("cd34", CONFIG + "a: '[red]x'\n")
    assert "opened" not in json.dumps(as_json(capsys))
    main(["compare"])
    out = capsys.readouterr().out
    assert "${oc.env:SECRET}" in out
    assert "[red]x" in out


def test_a_pipe_in_place_of_a_file_is_not_read(runs, capsys):
    runs("good")
    folder = runs("evil")
    (folder / "config.yaml").unlink()
    os.mkfifo(folder / "config.yaml")
    (reason,) = as_json(capsys)["skipped"].values()
    assert reason == "config.yaml is not a file"


def test_files_are_written_where_they_are_asked_for(runs, tmp_path, capsys):
    runs("ab12")
    main(["compare", "--html", "c.html", "--csv", "c.csv"])
    assert "ab12" in capsys.readouterr().out
    assert "ab12" in (tmp_path / "c.html").read_text()
    (row,) = csv.DictReader((tmp_path / "c.csv").read_text().splitlines())
    assert (row["run"], row["val/accuracy"]) == ("ab12", "0.5")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["nowhere"], "nowhere, which is not there"),
        (["runs/empty"], "python train.py makes one"),
        (["--html", "no/such/folder.html"], "--html must name a file"),
        (["--sort", "val/acuracy"], "val/accuracy"),
    ],
)
def test_what_cannot_be_done_is_said_with_code_2(runs, tmp_path, capsys, words, hint):
    runs("ab12")
    (tmp_path / "runs" / "empty").mkdir()
    with pytest.raises(SystemExit) as left:
        main(["compare", *words])
    assert left.value.code == 2
    assert hint in capsys.readouterr().err


NUMBERS = ("val/rmse", "test/rmse", "baseline/rmse", "best_epoch", "seconds", "num_parameters")
RMSE = MetricInfo(name="rmse", label="RMSE", meaning="", direction="min")
TABLE = Comparison(
    "a.csv", "regression", RMSE, ("model.width", "lr"), NUMBERS, "val/rmse", False, ()
)
WIDTHS = [len(name) for name in TABLE.head]


@pytest.mark.parametrize("room", range(1, 130))
def test_what_is_kept_fits_and_run_and_scores_are_always_kept(room):
    kept = columns_that_fit(TABLE, WIDTHS, room)
    names = [TABLE.head[column] for column in kept]
    assert {"run", "val/rmse", "test/rmse", "baseline/rmse"} <= set(names)
    fits = sum(WIDTHS[column] + GAP for column in kept) - GAP <= room
    assert fits or len(kept) == 4


def test_with_room_for_all_nothing_goes():
    room = sum(WIDTHS) + GAP * len(WIDTHS)
    assert len(columns_that_fit(TABLE, WIDTHS, room)) == len(WIDTHS)
