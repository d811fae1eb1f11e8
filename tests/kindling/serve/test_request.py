"""What does not fit is refused, and said: which field, which row, what it must be."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.kindling.serve.asking import PENGUIN, TABLE, errors, png


@pytest.mark.parametrize(
    ("column", "value", "word"),
    [
        ("bill_length_mm", "abc", "a number"),
        ("bill_length_mm", True, "a number"),
        ("bill_length_mm", [1], "a number"),
        ("island", [1.5], "text"),
        ("island", {}, "text"),
    ],
)
def test_a_cell_that_does_not_fit_is_refused_by_row_and_field(penguins, column, value, word):
    (error,) = errors(penguins.rows(PENGUIN, {**PENGUIN, column: value}))
    assert (error["field"], error["row"]) == (column, 1)
    assert word in error["message"]


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("bill_length_mm", [39.1, "39.1", " 39.10 ", "3.91e1"]),
        ("bill_length_mm", [None, "", "NA", " n.a. "]),
        ("year", [2007, 2007.0, "2007", "2007.0"]),
        ("island", ["Biscoe", " Biscoe "]),
        ("island", ["1.5", 1.5]),
        ("island", [True, "Atlantis"]),
    ],
)
def test_json_and_csv_say_the_same_of_a_cell_however_it_is_typed(penguins, column, cells):
    rows = [{**PENGUIN, column: cell} for cell in cells]
    (first, *others), from_csv = (
        answer.json()["predictions"]
        for answer in (
            penguins.rows(*rows),
            penguins.file(pd.DataFrame(rows).to_csv(index=False)),
        )
    )
    assert all(other == first for other in others)
    assert from_csv == [first, *others]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_a_number_that_is_none_is_refused(penguins, number):
    body = json.dumps({"rows": [PENGUIN]}).replace("39.1", number)
    answer = penguins(
        "POST", "/predict", content=body, headers={"Content-Type": "application/json"}
    )
    assert errors(answer)[0]["message"].startswith("must be a number") or "JSON" in answer.text


def test_a_number_beyond_all_measure_gets_no_answer_rather_than_a_wrong_one(penguins):
    (error,) = errors(penguins.rows(PENGUIN, {**PENGUIN, "bill_length_mm": 1e300}))
    assert error["row"] == 1
    assert error["field"] == "bill_length_mm"


def test_a_column_that_is_left_out_is_named_and_one_too_many_passed_over(penguins):
    less = {name: value for name, value in PENGUIN.items() if name != "island"}
    (error,) = errors(penguins.rows(less))
    assert error["field"] == "island"
    assert penguins.rows({**PENGUIN, "colour": "white"}).status_code == 200


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b"null", b'{"rows": []}', b'{"rows": 1}', b"\xff", b"[" * 9999]
)
def test_a_body_that_is_no_list_of_rows_is_refused(penguins, body):
    answer = penguins(
        "POST", "/predict", content=body, headers={"Content-Type": "application/json"}
    )
    assert "JSON" in errors(answer)[0]["message"]


def test_a_file_that_does_not_fit_is_refused_by_field_without_a_path(penguins):
    renamed = TABLE.head().rename(columns={"island": "iland"}).to_csv(index=False)
    wrong = (
        TABLE.head().astype({"year": str}).replace({"year": {"2007": "old"}}).to_csv(index=False)
    )
    for content, field in ((renamed, "island"), (wrong, "year")):
        (error,) = errors(penguins.file(content))
        assert error["field"] == field
        assert "/" not in error["message"]
    (row,) = np.flatnonzero(TABLE.head().year == 2007)[:1].tolist()
    assert error["row"] == row
    for content in (b"", b"a,b\n1\n", b"\x00\x01\x02", b"species\n", png(0)):
        assert "/" not in errors(penguins.file(content))[0]["message"]


def test_what_is_wrong_with_a_file_is_answered_with_what_helps_a_client(penguins):
    content = TABLE.to_csv(index=False).encode()
    late = content + 20 * content.partition(b"\n")[2] + b"\xe9\n"
    wrong = content.replace(b"2007", b"old")
    for bad, fix in (
        (content + b"1,2\n", "correct them"),
        (content + b'1,"2\n3\n', "close it"),
        (late, "save it as UTF-8"),
        (wrong, "correct the cells or empty them"),
    ):
        (error,) = errors(penguins.file(bad))
        assert error["message"].endswith(f"; {fix}")


def test_a_damaged_image_is_refused_by_its_name(digits):
    files = [("file", ("good.png", png(1))), ("file", ("bad.png", png(1)[:40]))]
    (error,) = errors(digits("POST", "/predict", files=files))
    assert error["field"] == "bad.png"
    assert "data." not in error["message"]


def damage(content, rng):
    """Change, drop or add a few bytes."""
    damaged = bytearray(content)
    for _ in range(rng.integers(1, 6)):
        place = rng.integers(len(damaged))
        if rng.random() < 0.5:
            damaged[place] = rng.integers(256)
        else:
            more = [b"", b'"', b"\n", b",", b";", b"\x00", b"\xff\xfe"][rng.integers(7)]
            damaged[place : place + rng.integers(9)] = more
    return bytes(damaged) or b"0"


@pytest.mark.parametrize("kind", ["json", "csv", "png"])
def test_no_damaged_body_is_a_fault_of_ours(penguins, digits, kind):
    rng = np.random.default_rng(0)
    sound = {
        "json": json.dumps({"rows": [PENGUIN]}).encode(),
        "csv": TABLE.head().to_csv(index=False).encode(),
        "png": png(9),
    }[kind]
    for _ in range(60):
        body = damage(sound, rng)
        if kind == "json":
            as_json = {"Content-Type": "application/json"}
            answer = penguins("POST", "/predict", content=body, headers=as_json)
        else:
            answer = (digits if kind == "png" else penguins).file(body)
        assert answer.status_code in (200, 413, 415, 422), body
        assert "Traceback" not in answer.text
