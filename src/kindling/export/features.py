"""Compute in torch the features that `TableSchema.cast` makes of columns: parts of a date, gaps.

They stand in an exported file, so they must give the very bits of the schema.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float64
from torch import Tensor, nn

from kindling.tables.preprocessor import TablePreprocessor
from kindling.tables.schema import TableSchema

MAX_DAYS = 106751.0  # from 1970; pandas holds moments from 1677 to 2262
# Tensors, because torch.onnx (2.13) rounds Python's numbers to float32, even beside float64.
MS_PER_DAY, MS_PER_HOUR = (
    torch.tensor(number, dtype=torch.float64) for number in (86_400e3, 3600e3)
)


class Features(nn.Module):
    """Columns in the order of the schema to features in the order of the network.

    Args:
        schema: which features each column becomes.
        preprocessor: in which order the network takes them.
    """

    source: Tensor

    def __init__(self, schema: TableSchema, preprocessor: TablePreprocessor) -> None:
        super().__init__()
        made = {
            feature: (number, part)
            for number, column in enumerate(schema.used)
            for feature, part in zip(column.features, PARTS_OF[column.column_type], strict=False)
        }
        features = [made[name] for name in (*preprocessor.numbers_, *preprocessor.categories_)]
        self.register_buffer("source", torch.tensor([number for number, _ in features]))
        self.parts = sorted({part for _, part in features} - {"itself"})
        for wanted in self.parts:
            is_part = torch.tensor([part == wanted for _, part in features])
            self.register_buffer(f"is_{wanted}", is_part)  # (F + C,)

    def forward(self, columns: Float64[Tensor, "batch columns"]) -> Tensor:
        given = features = columns.index_select(1, self.source)  # (B, columns) -> (B, F + C)
        for part in self.parts:
            is_part = self.get_buffer(f"is_{part}")
            features = torch.where(is_part, COMPUTE[part](given), features)
        return features


def missing(values: Tensor) -> Tensor:
    """Return 1 where a value is missing, else 0."""
    return (~values.isfinite()).double()


def weekday(days: Tensor) -> Tensor:
    """Return 0 for Monday; the first of January 1970 was a Thursday."""
    day, _ = day_and_ms(days)
    return day + 3 - 7 * ((day + 3) / 7).floor()


def year_and_month(days: Tensor) -> tuple[Tensor, Tensor]:
    """Count years that begin in March, so that a leap day is the last (Hinnant, "chrono").

    In float64, which has NaN for a missing day and is exact for whole numbers of this size.
    """
    day = day_and_ms(days)[0] + 719468  # since the first of March of the year 0
    era = (day / 146097).floor()  # of 400 years
    of_era = day - era * 146097
    leap_days = (of_era / 1460).floor() - (of_era / 36524).floor() + (of_era / 146096).floor()
    years = ((of_era - leap_days) / 365).floor()
    of_year = of_era - (365 * years + (years / 4).floor() - (years / 100).floor())
    since_march = ((5 * of_year + 2) / 153).floor()
    month = torch.where(since_march < 10, since_march + 3, since_march - 9)
    return years + era * 400 + (month <= 2).double(), month


def day_and_ms(days: Tensor) -> tuple[Tensor, Tensor]:
    """Split days since 1970 into whole days and milliseconds, as the schema does."""
    ms = (days * MS_PER_DAY).round()
    day = (ms / MS_PER_DAY).floor()
    return day, ms - day * MS_PER_DAY


COMPUTE: dict[str, Callable[[Tensor], Tensor]] = {
    "missing": missing,
    "year": lambda days: year_and_month(days)[0],
    "month": lambda days: year_and_month(days)[1],
    "weekday": weekday,
    "hour": lambda days: (day_and_ms(days)[1] / MS_PER_HOUR).floor(),
}
# In the order of `Column.features`, which may have fewer.
PARTS_OF = {
    "number": ("itself", "missing"),
    "boolean": ("itself",),
    "category": ("itself",),
    "date": ("itself", "year", "month", "weekday", "hour"),
}
