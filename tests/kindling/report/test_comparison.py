"""Compared runs: what differs, gathered over seeds and sorted; as text, JSON, CSV and page."""

import csv
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from markupsafe import escape

from kindling.errors import ConfigError
from kindling.report.comparison import compare
from kindling.report.comparison_output import lines, to_csv, to_html, to_json
from kindling.report.run_folders import read_digests, read_run
from kindling.scoring import infos_to_json, metrics_for
from project.training.metrics import METRICS

SCORES = {"accuracy": 0.5, "log_loss": 0.7}


def recorded(problem_type):
    """Return what metrics.json says of a run's metrics."""
    infos = infos_to_json(metrics_for(METRICS, problem_type))
    return {"problem_type": problem_type, "metrics": json.loads(json.dumps(infos))}


CLASSES, VALUES = recorded("binary"), recorded("regression")


def make(name, val=0.5, *, metrics=None, **settings):
    """Read a run on one table; settings are written with __ for a dot."""
    config = {"seed": 0, "data": {"path": "a.csv", "target": "y"}, "run_dir": f"/runs/{name}"}
    for key, value in settings.items():
        *sections, last = key.split("__")
        node = config
        for section in sections:
            node = node.setdefault(section, {})
        node[last] = value
    results = {"val": SCORES | {"accuracy": val}, "test": SCORES, "seconds": 1.5} | CLASSES
    return read_run(name, f"runs/{name}", config, results | (metrics or {}))


def names(table):
    return [run.name for group in table.groups for run in group.runs]


def test_only_settings_that_differ_are_shown_and_each_once():
    runs = [
        make("a", seed=0, data__seed=0, model__width=64, optimizer__lr=0.1),
        make("b", seed=1, data__seed=1, model__width=128, optimizer__lr=0.1),
    ]
    (table,) = compare(runs)
    assert table.settings == ("seed", "model.width")


def test_two_settings_that_change_together_are_both_shown():
    runs = [make("a", width=64, lr=0.1), make("b", width=128, lr=0.2)]
    assert compare(runs)[0].settings == ("width", "lr")


def test_the_folder_of_a_run_is_no_setting():
    runs = [make(n, callbacks__checkpoint__dirpath=f"/runs/{n}/checkpoints") for n in "ab"]
    (table,) = compare(runs)
    assert table.settings == ()
    assert len(table.groups) == 1


def test_runs_that_differ_in_seed_or_fold_alone_are_gathered_with_mean_and_std():
    values = [0.7, 0.9, 0.8]
    runs = [make(f"s{k}", v, seed=k, data__fold=k) for k, v in enumerate(values)]
    (table,) = compare([*runs, make("other", 0.95, model__width=7)])
    other, group = table.groups
    assert [run.name for run in other.runs] == ["other"]
    assert [run.name for run in group.runs] == ["s1", "s2", "s0"]
    assert group.mean["val/accuracy"] == pytest.approx(np.mean(values))
    assert group.std["val/accuracy"] == pytest.approx(np.std(values, ddof=1))
    assert other.std == {}


def test_a_run_that_was_typed_twice_is_no_second_seed():
    runs = [make("a", 0.8, seed=1), make("b", 0.6, seed=2), make("c", 0.6, seed=2)]
    (table,) = compare(runs)
    (group,) = table.groups
    assert len(group.runs) == 3
    assert group.mean["val/accuracy"] == pytest.approx(0.7)
    assert any("1 run with the settings and scores of another" in note for note in table.notes)
    (group,) = compare(runs[1:])[0].groups
    assert "val/accuracy" not in group.std
    (group,) = compare([*runs[:2], make("d", 0.9, seed=2)])[0].groups
    assert group.mean["val/accuracy"] == pytest.approx(2.3 / 3)  # of other code, or another machine


def test_a_setting_that_older_runs_lack_is_shown_as_empty():
    (table,) = compare([make("old"), make("new", task__smooth=0.1)])
    shown = {line.cells[0].text: line.cells[1].text for (line,) in lines(table)}
    assert table.settings == ("task.smooth",)
    assert shown == {"old": "", "new": "0.1"}


def test_a_class_stands_for_its_section_and_for_the_keys_that_only_it_has():
    runs = [
        make("a", optimizer___target_="torch.optim.AdamW", optimizer__betas=[0.9, 0.99]),
        make("b", optimizer___target_="torch.optim.SGD", optimizer__momentum=0.9),
        make("c", optimizer___target_="torch.optim.SGD", optimizer__momentum=0.9),
    ]
    (table,) = compare(runs)
    assert table.settings == ("optimizer",)
    assert [run.settings["optimizer"] for run in table.groups[0].runs] == ["AdamW"]


def test_regression_and_data_sets_have_tables_of_their_own():
    values = VALUES | {"val": {"rmse": 3.0, "r2": 0.1}, "test": {"rmse": 4.0}}
    runs = [
        make("a"),
        make("b", metrics=values),
        make("c", data__path="b.csv"),
        make("d", data__target="z"),
    ]
    found = [(table.data, table.problem_type, names(table)) for table in compare(runs)]
    assert found == [
        ("a.csv, target y", "binary", ["a"]),
        ("a.csv, target y", "regression", ["b"]),
        ("a.csv, target z", "binary", ["d"]),
        ("b.csv, target y", "binary", ["c"]),
    ]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        (None, ["b", "c", "a"]),  # the largest accuracy on val
        ("val/log_loss", ["c", "b", "a"]),  # the smallest loss
        ("width", ["a", "c", "b"]),
        ("model", ["b", "c", "a"]),
        ("seconds", ["b", "a", "c"]),  # what lacks it comes last
    ],
)
def test_the_best_come_first(sort, order):
    runs = [
        make("a", 0.1, width=9, model="z", metrics={"val": {"accuracy": 0.1, "log_loss": 0.9}}),
        make("b", 0.3, width=100, model="x", metrics={"seconds": 1}),
        make("c", width=10, model="y", metrics={"val": {"accuracy": 0.2, "log_loss": 0.1}}),
    ]
    runs[2].numbers.pop("seconds")
    (table,) = compare(runs, sort)
    assert names(table) == order
    assert table.sorted_by == (sort or "val/accuracy")


def test_small_errors_are_the_best_of_a_regression():
    runs = [
        make(n, metrics=VALUES | {"val": {"rmse": v}, "test": {}})
        for n, v in [("a", 2), ("b", 1), ("c", 3)]
    ]
    assert names(compare(runs)[0]) == ["b", "a", "c"]


def test_a_key_that_no_run_has_is_answered_with_similar_ones():
    with pytest.raises(ConfigError, match="val/log_loss"):
        compare([make("a")], "val/logloss")


def test_the_best_baseline_stands_beside_the_runs():
    baselines = {"dummy": {"accuracy": 0.3}, "linear": {"accuracy": 0.8}, "odd": {"accuracy": None}}
    values = {"dummy": {"rmse": 9.0}, "linear": {"rmse": 2.0}}
    runs = [
        make("a", metrics={"baselines": baselines}),
        make("b", metrics=VALUES | {"val": {"rmse": 1.0}, "test": {}, "baselines": values}),
    ]
    classes, numbers = compare(runs)
    assert classes.groups[0].mean["baseline/accuracy"] == 0.8
    assert numbers.groups[0].mean["baseline/rmse"] == 2.0


@pytest.mark.parametrize(
    "value", [None, True, "0.5", float("nan"), float("inf"), 10**400, [1], {"a": 1}]
)
def test_a_number_that_is_none_is_left_out(value):
    run = make("a", metrics={"seconds": value, "test": {"accuracy": value}})
    assert {"seconds", "test/accuracy"}.isdisjoint(run.numbers)


@pytest.mark.parametrize(
    ("config", "metrics"),
    [([], {}), ({}, []), ({}, {}), ({}, CLASSES | {"val": {"loss": 1.0}}), (None, 3)],
)
def test_what_says_nothing_is_no_run(config, metrics):
    with pytest.raises(ValueError, match=r"config\.yaml|metrics\.json"):
        read_run("a", "a", config, metrics)


def test_json_and_csv_hold_every_run_and_every_number():
    runs = [make("a", 0.4, seed=1), make("b", 0.6, seed=2), make("c", 0.5, width=8)]
    tables = compare(runs)
    written = json.loads(json.dumps(to_json(tables)))
    assert [group["n"] for group in written[0]["groups"]] == [2, 1]
    assert written[0]["groups"][0]["mean"]["val/accuracy"] == pytest.approx(0.5)
    rows = list(csv.DictReader(io.StringIO(to_csv(tables))))
    assert [(row["run"], row["group"], row["seed"]) for row in rows] == [
        ("b", "1", "2"),
        ("a", "1", "1"),
        ("c", "2", "0"),
    ]
    assert {row["test/log_loss"] for row in rows} == {"0.7"}


def test_the_page_holds_every_run_escaped_and_asks_for_nothing():
    evil = "<script>alert(1)</script>\"'&"
    runs = [make(evil, model__width=evil), make("b", data__target=evil), make("c", model__width=3)]
    page = to_html(compare(runs))
    assert page.count("<script>") == 1
    assert evil not in page
    assert str(escape(evil)) in page
    assert not re.search(r"https?:|src=|@import|url\(", page)


def test_what_steers_a_terminal_is_no_part_of_a_name():
    run = make("a", model__width="\x1b[2J\u202eevil\n", **{"x\x07": 1})
    assert run.settings["model.width"] == r"\x1b[2J\u202eevil\n"
    assert run.settings[r"x\x07"] == 1


def own(direction, value, **info):
    """Return what metrics.json holds of a run with an own metric."""
    info = {"label": "made up", "direction": direction} | info
    scores = {"made_up": value, "accuracy": 0.5}
    infos = {"made_up": info} | CLASSES["metrics"]
    return {"metrics": infos, "val": scores, "test": scores, "baselines": {"dummy": scores}}


def test_runs_are_sorted_by_their_own_primary_metric_and_its_recorded_direction():
    for direction, order in (("max", ["b", "a"]), ("min", ["a", "b"])):
        runs = [make(n, metrics=own(direction, v)) for n, v in (("a", 0.1), ("b", 0.9))]
        (table,) = compare(runs)
        assert names(table) == order
        assert table.numbers[:3] == ("val/made_up", "test/made_up", "baseline/made_up")


def test_runs_of_different_primary_metrics_are_not_mixed():
    runs = [make("a"), make("b", metrics=own("max", 0.5)), make("c", metrics=own("min", 0.5))]
    assert sorted(names(table)[0] for table in compare(runs)) == ["a", "b", "c"]


def test_a_run_that_does_not_say_what_its_metrics_are_is_left_out():
    with pytest.raises(ValueError, match="does not say what its metrics are"):
        make("a", metrics={"metrics": None})


@pytest.mark.parametrize("info", [3, None, [], {"digits": 10**9, "range": "x", "label": 5}])
def test_an_odd_description_of_a_metric_is_read_as_far_as_it_can_be(info):
    run = make("a", metrics={"metrics": {"accuracy": info}})
    assert run.metric.name == "accuracy"
    assert run.metric.format(0.5) == "0.500000000"[: 2 + run.metric.digits]


def test_a_description_cannot_steer_a_terminal():
    run = make("a", metrics=own("max", 0.1, label="\x1b[2J"))
    assert run.metric.label == r"\x1b[2J"


def of_rows(run, rows, test, labels="l"):
    return replace(run, rows=rows * 64, test=test * 64, labels=labels * 64)


def test_runs_of_other_rows_are_no_repetitions():
    runs = [
        of_rows(make("a", val=0.5), "1", "a"),
        of_rows(make("b", val=0.9), "2", "b"),  # the same command, other cells
    ]
    (table,) = compare(runs)
    assert [len(group.runs) for group in table.groups] == [1, 1]
    assert table.settings == ("data.rows",)
    assert "runs of other rows are no repetitions" in table.notes[0]
    cells = [line.cells[1].text for group in lines(table) for line in group]
    assert sorted(cells) == ["1111", "2222"]


def test_runs_of_other_labels_are_a_table_of_their_own():
    runs = [of_rows(make("a"), "1", "a"), of_rows(make("b"), "2", "b", labels="m")]
    tables = compare([*runs, of_rows(make("c"), "1", "a")])
    assert sorted(names(table) for table in tables) == [["a", "c"], ["b"]]
    assert len({table.title for table in tables}) == 2
    assert all("a table of their own" in table.notes[0] for table in tables)
    assert json.loads(json.dumps(to_json(tables)))[0]["notes"]


def test_seeds_are_averaged_and_their_own_test_rows_are_said():
    runs = [of_rows(make(str(k), seed=k, data__seed=k), "1", str(k)) for k in range(3)]
    (table,) = compare(runs)
    assert [len(group.runs) for group in table.groups] == [3]
    assert any("tested on rows of its own" in note for note in table.notes)
    # The same seed with another test set is no repetition of it.
    (table,) = compare([*runs, of_rows(make("d", seed=2, data__seed=2), "1", "d")])
    assert sorted(len(group.runs) for group in table.groups) == [1, 1, 1, 1]


def test_equal_rows_need_no_note():
    runs = [of_rows(make("a", width=64), "1", "a"), of_rows(make("b", width=128), "1", "a")]
    (table,) = compare(runs)
    assert table.notes == ()
    (table,) = compare([runs[0], of_rows(make("b", width=128), "1", "b")])
    assert "not all lines were tested on the same rows" in table.notes[0]


def test_what_a_run_says_of_its_data_is_read_as_plain_digests(tmp_path):
    file = tmp_path / "data.json"
    assert read_digests(file) == {}
    whole = {"inputs": "a" * 64, "labels": "b" * 64, "test": "c" * 64, "names": ["x"]}
    file.write_text(json.dumps(whole))
    assert read_digests(file) == {"rows": "a" * 64, "labels": "b" * 64, "test": "c" * 64}
    for broken in ("[]", "3", "{", json.dumps(whole | {"test": "\x1b[2J"}), "{}"):
        file.write_text(broken)
        with pytest.raises(ValueError, match=r"data\.json"):
            read_digests(file)
