"""The test rows in; tables of where the network is wrong out: columns, groups and single rows."""

import numpy as np

from kindling.formatting import count, number, percent, quantity
from kindling.report.components import Table
from kindling.report.importance import Importance
from kindling.report.report_data import ReportData
from kindling.report.slices import MIN_ROWS, MIN_SHARE, find_slices

MAX_SLICES, MAX_ERRORS = 12, 10
BY_CHANCE = 0.5  # from here on a group is not worth a line


def slice_table(report_data: ReportData) -> Table | None:
    """List the groups of rows that are worse than the rest; None where chance explains it all."""
    errors, is_regression = report_data.errors, report_data.spec.is_regression
    found = [group for group in find_slices(report_data.cells, errors) if group.chance < BY_CHANCE]
    if not found:
        return None
    write = number if is_regression else percent
    rows = [
        (
            group.column,
            group.values,
            f"{group.num_rows:,}",
            write(group.error),
            percent(group.chance),
        )
        for group in found[:MAX_SLICES]
    ]
    measure = "mean error" if is_regression else "wrong"
    overall = "mean error" if is_regression else "share of wrong rows"
    least = max(MIN_ROWS, int(np.ceil(MIN_SHARE * len(errors))))
    caption = (
        f"Groups of at least {least} test rows; over all {len(errors):,} the {overall} is "
        f"{write(float(errors.mean()))}. By chance: how likely one of all groups that were looked "
        "at would be this bad if none were special; a small number is worth a look."
    )
    head = ("column", "values", "rows", measure, "by chance")
    return Table(
        "Where it is wrong most often" if not is_regression else "Where its errors are largest",
        caption,
        head,
        rows,
        num_words=2,
    )


def error_table(report_data: ReportData) -> Table | None:
    """List the rows of a table that the network is most wrong about; None without any."""
    spec, truth, prediction = report_data.spec, report_data.truth, report_data.prediction
    if spec.is_regression:
        order = np.argsort(-report_data.errors, kind="stable")[:MAX_ERRORS]
        rows = [
            (
                str(report_data.names[k]),
                quantity(float(truth[k])),
                number(prediction[k]),
                number(prediction[k] - truth[k]),
            )
            for k in order
        ]
        caption = "Look at them in your file: an outlier, or a slip of the pen?"
        return Table("Largest errors", caption, ("row", "true", "predicted", "error"), rows)
    said, sure = prediction.argmax(axis=1), prediction.max(axis=1)
    wrong = np.flatnonzero(said != truth)
    order = wrong[np.argsort(-sure[wrong], kind="stable")][:MAX_ERRORS]
    labelled = [
        (str(report_data.names[k]), spec.classes[truth[k]], spec.classes[said[k]], percent(sure[k]))
        for k in order
    ]
    caption = (
        f"Of {count(len(truth), 'test row')}{among(report_data)}, {count(len(wrong), 'is', 'are')} "
        "wrong; the network was surest of these. Look at them in your file: is the label right?"
    )
    head = ("row", "true", "said", "how sure")
    table = Table("Most confident mistakes", caption, head, labelled, num_words=3)
    return table if labelled else None


def importance_table(report_data: ReportData, found: list[Importance]) -> Table:
    """List all columns with what shuffling them did."""
    if report_data.spec.is_regression:
        head: tuple[str, ...] = ("column", "RMSE rises by", "give or take")
        rows: list[tuple[str, ...]] = [
            (i.column, number(i.rise, 3), number(i.spread, 2)) for i in found
        ]
    else:
        head = ("column", "log loss rises by", "give or take", "accuracy falls by")
        rows = [(i.column, number(i.rise, 3), number(i.spread, 2), percent(i.fall)) for i in found]
    return Table("All columns", "", head, rows, num_shown=12, is_wide=False)


def among(report_data: ReportData) -> str:
    """Add to an amount of rows that they are not all."""
    return " that were looked at" if len(report_data.looked) < len(report_data.result.row) else ""


def looked_at(report_data: ReportData) -> str:
    """Say so where not all test rows were looked at one by one."""
    total, looked = len(report_data.result.row), len(report_data.looked)
    return f" {looked:,} of {total:,} test rows were looked at." if looked < total else ""
