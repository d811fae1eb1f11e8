"""The index of a pandas DataFrame as columns, as its Parquet file or Arrow table keeps it.

pandas writes an index with a name as one more column, a counting one as its start, stop and step,
and one without a name under a name of its own making. Those with names are columns; the others are
left out, and said to be.
"""

import re
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

MADE_UP = re.compile(r"__index_level_\d+__")  # pandas' name of an index that has none


@dataclass(frozen=True)
class KeptIndex:
    """What the metadata of an Arrow schema say of the index.

    Args:
        unnamed: columns of the schema that are an index without a name.
        ranges: name and numbers of an index that counts; it is no column of the schema.
        others: likewise, of an index that does not fit: the rows have become fewer or more.
    """

    unnamed: tuple[str, ...] = ()
    ranges: tuple[tuple[str, range], ...] = ()
    others: tuple[tuple[str, range], ...] = ()

    def with_ranges(self, table: pa.Table, start: int = 0) -> pa.Table:
        """Append the counting indices to rows that begin at this number."""
        for name, numbers in self.ranges:
            some = numbers[start : start + len(table)]
            table = table.append_column(name, pa.array(some, pa.int64()))
        return table


def kept_index(schema: pa.Schema, num_rows: int) -> KeptIndex:
    """Read what pandas says of the index in the metadata of an Arrow schema.

    Args:
        schema: of a Parquet file or an Arrow table.
        num_rows: of it.
    """
    levels: list[Any] = (schema.pandas_metadata or {}).get("index_columns", [])
    stored = [level for level in levels if isinstance(level, str) and level in schema.names]
    ranges = [
        (str(level["name"]), _numbers(level))
        for level in levels
        if isinstance(level, dict) and level.get("name") is not None
    ]
    ranges = [(name, numbers) for name, numbers in ranges if name not in schema.names]
    return KeptIndex(
        unnamed=tuple(name for name in stored if MADE_UP.fullmatch(name)),
        ranges=tuple((name, some) for name, some in ranges if len(some) == num_rows),
        others=tuple((name, some) for name, some in ranges if len(some) != num_rows),
    )


def _numbers(level: dict[str, Any]) -> range:
    """Return the numbers of a counting index; none where the metadata are not as pandas' own."""
    ends = [level.get(key) for key in ("start", "stop", "step")]
    is_right = level.get("kind") == "range" and all(type(end) is int for end in ends) and ends[2]
    return range(*ends) if is_right else range(0)  # type: ignore[arg-type]


def named_levels(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the parts of a DataFrame's index that have a name, beside those of its columns."""
    taken = {str(name) for name in frame}
    return {
        str(name): pd.Series(frame.index.get_level_values(number))
        for number, name in enumerate(frame.index.names)
        if name is not None and str(name) not in taken
    }
