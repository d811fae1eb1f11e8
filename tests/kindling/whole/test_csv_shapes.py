"""Files as other programs write them: every door reads the same rows, and names what is none."""

import io

import numpy as np
import pandas as pd
import pytest

from kindling.cli.command_line import main
from tests.kindling.bundle.conftest import train
from tests.kindling.serve.asking import Asked

pytestmark = pytest.mark.slow  # whole runs

__all__ = ["train"]
RNG = np.random.default_rng(0)
FRAME = pd.DataFrame({"a": RNG.normal(size=80).round(3), "town": RNG.choice(["Ulm", "Rom"], 80)})
FRAME["y"] = np.where(FRAME.a > 0, "large", "small")


def plain(**how):
    return FRAME.to_csv(index=False, **how)


def with_units():
    header, rest = plain().split("\n", 1)
    return f"{header}\nmm,,\n{rest}"


# name -> (content, whether something is to be said of it)
SHAPES = {
    "plain": (plain(), False),
    "titles": ("Report\n\nof,us\n\n" + plain(), True),
    "Excel": ("sep=;\n" + plain(sep=";"), False),
    "comments": ("# made by a logger\n" + plain(), True),
    "units": (with_units(), True),
    "blanks": (plain(sep="|").replace("|", "   "), False),
    "index": (FRAME.to_csv(), False),
    "utf-16": (plain().encode("utf-16"), False),
    "R": (FRAME.set_axis(range(1, 81)).to_csv(sep=" ").removeprefix('""').lstrip(), True),
}


@pytest.fixture(scope="module")
def runs(train, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shapes")
    (folder / "plain.csv").write_text(plain())
    (folder / "bare.csv").write_text(plain(header=False))
    words = ("data=table", "model.width=4", "trainer.max_epochs=1")
    return (
        folder,
        train(*words, f"data.path={folder}/plain.csv", "data.target=y"),
        train(*words, f"data.path={folder}/bare.csv", "data.target=column_3"),
    )


def predict(capfd, *words):
    capfd.readouterr()
    main(["predict", *map(str, words)])
    told = capfd.readouterr()
    return pd.read_csv(io.StringIO(told.out)), told.err


@pytest.mark.parametrize("name", SHAPES)
def test_every_door_reads_the_same_rows(runs, name, capfd):
    folder, run, _ = runs
    content, is_told = SHAPES[name]
    content = content.encode() if isinstance(content, str) else content
    (folder / "new.csv").write_bytes(content)
    expected, _ = predict(capfd, run, folder / "plain.csv")
    answer, told = predict(capfd, run, folder / "new.csv")
    pd.testing.assert_frame_equal(answer, expected)
    assert tells_of_lines(told) == is_told
    main(["evaluate", str(run), str(folder / "new.csv")])
    shown = capfd.readouterr()
    assert "80 rows" in shown.out
    assert tells_of_lines(shown.err) == is_told

    asked = Asked(run)
    sent = {"content": content, "headers": {"Content-Type": "text/csv"}}
    served = asked("POST", "/predict", **sent).json()
    assert [row["prediction"] for row in served["predictions"]] == expected.prediction.tolist()
    assert tells_of_lines(" ".join(served.get("warnings", []))) == is_told
    sent["headers"]["Accept"] = "text/csv"
    answer = asked("POST", "/predict", **sent)
    assert answer.text.count("\n") == 81
    assert tells_of_lines(answer.headers.get("X-Warnings", "")) == is_told


def tells_of_lines(text):
    return "left out" in text or "one name fewer" in text


def test_rows_without_a_header_are_known_by_their_place_in_files_of_one_width(runs, capfd):
    folder, _, run = runs
    (folder / "new.csv").write_text(plain(header=False))
    by_place, told = predict(capfd, run, folder / "new.csv")
    assert "they are called column_1, column_2, column_3" in told
    named = FRAME[["town", "a"]].set_axis(["column_2", "column_1"], axis=1)
    named.to_csv(folder / "new.csv", index=False)  # without the target, in another order
    by_name, _ = predict(capfd, run, folder / "new.csv")
    pd.testing.assert_frame_equal(by_name, by_place)
    FRAME[["town", "a"]].to_csv(folder / "new.csv", index=False, header=False)
    with pytest.raises(SystemExit, match="3"):
        predict(capfd, run, folder / "new.csv")
    assert "must have 3 columns" in capfd.readouterr().err


def test_a_number_of_lines_typed_for_a_training_drops_no_row_of_other_files(train, tmp_path, capfd):
    (tmp_path / "t.csv").write_text("x,y,z\n" + with_units())
    words = ("data=table", "data.target=y", "model.width=4", "trainer.max_epochs=1")
    typed = ("data.csv.skip=1", "data.csv.units=1")
    run = train(*words, *typed, f"data.path={tmp_path}/t.csv")
    (tmp_path / "new.csv").write_text(plain())
    answer, told = predict(capfd, run, tmp_path / "new.csv")
    assert len(answer) == 80
    assert "left out" not in told
    answer, told = predict(capfd, run, tmp_path / "t.csv")
    assert len(answer) == 80
    assert told.count("left out") == 2
