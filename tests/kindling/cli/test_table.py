"""What is left of a table where a terminal is narrow."""

import pytest

from kindling.cli.table import GAP, columns_that_fit
from kindling.report.compare import Table
from kindling.report.compare_line import head

NUMBERS = ("val/rmse", "test/rmse", "baseline/rmse", "best_epoch", "seconds", "num_parameters")
TABLE = Table("a.csv", "regression", ("model.width", "lr"), NUMBERS, "val/rmse", ())
WIDTHS = [len(name) for name in head(TABLE)]


@pytest.mark.parametrize("room", range(1, 130))
def test_what_is_kept_fits_and_run_and_scores_are_always_kept(room):
    kept = columns_that_fit(TABLE, WIDTHS, room)
    names = [head(TABLE)[column] for column in kept]
    assert {"run", "val/rmse", "test/rmse", "baseline/rmse"} <= set(names)
    fits = sum(WIDTHS[column] + GAP for column in kept) - GAP <= room
    assert fits or len(kept) == 4


def test_with_room_for_all_nothing_goes():
    room = sum(WIDTHS) + GAP * len(WIDTHS)
    assert len(columns_that_fit(TABLE, WIDTHS, room)) == len(WIDTHS)
