"""predict and evaluate tell which files they leave out, and read labels as a training does."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from kindling.cli.command_line import main

pytestmark = pytest.mark.slow  # a whole run

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


@pytest.fixture
def digits(tmp_path):
    """Write twenty digits into class folders, with files beside them that are no images."""
    images, y = load_digits(return_X_y=True)
    for number in range(20):
        file = tmp_path / "digits" / str(y[number]) / f"{number:02}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.rint(images[number].reshape(8, 8) * (255 / 16)).astype(np.uint8)
        Image.fromarray(pixels).save(file)
    return tmp_path / "digits"


@pytest.fixture
def table(digits):
    """Write a table of labels; return a function that writes it with other columns."""
    files = sorted(digits.rglob("*.png"))
    labels = {
        "file": [file.relative_to(digits.parent).as_posix() for file in files],
        "label": [file.parent.name for file in files],
    }

    def write(**columns):
        frame = pd.DataFrame({**labels, **columns})
        frame.to_csv(digits.parent / "labels.csv", index=False)
        return digits.parent / "labels.csv"

    return write


@pytest.fixture
def run(capfd, digits_run):
    """Run a command on the model of digits; return the exit code, what it printed and said."""

    def type_in(command, *words):
        code = 0
        try:
            main([command, str(digits_run), *map(str, words)])
        except SystemExit as stop:
            code = stop.code
        printed = capfd.readouterr()
        return code, printed.out, printed.err

    return type_in


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_files_that_are_left_out_are_counted_by_their_endings(run, digits, command):
    for k in range(3):
        (digits / "1" / f"{k}.unknown").write_bytes(HEIC)
    (digits / "1" / "Thumbs.db").write_bytes(b"none")
    code, _, err = run(command, digits)
    assert code == 0
    assert "left out: 3 .unknown; save the HEIC images as JPEG" in err


def test_a_folder_of_other_files_alone_is_told_what_they_are(run, tmp_path):
    (tmp_path / "1.unknown").write_bytes(HEIC)
    code, _, err = run("predict", tmp_path)
    assert (code, "1 .unknown" in err, "save the HEIC images as JPEG" in err) == (3, True, True)


def test_images_outside_of_class_folders_are_told(run, digits):
    (digits / "1" / "01.png").rename(digits / "01.png")
    code, out, err = run("evaluate", digits, "--json")
    assert (code, json.loads(out)["rows"]) == (0, 19)
    assert "left out: 1 image outside of class folders, such as 01.png" in err


def test_masks_are_told_and_left_out_by_a_pattern(run, digits):
    for file in sorted(digits.rglob("*.png")):
        Image.new("L", (8, 8)).save(file.with_name(f"{file.stem}_mask.png"))
    code, _, err = run("evaluate", digits)
    assert (code, "type --ignore '*_mask*'" in err) == (0, True)
    code, out, err = run("evaluate", digits, "--ignore", "*_mask*", "--json")
    assert (code, json.loads(out)["rows"], err) == (0, 20, "")
    code, out, _ = run("predict", digits, "--ignore", "*_mask*")
    assert (code, len(pd.read_csv(io.StringIO(out)))) == (0, 20)
    code, _, err = run("predict", digits, "--ignore", "*.bmp")
    assert (code, "--ignore must name files" in err) == (3, True)


def scores(run, *words):
    code, out, err = run("evaluate", *words, "--json")
    assert code == 0, err
    return json.loads(out)["scores"], err


def test_a_table_of_labels_is_read_as_in_a_training(run, digits, table):
    same, _ = scores(run, digits)
    file = table()
    names = pd.read_csv(file, dtype=str)
    shown = {
        "as seen from the table": names.file,
        "without folder and ending": names.file.str[-6:-4],
        "as on another machine": "C:\\x\\digits\\" + names.file.str[7:].str.replace("/", "\\"),
    }
    for how, written in shown.items():
        words = ["--images", digits] if how != "as seen from the table" else []
        assert scores(run, table(file=written), *words)[0] == pytest.approx(same), how
    flags = pd.get_dummies(names.label).astype(int)
    one_hot = pd.concat([names.file, flags], axis=1)
    one_hot.to_csv(file, index=False)
    assert scores(run, file)[0] == pytest.approx(same)


def test_a_column_that_splits_the_rows_is_told_to_have_no_use_here(run, table):
    _, err = scores(run, table(split=["train", "test"] * 10))
    assert "the column split is not used: all rows are scored" in err


def test_names_that_may_be_two_images_are_refused(run, digits, table):
    file = digits / "1" / "01.png"
    Image.open(file).save(file.with_suffix(".bmp"))
    names = pd.read_csv(table(), dtype=str).file.str.removesuffix(".png")
    code, _, err = run("evaluate", table(file=names))
    assert (code, "digits/1/01 may be 1/01.bmp or 1/01.png" in err) == (3, True)


@pytest.mark.parametrize("words", [["--images", "x"], ["--ignore", "x"]])
def test_options_without_a_use_are_refused(run, digits, words):
    code, _, err = run("evaluate", *words)
    assert (code, f"{words[0]} is for a FILE that names images" in err) == (2, True)
    code, _, err = run("evaluate", digits, "--images", digits)
    assert (code, "--images is for a FILE that names images" in err) == (2, True)
