"""What raw columns or images are, as the train rows showed them: plain values, kept with a model."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

ColumnKind = Literal["number", "boolean", "category", "id", "constant", "text", "empty"]
Fit = Literal["pad", "crop", "stretch"]
USED: tuple[ColumnKind, ...] = ("number", "boolean", "category")  # the others are left out


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Args:
        name: as in the user's file.
        kind: what it is taken for; "id", "constant", "text" and "empty" are left out.
        why: the reason, in words for a person.
        num_missing: train rows without a value.
        low, high: least and largest number of the train rows; None for other kinds.
        is_whole: whether all numbers of the train rows are whole.
        levels: a category's levels in the order of their codes.
    """

    name: str
    kind: ColumnKind
    why: str = ""
    num_missing: int = 0
    low: float | None = None
    high: float | None = None
    is_whole: bool = False
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableSchema:
    """The columns of a table, in the order of the file, without the target."""

    columns: tuple[Column, ...]

    @property
    def used(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.kind in USED)


@dataclass(frozen=True)
class ImageSchema:
    """How any image file becomes uint8 (channels, height, width).

    Args:
        channels: 1 (grey) or 3 (colour).
        height, width: in pixels.
        fit: what becomes of another shape: "pad" and "crop" keep it, "stretch" does not.
        background: red, green and blue (0 to 255) behind transparent pixels and in the padding.
    """

    channels: int
    height: int
    width: int
    fit: Fit = "pad"
    background: tuple[int, int, int] = (255, 255, 255)


def schema_to_json(schema: TableSchema | ImageSchema) -> dict[str, Any]:
    """Return plain values; a table is told from images by its key `columns`."""
    return asdict(schema)
