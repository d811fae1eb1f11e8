"""True and predicted classes of the test rows in, tables out."""

import numpy as np
from sklearn.metrics import confusion_matrix

from kindling.formatting import count, number, percent
from kindling.report.components import Table
from kindling.types import DataSpec

MAX_CONFUSIONS = 10


def class_table(spec: DataSpec, truth: np.ndarray, predicted: np.ndarray) -> Table:
    """Score every class on its own, the worst first."""
    counts = confusion_matrix(truth, predicted, labels=range(spec.num_classes))
    rows = []
    for k, name in enumerate(spec.classes):
        real, said, hits = int(counts[k].sum()), int(counts[:, k].sum()), int(counts[k, k])
        f1 = 2 * hits / (real + said) if real + said else float("nan")
        cells = (
            name,
            f"{spec.class_counts[k]:,}",
            f"{real:,}",
            percent(hits / real) if real else "-",
            percent(hits / said) if said else "-",
            number(f1, 3),
        )
        rows.append((f1 if real else 2.0, cells))
    return Table(
        "Each class on its own, the worst first",
        "Found: how many of its test rows are given this class (recall). Right finds: how many of "
        "the rows that are given this class have it (precision). F1 is a mean of the two; 1 is "
        "best. A dash: no such rows.",
        (spec.target, "train rows", "test rows", "found", "right finds", "F1"),
        [cells for _, cells in sorted(rows, key=lambda row: row[0])],
    )


def confusion_table(spec: DataSpec, truth: np.ndarray, predicted: np.ndarray) -> Table | None:
    """List the most frequent mistakes; None without any."""
    counts = confusion_matrix(truth, predicted, labels=range(spec.num_classes))
    totals = counts.sum(axis=1)
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:MAX_CONFUSIONS]
    places = [divmod(int(place), spec.num_classes) for place in order]
    rows = [
        (
            spec.classes[real],
            spec.classes[said],
            f"{counts[real, said]:,}",
            percent(counts[real, said] / totals[real]),
        )
        for real, said in places
        if counts[real, said]
    ]
    caption = f"Of {count(len(truth), 'test row')}, {count(int(counts.sum()), 'is', 'are')} wrong."
    head = ("true", "said", "rows", "share of the true class")
    return Table("Most frequent mistakes", caption, head, rows, num_words=2) if rows else None
