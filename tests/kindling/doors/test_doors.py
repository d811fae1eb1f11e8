"""The same raw cells get the same answer, or the same refusal, by whatever door they come."""

import numpy as np
import pandas as pd
import pytest

from kindling.bundle.drift import Drift
from kindling.bundle.streaming import predict_tables
from tests.kindling.doors import doors
from tests.kindling.serve.asking import Asked

# Four examples at once, thirty with the slow tests, three hundred in the nightly ones.
SEEDS = [
    *range(2),
    *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 15)),
    *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(15, 150)),
]
ROWS = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("doors")


@pytest.fixture(scope="module")
def asked(folder):
    return Asked(doors.make_bundle(folder / "bundle"))


@pytest.fixture(scope="module")
def model(asked):
    return asked.model


def agree(answers):
    """Hold the answers of all doors against the first."""
    (first, expected), *others = answers.items()
    for name, answer in others:
        if isinstance(expected, frozenset) or isinstance(answer, frozenset):
            assert answer == expected, f"{name}: {answer}; {first}: {expected}"
        else:
            assert answer == pytest.approx(expected, abs=1e-6), name


def by_every_door(model, asked, folder, columns):
    frame = pd.DataFrame(columns, dtype=object)
    rows = {
        "an Arrow table": doors.arrow(columns),
        "a dict": columns,
        "dicts": frame.to_dict("records"),
        "objects": frame,
        "strings": frame.astype("str").where(frame.notna(), None),
        "Arrow strings": frame.astype("string[pyarrow]"),
        "categories": frame.astype("category"),
        "an array": frame[[column.name for column in model.schema.used]].to_numpy(),
    }
    answers = {
        name: doors.of_python(lambda _, given=given: given)(model, columns)
        for name, given in rows.items()
    }
    answers["predict new.csv"] = doors.by_file(doors.write_csv)(model, columns, folder)
    answers["predict new.parquet"] = doors.by_file(doors.write_parquet)(model, columns, folder)
    answers["evaluate"] = doors.evaluate(model, columns, folder)
    answers["JSON"] = doors.served(doors.ask_json)(asked, columns)
    answers["a CSV that is sent"] = doors.served(
        lambda asked, columns: asked.file(doors.csv_text(columns))
    )(asked, columns)
    answers["the exported program"] = doors.exported(model, columns)
    return answers


@pytest.mark.parametrize("seed", SEEDS)
def test_text_means_the_same_by_every_door(model, asked, folder, seed):
    columns = doors.draw_rows(np.random.default_rng(seed), ROWS, text_only=True)
    agree(by_every_door(model, asked, folder, columns))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_typed_means_the_same_as_its_text(model, asked, seed):
    draw = np.random.default_rng(seed)
    columns = doors.draw_rows(draw, ROWS)
    typed = {n: [doors.retype(c, n, draw) for c in cells] for n, cells in columns.items()}
    no_dates = {n: columns[n] if n in doors.MOMENTS else cells for n, cells in typed.items()}
    frame = pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in typed.items()})
    answers = {
        "text": doors.of_python(doors.arrow)(model, columns),
        "a dict": doors.of_python(lambda _: typed)(model, columns),
        "objects": doors.of_python(lambda _: frame)(model, columns),
        "inferred": doors.of_python(lambda _: frame.infer_objects())(model, columns),
        "nullable": doors.of_python(lambda _: frame.convert_dtypes())(model, columns),
        "dicts": doors.of_python(lambda _: frame.to_dict("records"))(model, columns),
        "read_csv": doors.of_python(doors.typed_by_pandas)(model, columns),
        "JSON": doors.served(doors.ask_json)(asked, no_dates),
        "the exported program": doors.exported(model, typed),
    }
    agree(answers)


def test_the_server_says_as_predict_does_what_the_train_rows_were_not_like(model, asked, folder):
    columns = doors.train_table().slice(0, ROWS).to_pydict()
    columns |= {"town": ["Bonn"] * ROWS, "size": ["1e9"] * ROWS, "hue": ["x"] * ROWS}
    drift = Drift(model.schema, model.spec.target)
    list(predict_tables(model, [doors.write_csv(columns, folder)], 1, drift))
    assert [line.partition(":")[0] for line in drift.lines()] == ["not used", "town", "size"]
    assert asked.file(doors.csv_text(columns)).json()["warnings"] == drift.lines()
    assert doors.ask_json(asked, columns).json()["warnings"] == drift.lines()[1:]
    columns["town"] = ["Bonn" * 10_000] * ROWS
    answer = asked.file(doors.csv_text(columns), headers={"Accept": "text/csv"})
    assert len(answer.headers["X-Warnings"]) < 1000


@pytest.mark.slow
def test_most_rows_are_answered_and_some_are_refused(model):
    """The two tests above would say little if all rows were refused, or none."""
    answers = [
        doors.of_python(doors.arrow)(model, doors.draw_rows(np.random.default_rng(seed), ROWS))
        for seed in range(30)
    ]
    num_refused = sum(isinstance(answer, frozenset) for answer in answers)
    assert 5 <= num_refused <= 25
