"""`kindling predict` writes a prediction for each row of its files, in their order."""

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from kindling import load
from kindling.cli.command_line import main
from kindling.runs import BUNDLE_FOLDER, NO_BUNDLE_FILE
from kindling.tables import csv_reader

pytestmark = pytest.mark.slow  # whole runs

PENGUINS = Path(__file__).parents[3] / "data" / "penguins.csv"
PROBS = ["prob_Adelie", "prob_Chinstrap", "prob_Gentoo"]


@pytest.fixture
def predict(capfdbinary):
    """Run the command in this process; return what it printed."""

    def type_in(*words):
        capfdbinary.readouterr()
        main(["predict", *map(str, words)])
        return capfdbinary.readouterr().out

    return type_in


@pytest.fixture
def refused(capfdbinary):
    """Return the exit code and what was said."""

    def type_in(*words):
        with pytest.raises(SystemExit) as stop:
            main(["predict", *map(str, words)])
        _, err = capfdbinary.readouterr()
        return stop.value.code, err.decode()

    return type_in


@pytest.fixture
def pictures(tmp_path):
    """Write twelve digits as PNG in two folders."""
    for number, image in enumerate(load_digits().images[:12]):
        file = tmp_path / "pictures" / f"{number % 2}" / f"{number:02}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.rint(image * (255 / 16)).astype(np.uint8)).save(file)
    return tmp_path / "pictures"


ODD = {"separator": "/", "encoding": "cp1252", "quote": "'"}  # which nothing would guess
ROWS = pd.DataFrame(
    {
        "size": [f"{k},{k * 7 % 10}" for k in range(60)],
        "price": [("5 €", "9/10 €", "7 £")[k % 3] for k in range(60)],
        "label": [("yes", "no", "no")[k % 3] for k in range(60)],
    }
)


def write_odd(file, rows=ROWS, *, encoding="cp1252"):
    rows.to_csv(file, index=False, sep="/", encoding=encoding, quotechar="'")
    return file


@pytest.fixture(scope="session")
def odd_run(train, tmp_path_factory):
    """A run on a file whose dialect was set by hand."""
    file = write_odd(tmp_path_factory.mktemp("odd") / "odd.csv")
    words = [f"data.csv.{key}={value!r}" for key, value in ODD.items()]
    words[-1] = """data.csv.quote="'\""""
    return train("data=table", f"data.path={file}", "data.target=label", *words)


def test_new_rows_are_read_as_the_user_set_for_the_train_rows(odd_run, tmp_path, capfdbinary):
    main(["predict", str(odd_run), str(write_odd(tmp_path / "new.csv"))])
    out, err = capfdbinary.readouterr()
    assert b"price" not in err  # no level is unknown
    table = pd.read_csv(io.BytesIO(out))
    assert table.prediction.tolist() == load(odd_run).predict(ROWS).tolist()


def test_a_new_file_may_be_written_otherwise(predict, odd_run, tmp_path):
    expected = predict(odd_run, write_odd(tmp_path / "new.csv"))
    ROWS.to_csv(tmp_path / "usual.csv", index=False)
    ROWS.to_parquet(tmp_path / "usual.parquet")
    assert predict(odd_run, tmp_path / "usual.csv") == expected
    assert predict(odd_run, tmp_path / "usual.parquet") == expected


def test_how_a_file_is_written_can_be_typed(predict, odd_run, tmp_path):
    expected = predict(odd_run, write_odd(tmp_path / "new.csv"))
    ROWS.to_csv(tmp_path / "tabs.csv", index=False, sep="\t", encoding="utf-16", quotechar="'")
    words = ["--csv", r"separator=\t", "--csv", "encoding=utf-16", tmp_path / "tabs.csv"]
    assert predict(odd_run, *words) == expected


def test_what_is_wrong_with_a_file_is_answered_with_what_helps_here(
    refused, penguins_run, tmp_path
):
    sound = pd.read_csv(PENGUINS).to_csv(index=False).encode()
    bad = {
        "long": (sound + b"1,2\n", "--csv separator="),
        "open": (sound + b'1,"2\n3\n', "--csv 'quote=^'"),
        "late": (sound + 20 * sound.partition(b"\n")[2] + b"\xe9\n", "--csv encoding=latin-1"),
        "words": (sound.replace(b"2007", b"old"), "correct the cells or empty them"),
    }
    for name, (content, fix) in bad.items():
        (tmp_path / f"{name}.csv").write_bytes(content)
        code, said = refused(penguins_run, tmp_path / f"{name}.csv")
        assert code == 3
        assert fix in said.replace("\n", " ")
        assert "data." not in said


def test_a_table_gets_the_predictions_of_the_run_in_the_order_of_its_rows(predict, penguins_run):
    table = pd.read_csv(io.BytesIO(predict(penguins_run, PENGUINS)))
    assert [*table] == ["row", "prediction", *PROBS]
    assert table.row.tolist() == list(range(344))
    expected = pd.read_csv(penguins_run / "predictions.csv")
    found = table.iloc[expected.row]
    assert found.prediction.tolist() == expected.prediction.tolist()
    assert np.abs(found[PROBS].to_numpy() - expected[PROBS].to_numpy()).max() < 1e-6


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_file_holds_what_is_printed(predict, penguins_run, tmp_path, suffix):
    printed = pd.read_csv(io.BytesIO(predict(penguins_run, PENGUINS)))
    assert predict(penguins_run, PENGUINS, "-o", tmp_path / f"out{suffix}") == b""
    read = pd.read_csv if suffix == ".csv" else pd.read_parquet
    written = read(tmp_path / f"out{suffix}")
    assert written.prediction.tolist() == printed.prediction.tolist()
    assert (written[PROBS] == printed[PROBS]).all(axis=None)
    assert [file.name for file in tmp_path.iterdir()] == [f"out{suffix}"]


def test_json_is_a_list_of_rows_or_what_was_done(predict, penguins_run, tmp_path):
    rows = json.loads(predict(penguins_run, PENGUINS, "--json"))
    assert len(rows) == 344
    assert set(rows[0]) == {"row", "prediction", *PROBS}
    done = json.loads(predict(penguins_run, PENGUINS, "--json", "-o", tmp_path / "out.csv"))
    assert done["rows"] == 344


def test_a_regression_has_a_prediction_alone(predict, weight_run):
    table = pd.read_csv(io.BytesIO(predict(weight_run, PENGUINS)))
    assert [*table] == ["row", "prediction"]
    assert table.prediction.between(2000, 7000).all()


def test_several_tables_are_told_apart(predict, penguins_run, tmp_path):
    frame = pd.read_csv(PENGUINS)
    frame[:3].to_csv(tmp_path / "a.csv", index=False)
    frame[3:5].to_parquet(tmp_path / "b.parquet")
    table = pd.read_csv(io.BytesIO(predict(penguins_run, tmp_path)))
    assert table.file.tolist() == [str(tmp_path / "a.csv")] * 3 + [str(tmp_path / "b.parquet")] * 2
    assert table.row.tolist() == [0, 1, 2, 0, 1]


def test_columns_that_are_kept_stand_as_they_were_behind_the_row(
    predict, penguins_run, tmp_path, monkeypatch
):
    monkeypatch.setattr(csv_reader, "BLOCK_BYTES", 1000)
    frame = pd.read_csv(PENGUINS)
    ids = [f"{k:03}" for k in range(344)]
    frame.assign(id=ids, ring=range(344)).to_csv(tmp_path / "ids.csv", index=False)
    printed = predict(penguins_run, tmp_path / "ids.csv", "--keep", "id", "--keep", "species")
    table = pd.read_csv(io.BytesIO(printed), dtype={"id": str}, keep_default_na=False)
    assert [*table] == ["row", "id", "species", "prediction", *PROBS]
    assert table.id.tolist() == ids
    assert table.species.tolist() == frame.species.tolist()
    assert table.prediction.tolist() == load(penguins_run).predict(frame).tolist()


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".json"])
def test_what_is_kept_has_its_type_of_one_file_and_is_text_of_several(
    predict, penguins_run, tmp_path, suffix
):
    frame = pd.read_csv(PENGUINS)[:3].assign(id=[7, 8, 9], day=pd.Timestamp("2026-01-31"))
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_csv(tmp_path / "b.csv", index=False)
    out = tmp_path / "out" / f"rows{suffix}"
    out.parent.mkdir()

    def kept(*files):
        words = [penguins_run, *files, "--keep", "id", "--keep", "day"]
        if suffix == ".json":
            return pd.DataFrame(json.loads(predict(*words, "--json")))
        predict(*words, "-o", out)
        return pd.read_csv(out) if suffix == ".csv" else pd.read_parquet(out)

    assert kept(tmp_path / "a.parquet").id.tolist() == [7, 8, 9]
    both = kept(tmp_path / "a.parquet", tmp_path / "b.csv")
    assert both.id.astype(str).tolist() == ["7", "8", "9"] * 2
    assert both.day.str.startswith("2026-01-31").all()


def test_what_is_kept_and_would_be_run_by_a_spreadsheet_is_named(
    penguins_run, tmp_path, capfdbinary
):
    frame = pd.read_csv(PENGUINS)[4:6].assign(id=["=1+1", "a"])
    frame.to_csv(tmp_path / "ids.csv", index=False)
    main(["predict", str(penguins_run), str(tmp_path / "ids.csv"), "--keep", "id"])
    out, err = capfdbinary.readouterr()
    assert out.splitlines()[1].startswith(b"0,'=1+1,")
    assert b"in CSV a ' stands before '=1+1'" in err


def test_what_cannot_be_kept_is_refused(refused, penguins_run, digits_run, pictures, tmp_path):
    code, said = refused(penguins_run, PENGUINS, "--keep", "idd")
    assert code == 3
    assert "a column 'idd' to keep must be in each file" in said
    code, said = refused(digits_run, pictures, "--keep", "id")
    assert code == 2
    assert "their names are in the column file" in " ".join(said.split())
    code, said = refused(penguins_run, PENGUINS, "--keep", "prob_Adelie")
    assert code == 2
    assert "rename it in the file" in said
    nested = pd.read_csv(PENGUINS)[:2].assign(id=[[1], [2]])
    nested.to_parquet(tmp_path / "nested.parquet")
    code, said = refused(penguins_run, tmp_path / "nested.parquet", "--keep", "id")
    assert code == 3
    assert "numbers, texts, dates or booleans" in said


def test_many_chunks_are_one_table(predict, penguins_run, monkeypatch):
    whole = pd.read_csv(io.BytesIO(predict(penguins_run, PENGUINS)))
    monkeypatch.setattr(csv_reader, "BLOCK_BYTES", 1000)
    parts = pd.read_csv(io.BytesIO(predict(penguins_run, PENGUINS)))
    assert parts.row.tolist() == whole.row.tolist()
    assert np.abs(parts[PROBS] - whole[PROBS]).max(axis=None) < 1e-6


def test_a_header_alone_gets_a_header_alone(predict, penguins_run, tmp_path):
    pd.read_csv(PENGUINS)[:0].to_csv(tmp_path / "none.csv", index=False)
    printed = predict(penguins_run, tmp_path / "none.csv").decode()
    assert printed == f"row,prediction,{','.join(PROBS)}\n"
    assert json.loads(predict(penguins_run, tmp_path / "none.csv", "--json")) == []


def test_labels_with_commas_and_quotes_are_quoted(predict, train, table_csv):
    labels = ["tall, thin", 'so "called"']
    frame = pd.read_csv(table_csv).drop(columns="price").assign(label=labels * 32)
    frame.to_csv(table_csv, index=False)
    run = train("data=table", f"data.path={table_csv}", "data.target=label")
    table = pd.read_csv(io.BytesIO(predict(run, table_csv)))
    assert set(table.prediction) <= set(labels)
    assert [*table][2:] == [f"prob_{name}" for name in sorted(labels)]


def test_images_of_folders_patterns_and_files_come_in_that_order(predict, digits_run, pictures):
    words = [f"{pictures}/1/*.png", pictures / "0", pictures / "1" / "03.png"]
    table = pd.read_csv(io.BytesIO(predict(digits_run, *words)))
    names = [f"1/{n:02}.png" for n in range(1, 12, 2)] + [f"0/{n:02}.png" for n in range(0, 12, 2)]
    assert table.file.tolist() == [str(pictures / name) for name in [*names, "1/03.png"]]
    pixels = np.rint(load_digits().images[[1, 3, 5]] * (255 / 16)).astype(np.uint8)[:, None]
    assert table.prediction[:3].tolist() == load(digits_run).predict(pixels).tolist()


def test_an_older_file_stays_until_the_new_one_is_whole(refused, penguins_run, tmp_path):
    (tmp_path / "out.csv").write_text("precious")
    (tmp_path / "bad.csv").write_text("island,sex\nBiscoe,male\n")
    code, said = refused(penguins_run, tmp_path / "bad.csv", "-o", tmp_path / "out.csv")
    assert code == 3
    assert "a column 'bill_length_mm' must be in" in said
    assert (tmp_path / "out.csv").read_text() == "precious"
    assert len([*tmp_path.iterdir()]) == 2


def test_a_cell_that_does_not_fit_is_named_by_its_row_in_the_file(
    refused, penguins_run, tmp_path, monkeypatch
):
    monkeypatch.setattr(csv_reader, "BLOCK_BYTES", 1000)
    frame = pd.read_csv(PENGUINS).astype({"body_mass_g": object})
    frame.loc[300, "body_mass_g"] = "heavy"
    frame.to_csv(tmp_path / "bad.csv", index=False)
    code, said = refused(penguins_run, tmp_path / "bad.csv")
    assert code == 3
    assert "'heavy' in row 300" in said


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["{csv}", "-o", "out.txt"], 2, "predictions are written as .csv or .parquet"),
        (["{csv}", "-o", "no/such/out.csv"], 2, "type mkdir -p no/such"),
        (["nowhere.csv"], 3, "nothing at nowhere.csv"),
        (["nowhere/**"], 3, "nothing at nowhere/**"),
        (["a**b"], 3, "nothing at a**b"),
        (["{tmp}"], 3, "no tables in"),
        (["nowhere.csv", "neither.csv"], 3, "2 problems"),
        (["{csv}", "--device", "cuda:99"], 2, "type --device cpu"),
        (["{csv}", "--csv", "encoding=base64"], 2, "--csv encoding must be auto, or a name"),
        (["{csv}", "--csv", "seperator=;"], 2, "--csv takes separator=, encoding=, quote="),
    ],
)
def test_what_cannot_be_done_is_refused(refused, penguins_run, tmp_path, words, code, message):
    words = [word.format(csv=PENGUINS, tmp=tmp_path) for word in words]
    found, said = refused(penguins_run, *words)
    assert found == code
    assert message in said


def test_predictions_do_not_replace_their_rows(refused, penguins_run, tmp_path):
    file = tmp_path / "rows.csv"
    file.write_bytes(PENGUINS.read_bytes())
    code, said = refused(penguins_run, tmp_path / "*.csv", "-o", file)
    assert code == 3
    assert "must not replace what they are made from" in said
    assert file.read_bytes() == PENGUINS.read_bytes()


@pytest.mark.slow
def test_a_reader_that_leaves_early_is_no_fault(penguins_run):
    command = "from kindling.cli.command_line import main; main()"
    words = [sys.executable, "-c", command, "predict", str(penguins_run), str(PENGUINS)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_nothing_but_rows_is_printed_where_nobody_looks(penguins_run, tmp_path, capfdbinary):
    pd.read_csv(PENGUINS)[4:5].to_csv(tmp_path / "usual.csv", index=False)
    main(["predict", str(penguins_run), str(tmp_path / "usual.csv")])
    out, err = capfdbinary.readouterr()
    assert err == b""
    assert out.count(b"\n") == 2


def test_what_was_odd_is_said_once_behind_the_rows(penguins_run, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(csv_reader, "BLOCK_BYTES", 1000)
    frame = pd.read_csv(PENGUINS).assign(colour="black")
    frame.loc[[5, 300], "island"] = "Atlantis"
    frame.loc[7, "bill_length_mm"] = 500
    frame.to_csv(tmp_path / "odd.csv", index=False)
    main(["predict", str(penguins_run), str(tmp_path / "odd.csv"), "-o", str(tmp_path / "o.csv")])
    said = capfd.readouterr().err.splitlines()
    assert said[0] == "not used: colour"
    assert said[1].startswith("island: categories that the train rows did not have in 2 rows: 'Atl")
    assert said[2].endswith("as the train rows had it: from 32.1 to 500")
    assert len([line for line in said if line.startswith(("not used", "island"))]) == 2


def test_a_run_without_a_bundle_says_why_as_it_has_recorded(refused, penguins_run, tmp_path):
    folder = shutil.copytree(penguins_run, tmp_path / "run")
    shutil.rmtree(folder / BUNDLE_FOLDER)
    reason = {"got": "a network that no project registers", "fix": "register it"}
    (folder / NO_BUNDLE_FILE).write_text(json.dumps(reason))
    code, said = refused(folder, PENGUINS)
    assert code == 2
    assert f"{folder}: a network that no project registers" in said.replace("\n", "")
    assert "register it; then train again" in said
