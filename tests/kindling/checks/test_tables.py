"""Every fault of a table is found by its code, with its place and what to type."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kindling.codes import CODES, as_markdown
from kindling.errors import DataError
from kindling.fixes import OVERRIDES, speaking
from kindling.tables.formats import read_table
from tests.kindling.bad_tables import CASES, GOOD

pytestmark = pytest.mark.slow  # a table for each check

ROOT = Path(__file__).parents[3]
# Provoked elsewhere: paths and two files below, groups in test_split, images in tests/data.
OTHERS = {
    "D001",
    "D009",
    *("D016", "D017", "D018", "D019", "D308", "D309", "D310"),
    *("D020", "D021", "D022"),  # several files, and stores: tables/
    "D117",
    "D118",
    "D123",
    "D014",
    "D206",
    "D303",
    *(c for c in CODES if c > "D4"),
}


def found_in(build, file, *overrides):
    """Return the problems that refuse the file, or that are noticed in it."""
    target = [] if any("data.target=" in word for word in overrides) else ["data.target=y"]
    try:
        data, _, _ = build("data=table", f"data.path={file}", *target, *overrides)
    except DataError as error:
        return error.problems
    return data.findings


@pytest.mark.parametrize("name", CASES)
def test_the_fault_is_named_with_its_code_its_place_and_the_way_out(name, build, tmp_path):
    case = CASES[name]
    problems = found_in(build, case.make(tmp_path), *case.overrides)
    with speaking(OVERRIDES):
        check(case, problems)


def check(case, problems):
    if not case.code:
        assert [p for p in problems if p.severity != "info"] == []
        return
    named = [p for p in problems if p.code == case.code]
    assert named, [(p.code, p.got) for p in problems]
    assert any(case.place in f"{p.rule} {p.got}" and case.fix in p.do for p in named), named
    assert all(len(f"{p.rule}{p.got}{p.do}") < 700 for p in problems)


def test_the_target_and_the_cells_are_judged_together(build, tmp_path):
    frame = GOOD.astype(object)
    frame.loc[3, "a"], frame.loc[4, "y"] = "x", None
    frame.to_csv(tmp_path / "t.csv", index=False)
    problems = found_in(build, tmp_path / "t.csv")
    assert [p.code for p in problems] == ["D201", "D103"]
    frame.assign(y="one").to_csv(tmp_path / "t.csv", index=False)
    problems = found_in(build, tmp_path / "t.csv")
    assert [p.code for p in problems] == ["D103", "D205"]


def test_bad_cells_are_counted_over_the_whole_file(build, tmp_path):
    rows = 400_000  # several chunks
    a = (np.arange(rows) % 1000 / 8).astype(str).astype(object)
    a[[5, 200_000, 399_999]] = "x"
    pd.DataFrame({"a": a, "y": np.arange(rows) % 2}).to_csv(tmp_path / "t.csv", index=False)
    (problem,) = found_in(build, tmp_path / "t.csv")
    assert problem.got == "'x' in row 5 (counted from 0), 3 such cells in all"


def test_lists_in_a_category_of_the_test_file_are_pointed_at(build, tmp_path):
    GOOD.to_parquet(tmp_path / "train.parquet")
    GOOD.assign(c=[["red"]] * len(GOOD)).to_parquet(tmp_path / "test.parquet")
    words = f"data.test_path={tmp_path / 'test.parquet'}"
    (problem,) = found_in(build, tmp_path / "train.parquet", words)
    assert (problem.code, problem.got[:18]) == ("D103", "['red'] in row 0 (")


def test_what_may_not_be_read_is_named(tmp_path):
    with pytest.raises(DataError) as caught:
        read_table(tmp_path)  # a folder: the system refuses to read it, whoever asks
    (problem,) = caught.value.problems
    assert (problem.code, problem.got) == ("D014", "Is a directory")


def test_rows_that_are_alike_by_chance_are_no_warning(build, tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: rng.choice(list("pqr"), 500) for name in "aby"})
    frame.to_csv(tmp_path / "t.csv", index=False)
    found = {p.code: p for p in found_in(build, tmp_path / "t.csv")}
    assert "D306" in found
    assert "D305" not in found


def test_a_good_table_has_no_warning(build, tmp_path):
    GOOD.to_csv(tmp_path / "good.csv", index=False)
    assert [p for p in found_in(build, tmp_path / "good.csv") if p.severity != "info"] == []


def test_every_code_is_provoked():
    provoked = {case.code for case in CASES.values()} - {""}
    assert provoked | OTHERS == set(CODES)
    assert not provoked & OTHERS


@pytest.mark.parametrize("code", sorted(OTHERS))
def test_what_no_case_provokes_another_test_does(code):
    files = (ROOT / "tests").rglob("test_*.py")
    files = [*files, *(ROOT / "tests" / "kindling").glob("bad_*.py")]
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    assert any(f'"{code}"' in line and '*("D0' not in line for line in lines)


def test_a_group_that_a_test_file_tears_apart(build, tmp_path):
    for name in ("train", "test"):
        GOOD.to_csv(tmp_path / f"{name}.csv", index=False)
    words = [f"data.test_path={tmp_path / 'test.csv'}", "data.group=c"]
    (problem,) = found_in(build, tmp_path / "train.csv", *words)
    assert (problem.code, problem.got[:18]) == ("D303", "3 groups in test a")


def test_categories_and_values_that_only_a_test_file_has_or_lacks(build, tmp_path):
    GOOD.to_csv(tmp_path / "train.csv", index=False)
    GOOD.assign(c="violet", b=None).to_csv(tmp_path / "test.csv", index=False)
    problems = found_in(build, tmp_path / "train.csv", f"data.test_path={tmp_path / 'test.csv'}")
    codes = {p.code: p.got for p in problems}
    assert "1 only in test, such as 'violet', in 120 of 120 cells" in codes["D117"]
    assert codes["D118"] == "none in 120 cells"


def test_a_class_that_only_the_test_file_has(build, tmp_path):
    GOOD.to_csv(tmp_path / "train.csv", index=False)
    GOOD.assign(y="perhaps").to_csv(tmp_path / "test.csv", index=False)
    (problem,) = found_in(build, tmp_path / "train.csv", f"data.test_path={tmp_path / 'test.csv'}")
    assert (problem.code, "'perhaps' only in val or test" in problem.got) == ("D206", True)


def test_a_wrong_path_a_folder_and_the_same_file_twice(build, tmp_path):
    GOOD.to_csv(tmp_path / "good.csv", index=False)
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "godo.csv", tmp_path / "empty"):
        (problem,) = found_in(build, path)
        assert problem.code == "D001"
    (problem,) = found_in(build, tmp_path / "good.csv", f"data.test_path={tmp_path / 'good.csv'}")
    assert problem.code == "D009"


def test_a_noisy_predictor_is_no_leak(build, tmp_path):
    rng = np.random.default_rng(0)
    y = np.where(GOOD.a + 0.3 * rng.normal(size=len(GOOD)) > 0, "yes", "no")
    GOOD.assign(y=y).to_csv(tmp_path / "t.csv", index=False)
    assert "D209" not in {p.code for p in found_in(build, tmp_path / "t.csv")}


def test_several_faults_are_found_at_once(build, tmp_path):
    frame = GOOD.astype(object)
    frame.loc[3, "a"], frame.loc[4, "b"] = "x", "z"
    frame.to_csv(tmp_path / "t.csv", index=False)
    problems = found_in(build, tmp_path / "t.csv")
    assert [p.code for p in problems] == ["D103", "D103"]


def test_the_page_of_checks_is_up_to_date():
    assert (ROOT / "docs/data-checks.md").read_text(encoding="utf-8") == as_markdown()


def test_codes_are_stable_names():
    assert all(re.fullmatch(r"D\d{3}", code) for code in CODES)
    assert list(CODES) == sorted(CODES)


def test_checks_can_be_left_out(build, tmp_path):
    pd.concat([GOOD, GOOD]).to_csv(tmp_path / "t.csv", index=False)
    words = ["data=table", f"data.path={tmp_path / 't.csv'}", "data.target=y"]
    data, _, _ = build(*words, "checks=false")
    assert data.findings == []
