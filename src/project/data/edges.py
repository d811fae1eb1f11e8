"""Cut the range of numbers into bins, for networks that bend at their edges."""

import numpy as np

# Of a number: distinct values that are edges each, more where each may have many rows, such as the
# days of a year in 200,000 flights; else quantiles. Of all together: edges, and cells to sort.
MOST_VALUES, MOST_OF_MANY_ROWS, ROWS_OF_EACH, QUANTILES = 128, 512, 100, 32
MOST_EDGES, MOST_CELLS = 20_000, 2_000_000
SAME = 1e-6  # of the range: closer edges are one


def find_edges(x: np.ndarray, train: np.ndarray, num_numbers: int) -> tuple[tuple[float, ...], ...]:
    """Cut the range of each number into bins, for networks that bend at their edges.

    Of few distinct values each is an edge. Of many, quantiles of the rows are; and quantiles of the
    distinct values, so that values which only few rows have get edges, too: nine in ten rows of a
    column such as capital gains may be 0.

    Args:
        x: float32 (N, F + C), rows as a network takes them.
        train: int64, which of them are train rows.
        num_numbers: F.

    Returns:
        For each number ascending edges, two or more.
    """
    step = 1 + len(train) * num_numbers // MOST_CELLS
    numbers = x[train[::step], :num_numbers]
    most = min(max(MOST_VALUES, len(train) // ROWS_OF_EACH), MOST_OF_MANY_ROWS)
    most = max(4, min(most, MOST_EDGES // max(1, num_numbers)))
    return tuple(_edges_of(column, most) for column in numbers.T)


def _edges_of(values: np.ndarray, most: int) -> tuple[float, ...]:
    ordered = np.sort(values)
    edges = distinct = ordered[np.diff(ordered, prepend=-np.inf) > 0]
    if len(distinct) > most:
        at = np.linspace(0, 1, min(QUANTILES, most // 2))
        of_both = [some[np.rint(at * (len(some) - 1)).astype(int)] for some in (ordered, distinct)]
        edges = np.unique(np.concatenate(of_both))
    is_apart = np.diff(edges, prepend=-np.inf) > SAME * (edges[-1] - edges[0])
    edges = edges[is_apart].tolist()
    return tuple(edges) if len(edges) > 1 else (edges[0], edges[0] + 1.0)
