"""Turn the cells of a Python or pandas column into Arrow, so that none changes what another means.

Arrow alone takes True among floats for 1.0, a time of the day from behind a date, 5 beside a
duration for 5 microseconds, and reads a moment without a zone in that of its neighbours.
"""

import datetime
import numbers
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from kindling.tables.column_types import EXACT
from kindling.tables.schema import Column

KINDS: tuple[tuple[str, tuple[type, ...]], ...] = (  # the first that fits
    ("text", (str,)),
    ("boolean", (bool, np.bool_)),
    ("duration", (datetime.timedelta, np.timedelta64)),
    ("number", (numbers.Number, Decimal)),  # numpy's are numbers, too
    ("moment", (datetime.datetime, np.datetime64)),
    ("date", (datetime.date,)),
)


def to_arrow(cells: Any, column: Column | None) -> pa.Array:
    """Return one Arrow array; cells of several kinds become text, each as its column is written.

    Args:
        cells: a list, a numpy array, a Series or an Arrow array, of one axis.
        column: what they should be; None where the model does not know.
    """
    is_python = isinstance(cells, list | tuple) or getattr(cells, "dtype", "") == np.dtype(object)
    if is_python and _are_mixed(cells):
        return _as_text(cells, column)
    try:
        return pa.array(cells, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):  # such as an integer beyond 64 bits
        return _as_text(cells, column)


def _are_mixed(cells: Any) -> bool:
    types = {type(cell) for cell in cells} - {type(None)}
    if types <= {str} or types <= {int} or types <= {float} or types <= {bool}:
        return False  # the usual case, and quick
    return len({kind_of(cell) for cell in cells} - {None}) > 1


def kind_of(cell: Any) -> str | None:
    """Say what a cell is, apart from how it is stored; None where it is missing."""
    if is_missing(cell):
        return None
    kind = next((name for name, types in KINDS if isinstance(cell, types)), type(cell).__name__)
    return f"{kind} of a zone" if getattr(cell, "tzinfo", None) is not None else kind


def is_missing(cell: Any) -> bool:
    """Say whether a cell is None or one of the values that are not equal to themselves."""
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return True
    return isinstance(cell, (float, Decimal, np.generic)) and bool(cell != cell)


def _as_text(cells: Any, column: Column | None) -> pa.Array:
    written = [None if is_missing(cell) else write(cell, column) for cell in cells]
    return pa.array(written, pa.string())


def write(cell: Any, column: Column | None) -> str:
    """Write a cell as it would stand in a file whose columns are written as the train rows were."""
    kind = kind_of(cell)
    if kind == "number" and not isinstance(cell, numbers.Integral):
        if cell % 1 == 0 and abs(cell) <= EXACT:
            return str(int(cell))
        decimal = column.decimal if column and column.column_type == "number" else "."
        # With an exponent 1.234 has one reading where no decimal sign was ever seen.
        return str(cell).replace(".", decimal) if decimal else f"{float(cell):e}"
    if kind in ("moment", "date") and column is not None and "%" in column.pattern:
        moment = pd.Timestamp(cell)
        text = moment.strftime(column.pattern)
        if pd.to_datetime(text, format=column.pattern) == moment:  # nothing of it is lost
            return text
    return str(cell)
