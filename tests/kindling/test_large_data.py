"""docs/large-data.md and its folder: what is shown writes what Kindling reads; commands run."""

import re
import shlex
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from kindling.checks.overview import inspect_table
from kindling.tables.csv_dialect import AUTO
from kindling.tables.table_file import TableFile
from tests.kindling.pages import ROOT, read_pages
from tests.kindling.stores import s3  # noqa: F401  (a fixture)

PAGE = read_pages("large-data")
POLARS, DUCKDB = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
BLOCKS = re.findall(r"```\n((?:python|kindling).*?)```", PAGE, re.DOTALL)
COMMANDS = [line.partition("  #")[0] for block in BLOCKS for line in block.splitlines()]
SMALL = ("trainer.max_epochs=1", "model=mlp", "report=false", "baselines=false")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Lay the two raw tables of the page into a folder, and work there."""
    rng, rows = np.random.default_rng(0), 600
    monkeypatch.chdir(tmp_path)
    customers = {"customer": np.arange(40), "town": rng.choice(["Ulm", "Rom", "Ys"], 40)}
    customers["since"] = rng.integers(1990, 2025, 40)
    pd.DataFrame(customers).to_csv("customers.csv", index=False)
    days = np.datetime64("2025-01-01") + rng.permutation(rows).astype("m8[D]")
    orders = {"customer": rng.integers(0, 40, rows), "day": days}
    orders["amount"] = rng.gamma(2, 30, rows).round(2) - 1
    orders["paid"] = np.where(orders["amount"] + rng.normal(0, 20, rows) > 60, "late", "soon")
    pd.DataFrame(orders).to_csv("orders.csv", index=False)
    return tmp_path


def run_python(script):
    subprocess.run([sys.executable, "-c", script], check=True, timeout=300)


def as_pandas():
    table = TableFile("joined", AUTO, may_hold=True).table.to_pandas()
    return table.assign(day=table.day.astype(str).str[:10])


@pytest.mark.slow
def test_polars_and_duckdb_write_the_same_rows_and_kindling_reads_them(place):
    run_python(POLARS)
    one = as_pandas()
    (place / "joined").rename(place / "of_polars")
    run_python(DUCKDB)
    two = as_pandas()
    pd.testing.assert_frame_equal(one, two[one.columns])
    orders = pd.read_csv("orders.csv").sort_values("day")
    orders = orders[orders.amount > 0]
    spent = orders.groupby("customer").amount.cumsum() - orders.amount
    assert two.spent.to_numpy() == pytest.approx(spent.to_numpy(), abs=1e-6)
    found = inspect_table("joined", "paid", time="day", ignore=["customer"])
    assert not found.has_errors


@pytest.mark.nightly
def test_every_command_of_the_pages_runs(place, s3, monkeypatch):  # noqa: F811
    run_python(DUCKDB)
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{ROOT / 'src'}")  # as if conf/ lay here
    for file in (place / "joined").iterdir():
        s3.objects[f"joined/{file.name}"] = file.read_bytes()
    assert len(COMMANDS) >= 9
    ways = {
        "python": [sys.executable, str(ROOT / "train.py")],
        "kindling": [sys.executable, "-m", "kindling"],
    }
    for command in COMMANDS:
        name, *words = shlex.split(command)
        words = [*words[1:], *SMALL] if name == "python" else words
        done = subprocess.run(
            [*ways[name], *words], capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
