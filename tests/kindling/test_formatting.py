import subprocess
import sys

import pytest

from kindling.formatting import first_few, inert, number, percent, quantity, shorten, shown


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (1.0, "100 %"),
        (0.0, "0 %"),
        (0.9999, ">99.9 %"),
        (0.0001, "<0.1 %"),
        (0.76, "76.0 %"),
        (-0.0001, "-<0.1 %"),
        (-0.2, "-20.0 %"),
    ],
)
def test_all_and_none_are_told_from_nearly(share, text):
    assert percent(share) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (23312.4, "23,312"),
        (0.041234, "0.04123"),
        (0.0, "0"),
        (float("nan"), "-"),
        (-3e-7, "-3.000e-07"),
    ],
)
def test_a_number_has_the_digits_that_count(value, text):
    assert number(value) == text


def test_a_users_own_value_is_written_as_it_would_be_by_hand():
    assert [quantity(v) for v in (2009.0, 19.0, 0.5, 1350.0)] == ["2,009", "19", "0.5", "1,350"]


def test_a_name_in_a_figure_is_one_short_line_that_matplotlib_shows():
    assert shorten("a\nb\tc") == "a b c"
    assert len(shorten("x" * 200)) == 22
    assert not shorten("_hidden").startswith("_")
    assert shorten("") == "(empty)"


def test_a_long_list_is_cut_and_says_how_many_more_there_are():
    assert first_few("abc") == "a, b, c"
    assert first_few("abcdefg", 3) == "a, b, c and 4 more"
    assert first_few("ab", 2, total=1_500, noun="columns") == "a, b and 1,498 more columns"
    assert first_few(["no x", "no y", "no z"], 2, separator="; ") == "no x; no y and 1 more"
    assert first_few([]) == ""


def test_a_long_cell_is_cut():
    assert shown("a") == "'a'"
    assert len(shown("x" * 1000)) == 80


def test_formatting_is_imported_without_torch_or_matplotlib():
    heavy = "{'torch', 'matplotlib', 'numpy'} & set(sys.modules)"
    code = f"import sys, kindling.formatting; sys.exit(str({heavy} or ''))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "\t=1", "-1e"])
def test_a_formula_is_made_inert(text):
    assert inert(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "-", "+", "-1", "+1.5", "-.5e-3", "a=b", "1-2", "'=1"])
def test_what_is_no_formula_stays(text):
    assert inert(text) == text
