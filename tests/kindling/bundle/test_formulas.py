"""Text of the user's that a spreadsheet would run as a formula stands behind a ' in every CSV."""

import io

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from kindling.cli.command_line import main
from tests.kindling.serve.asking import Asked

pytestmark = pytest.mark.slow  # a whole training

LABELS = ["=1+1", "@SUM(A1)", "-ve", "+", "-1.5"]
WRITTEN = ["'=1+1", "'@SUM(A1)", "'-ve", "+", "-1.5"]


@pytest.fixture(scope="module")
def trained(train, tmp_path_factory):
    file = tmp_path_factory.mktemp("formulas") / "new.csv"
    x = np.arange(100)
    frame = pd.DataFrame({"x": x + x % 5 * 1000, "y": [LABELS[k % 5] for k in x]})
    frame.to_csv(file, index=False)
    words = [f"data.path={file}", "data.target=y", "data.task=classification", "data.batch_size=8"]
    return train("data=table", *words, "trainer.max_epochs=30"), file


def test_the_runs_own_predictions_are_guarded_and_evaluated(trained, capsys):
    run, _ = trained
    table = pd.read_csv(run / "predictions.csv", dtype=str, keep_default_na=False)
    assert set(table.truth) <= set(WRITTEN)
    assert set(table.truth) & {"'=1+1", "'@SUM(A1)", "'-ve"}
    main(["evaluate", str(run)])
    assert "accuracy" in capsys.readouterr().out


def test_a_file_of_predictions_is_guarded_and_says_so(trained, tmp_path, capsys):
    run, file = trained
    for suffix in (".csv", ".parquet"):
        main(["predict", str(run), str(file), "-o", str(tmp_path / f"p{suffix}")])
    told = capsys.readouterr().err
    assert told.count("in CSV a ' stands before '-ve', '=1+1', '@SUM(A1)'") == 1
    written = pd.read_csv(tmp_path / "p.csv", dtype=str).prediction
    plain = pq.read_table(tmp_path / "p.parquet")["prediction"].to_pylist()
    assert set(plain) == set(LABELS)
    assert written.tolist() == [WRITTEN[LABELS.index(label)] for label in plain]


def test_the_servers_csv_is_guarded_and_its_json_is_not(trained):
    run, file = trained
    asked = Asked(run)
    plain = asked.file(file.read_bytes()).json()["predictions"]
    text = asked.file(file.read_bytes(), headers={"Accept": "text/csv"}).text
    written = pd.read_csv(io.StringIO(text), dtype=str).prediction
    assert written.tolist() == [WRITTEN[LABELS.index(row["prediction"])] for row in plain]
