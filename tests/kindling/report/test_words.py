import pytest

from kindling.report.formatting import (
    number,
    percent,
    quantity,
    shorten,
    write_interval,
    write_score,
)


@pytest.mark.parametrize(
    ("share", "text"),
    [(1.0, "100 %"), (0.0, "0 %"), (0.9999, ">99.9 %"), (0.0001, "<0.1 %"), (0.76, "76.0 %")],
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


def test_scores_are_written_in_their_own_way():
    assert write_score("accuracy", 0.825) == "82.5 %"
    assert write_score("log_loss", 0.39712) == "0.397"
    assert write_score("unheard_of", None) == "-"
    assert write_interval("accuracy", (0.794, 0.852)) == "79.4 to 85.2 %"


def test_a_name_in_a_figure_is_one_short_line_that_matplotlib_shows():
    assert shorten("a\nb\tc") == "a b c"
    assert len(shorten("x" * 200)) == 22
    assert not shorten("_hidden").startswith("_")
    assert shorten("") == "(empty)"
