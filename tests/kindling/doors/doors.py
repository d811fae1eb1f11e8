"""The doors by which rows reach a model, each as a function of the same raw cells.

A door gives the scores of the rows, or the columns whose cells it refuses.
"""

import datetime
import functools
import io
import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from kindling.bundle.bundle import write_bundle
from kindling.bundle.drift import Drift
from kindling.bundle.evaluation_set import read_evaluation_set
from kindling.bundle.model_config import model_config_of
from kindling.bundle.streaming import predict_tables
from kindling.errors import DataError
from kindling.export.artifact import module_of
from kindling.export.notes import notes_of
from kindling.export.program import UNKNOWN_CODE, codes_of
from kindling.export.raw_cells import read_cell
from kindling.tables.inference import Hints, infer_schema
from kindling.tables.preprocessor import TablePreprocessor
from kindling.types import DataSpec
from project.data.preprocessing import make_transformer
from project.models.mlp import MLP

ROWS = 120
KINDS = {"code": "category", "version": "category", "truth": "category", "day": "category"}
# What the train rows hold, as text; and further cells that new rows may hold.
COLUMNS = {
    "code": (["1", "2", "3", "30"], ["3.0", " 3", "03", "3.", "4", "3.5", "+2", "2.00", "x", "-1"]),
    "zip": (["01067", "10115", "80331"], ["1067", "01067.0", " 10115 ", "99999", "0106 7"]),
    "town": (["Ulm", "Rom", "New York"], [" Ulm", "ulm", "NA", "None", "?", "nan", '"a,b']),
    "version": (["1.0", "1.10", "2.00"], ["1", "2", "2.0", "1.10 ", "3.0"]),
    "truth": (["True", "False"], ["TRUE", "true", " false", "1", "yes"]),
    "day": (
        ["2024-01-02", "2024-01-03"],
        ["2024-01-02 00:00:00", "2024-01-02T00:00:00", "2024-01-04"],
    ),
    "flag": (["TRUE", "FALSE"], ["true", "1", "1.0", "0.0", "yes", "no", "T", "NA", "2", "maybe"]),
    "is_new": (["0", "1"], ["True", "false", "1.0", "0.", "2", "yes", "NA", "inf"]),
    "size": (["1.5", "2.25", "-3", "1e2"], [" 7 ", "+5", ".5", "5.", "1,234.5", "abc", "-"]),
    "price": (["2,5", "12,50", "0,125"], ["1.234,5", "3", "7,", "1,5,5", "n.a.", "1e3"]),
    "when": (
        ["31.01.2024", "01.02.2023", "24.12.2022"],
        ["1.2.2024", "2024-01-31", "32.01.2024", "soon"],
    ),
    "stamp": (
        ["2024-01-31 10:30:00", "2023-12-01 00:00:00", "2020-02-29 23:59:59"],
        ["2024-01-31", "2024-01-31T10:30", "2024-01-31T10:30:00Z", "2024-01-31 10:30:00.123456",
         "2024-01-31T10:30:00+02:00", "20240131", "2024/01/31", "now", "2024-02-30"],
    ),
    "zoned": (
        ["2024-01-31T10:30:00+02:00", "2023-07-01T00:00:00+02:00"],
        ["2024-01-31T10:30:00Z", "2024-01-31 10:30 +0200", "2024-01-31T10:30:00",
         "2024-01-31T10:30:00 PST", "2024-01-31T10:30:00-0930"],
    ),
}  # fmt: skip
GAPS = ["", None, " "]
MOMENTS = ("when", "stamp", "day")
# Cells that pandas makes others of: infinity, 1.1 of 1.10, and a point where a comma is meant.
TEXT_ONLY = {"size": ["1E400"], "version": ["1.1"], "price": ["2.5"]}


def train_table():
    """Make the train rows as a CSV file has them: all text."""
    draw = np.random.default_rng(0)
    columns = {name: draw.choice(cells, ROWS).tolist() for name, (cells, _) in COLUMNS.items()}
    for number, name in enumerate(COLUMNS):
        columns[name][number :: 17 + number] = [""] * len(columns[name][number :: 17 + number])
    return pa.table({name: pa.array(cells, pa.string()) for name, cells in columns.items()})


def make_bundle(folder):
    """Write a bundle of a network that was not trained."""
    table = train_table()
    schema = infer_schema(table, Hints(KINDS))
    preprocessor = TablePreprocessor(make_transformer).fit(schema.cast(table, "train"), schema)
    target = {"problem_type": "binary", "classes": ("a", "b"), "class_counts": (1, 1)}
    spec = DataSpec(target="label", **target, **preprocessor.describe())
    torch.manual_seed(0)
    network = MLP(spec, width=16)
    config = model_config_of(functools.partial(MLP, width=16), network, spec)
    write_bundle(
        folder, model_config=config, network=network, spec=spec, schema=schema,
        preprocessor=preprocessor, batch_size=64, metrics={},
    )  # fmt: skip
    return folder


def draw_rows(draw, rows, *, text_only=False):
    """Draw raw cells: text as it may stand in a file, or None."""
    columns = {}
    for name, (usual, odd) in COLUMNS.items():
        odd = odd + TEXT_ONLY.get(name, []) if text_only else odd
        share = draw.choice([0.0] * 6 + [0.2, 0.5])  # of odd cells: some columns have none
        pools = [usual, odd, GAPS]
        which = draw.choice(3, rows, p=[0.9 - share, share, 0.1])
        columns[name] = [pools[k][draw.integers(len(pools[k]))] for k in which]
    return columns


def retype(text, column, draw):
    """Return a value of Python that says the same as a raw cell, or the cell where none does."""
    if text is None or not text.strip():
        return [None, float("nan"), text][draw.integers(3)]
    bare = text.strip()
    if bare in ("True", "False", "true", "false", "TRUE", "FALSE"):
        values = [bare.lower() == "true"]
        values += [np.bool_(values[0])]
    elif column in MOMENTS:
        values = _moments(bare, column)
    elif column == "price":
        values = _numbers(bare.replace(".", "").replace(",", ".")) if "," in bare else [bare]
    elif column == "version":
        values = [bare]
    elif column == "zip":
        values = _numbers(bare) if bare in ("10115", "01067", "99999") else [bare]
    else:
        values = _numbers(bare)
    return values[draw.integers(len(values))]


def _numbers(text):
    try:
        number = float(text)
    except ValueError:
        return [text]
    if not np.isfinite(number):
        return [text]
    whole = [int(number), Decimal(int(number))] if number % 1 == 0 else []
    return [number, np.float64(number), *whole]


def _moments(text, column):
    pattern = {"when": "%d.%m.%Y", "stamp": "%Y-%m-%d %H:%M:%S", "day": "%Y-%m-%d"}[column]
    try:
        moment = datetime.datetime.strptime(text, pattern)
    except ValueError:
        return [text]
    dates = [moment.date()] if moment.time() == datetime.time() else []
    return [moment, pd.Timestamp(moment), *dates]


def of_python(rows):
    """Return what `Predictor.scores` gives, or the columns that it refuses."""

    def door(model, columns):
        try:
            return model.scores(rows(columns))
        except DataError as error:
            return frozenset(problem.column for problem in error.problems)

    return door


def arrow(columns):
    return pa.table({name: pa.array(cells, pa.string()) for name, cells in columns.items()})


def csv_text(columns):
    return pd.DataFrame(columns, dtype=object).to_csv(index=False)


def by_file(write):
    """Return what `kindling predict FILE` computes."""

    def door(model, columns, folder):
        file = write(columns, folder)
        drift = Drift(model.schema, model.spec.target)
        try:
            tables = list(predict_tables(model, [file], 1, drift))
        except DataError as error:
            return frozenset(problem.column for problem in error.problems)
        table = pa.concat_tables(tables)
        if model.spec.is_regression:
            return table["prediction"].to_numpy()
        return np.column_stack([table[f"prob_{name}"].to_numpy() for name in model.spec.classes])

    return door


def write_csv(columns, folder):
    (folder / "new.csv").write_text(csv_text(columns))
    return folder / "new.csv"


def write_parquet(columns, folder):
    pq.write_table(arrow(columns), folder / "new.parquet")
    return folder / "new.parquet"


def evaluate(model, columns, folder):
    """Return the scores that `kindling evaluate FILE` computes its metrics from."""
    file = write_csv(
        {**columns, "label": (["a", "b"] * len(columns["code"]))[: len(columns["code"])]}, folder
    )
    rows = read_evaluation_set(file, model)
    return of_python(lambda _: rows.rows)(model, columns)


def served(ask):
    """Return what the server answers."""

    def door(asked, columns):
        answer = ask(asked, columns)
        if answer.status_code != 200:
            return frozenset(error["field"] for error in answer.json()["errors"])
        rows = answer.json()["predictions"]
        if asked.model.spec.is_regression:
            return np.array([row["prediction"] for row in rows])
        names = asked.model.spec.classes
        return np.array([[row["probabilities"][name] for name in names] for row in rows])

    return door


def ask_json(asked, columns):
    columns = {n: [None if c != c else c for c in cells] for n, cells in columns.items()}
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    text = json.dumps({"rows": rows}, default=_plain)
    return asked("POST", "/predict", content=text, headers={"Content-Type": "application/json"})


def _plain(value):
    if isinstance(value, Decimal):
        return int(value)
    return value.item()


def exported(model, columns):
    """Feed the program that is exported by the recipe of raw cells alone."""
    notes = json.loads(json.dumps(notes_of(model, network_only=False, is_program=True)))
    refused, raw = set(), []
    for column in notes["columns"]:
        codes = codes_of(tuple(column.get("categories", ())))
        inputs = []
        for cell in columns[column["name"]]:
            try:
                value = read_cell(cell, column)
            except ValueError:
                refused.add(column["name"])
                continue
            inputs.append(codes.get(value, UNKNOWN_CODE) if isinstance(value, str) else value)
        raw.append(inputs)
    if refused:
        return frozenset(refused)
    x = torch.tensor(np.array(raw, dtype=np.float64).T)
    with torch.no_grad():
        return module_of(model, network_only=False)(x).numpy()


def typed_by_pandas(columns):
    """Return what pandas makes of the CSV file, apart from words that it takes for gaps."""
    return pd.read_csv(io.StringIO(csv_text(columns)), keep_default_na=False, na_values=[""])
