"""Weak spots: groups of test rows, classes and single rows that the network is worst at.

Every column is cut into groups (slices): the categories of a category, quarters of a number.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.stats import hypergeom, norm

from kindling.formatting import count, number, percent, quantity
from kindling.report.classification import class_table, confusion_table
from kindling.report.components import Block, PageSection, Table
from kindling.report.report_data import ReportData

MIN_ROWS, MIN_SHARE = 10, 0.02  # of the test rows; a smaller group says nothing
MAX_CATEGORIES = 50  # of a column; the most frequent ones
QUARTERS = 4
MAX_SLICES, MAX_ERRORS = 12, 10  # in a table
BY_CHANCE = 0.5  # from here on a group is not worth a line


@dataclass(frozen=True)
class Slice:
    """One group of test rows.

    Args:
        column, values: what the rows have in common.
        num_rows: how many they are.
        error: their mean error: a share of wrong rows, or a size in the target's unit.
        chance: how likely one of all groups looked at is this bad if none is special.
    """

    column: str
    values: str
    num_rows: int
    error: float
    chance: float


def weak_section(data: ReportData) -> PageSection:
    """Show where it is wrong."""
    blocks: list[Block | None] = []
    if not data.spec.is_regression:
        truth, predicted = data.result.truth, data.result.code
        blocks += [
            class_table(data.spec, truth, predicted),
            confusion_table(data.spec, truth, predicted),
        ]
    slices = slice_table(data)
    blocks.append(slices)
    if not data.has_images or data.why_no_images:  # images are shown in a gallery instead
        blocks.append(error_table(data))
    intro = "" if slices else "No group of rows is worse than chance alone would make it."
    if len(data.examined) <= MIN_ROWS:
        intro = "Too few test rows to tell groups of them apart."
    total, examined = len(data.result.row), len(data.examined)
    if examined < total:
        intro += f" {examined:,} of {total:,} test rows were looked at."
    return PageSection("weak", "Where it is weak", intro, [block for block in blocks if block])


def slice_table(data: ReportData) -> Table | None:
    """List the groups of rows that are worse than the rest; None where chance explains it all."""
    errors, is_regression = data.errors, data.spec.is_regression
    found = [group for group in find_slices(data.columns, errors) if group.chance < BY_CHANCE]
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
    overall = "mean error" if is_regression else "share of wrong rows"
    least = max(MIN_ROWS, int(np.ceil(MIN_SHARE * len(errors))))
    caption = (
        f"Groups of at least {least} test rows; over all {len(errors):,} the {overall} is "
        f"{write(float(errors.mean()))}. By chance: how likely one of all groups that were looked "
        "at would be this bad if none were special; a small number is worth a look."
    )
    title = "Where its errors are largest" if is_regression else "Where it is wrong most often"
    head = ("column", "values", "rows", "mean error" if is_regression else "wrong", "by chance")
    return Table(title, caption, head, rows, num_text=2)


def error_table(data: ReportData) -> Table | None:
    """List the rows that the network is most wrong about; None without any."""
    spec, truth, prediction = data.spec, data.truth, data.prediction
    if spec.is_regression:
        order = np.argsort(-data.errors, kind="stable")[:MAX_ERRORS]
        values = [(data.sample_ids[k], float(truth[k]), float(prediction[k])) for k in order]
        rows = [(str(i), quantity(t), number(p), number(p - t)) for i, t, p in values]
        caption = "Look at them in your file: an outlier, or a slip of the pen?"
        return Table("Largest errors", caption, ("row", "true", "predicted", "error"), rows)
    predicted = data.code
    sure = prediction[np.arange(len(predicted)), predicted]
    wrong = np.flatnonzero(predicted != truth)
    if not len(wrong):
        return None
    order = wrong[np.argsort(-sure[wrong], kind="stable")][:MAX_ERRORS]
    names = [(spec.classes[truth[k]], spec.classes[predicted[k]]) for k in order]
    labelled = [
        (str(data.sample_ids[k]), *pair, percent(sure[k]))
        for k, pair in zip(order, names, strict=True)
    ]
    among = " that were looked at" if len(data.examined) < len(data.result.row) else ""
    caption = (
        f"Of {count(len(truth), 'test row')}{among}, {count(len(wrong), 'is', 'are')} "
        "wrong; the network was surest of these. Look at them in your file: is the label right?"
    )
    head = ("row", "true", "predicted", "how sure")
    return Table("Most confident mistakes", caption, head, labelled, num_text=3)


def find_slices(columns: Mapping[str, np.ndarray], errors: np.ndarray) -> list[Slice]:
    """Return all groups that are large enough and worse than the rest, the surest first.

    Args:
        columns: N numbers or days (nan is missing) or strings ("" is missing) each.
        errors: (N,), 0 or 1 for right or wrong, or the size of an error.
    """
    least = max(MIN_ROWS, MIN_SHARE * len(errors))
    groups = [
        (column, values, rows)
        for column, cells in columns.items()
        for values, rows in split_column(cells)
        if least <= rows.sum() < len(errors)
    ]
    overall = errors.mean() if len(errors) else 0.0
    found = []
    for column, values, rows in groups:
        error = float(errors[rows].mean())
        if error > overall:
            # Bonferroni: the more groups are looked at, the likelier is a bad one by chance.
            chance = min(1.0, len(groups) * chance_of(errors, rows))
            found.append(Slice(column, values, int(rows.sum()), error, chance))
    return sorted(found, key=lambda group: (group.chance, -group.error))


def split_column(cells: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield groups of rows: by category, or quarters of the rows by a number or day."""
    if cells.dtype.kind not in "fM":
        categories, codes, counts = np.unique(cells, return_inverse=True, return_counts=True)
        for code in np.argsort(-counts, kind="stable")[:MAX_CATEGORIES]:
            yield str(categories[code]) or "(missing)", codes == code
        return
    missing = np.isnan(cells) if cells.dtype.kind == "f" else np.isnat(cells)
    write = quantity if cells.dtype.kind == "f" else str
    known = np.unique(cells[~missing])
    if len(known) <= QUARTERS:
        for value in known:
            yield write(value), cells == value
    else:
        ordered = np.sort(cells[~missing])
        places = np.linspace(0, len(ordered) - 1, QUARTERS + 1).astype(int)
        edges = np.unique(ordered[places])
        for place, (low, high) in enumerate(pairwise(edges)):
            above = cells >= low if place == 0 else cells > low
            word = "" if place == 0 else "above "
            yield f"{word}{write(low)} to {write(high)}", above & (cells <= high)
    if missing.any():
        yield "(missing)", missing


def chance_of(errors: np.ndarray, rows: np.ndarray) -> float:
    """Return how likely as many random rows are as bad: exact for right or wrong."""
    total, size, inside = len(errors), int(rows.sum()), errors[rows]
    if np.isin(errors, (0.0, 1.0)).all():
        return float(hypergeom.sf(inside.sum() - 1, total, errors.sum(), size))
    # Drawn without replacement, the mean of many rows varies less.
    std = errors.std() * np.sqrt((total - size) / (size * max(total - 1, 1)))
    return float(norm.sf((inside.mean() - errors.mean()) / std)) if std > 0 else 1.0
