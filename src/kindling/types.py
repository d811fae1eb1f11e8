"""What crosses between rooms: a batch of tensors, and the description of the data.

Shapes: B batch, F numbers, C categorical columns, K classes, D hidden width, H W image size.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from jaxtyping import Float32, Int64, Shaped
from torch import Tensor

ProblemType = Literal["binary", "multiclass", "regression"]
Transform = Literal["none", "log1p"]  # of a quantity, before it is learnt
LabelKind = Literal["text", "integer", "number", "boolean"]
Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")


class Batch(NamedTuple):
    """B rows of one split.

    `x` holds float32 (B, F + C) of a table, uint8 or float32 (B, channels, H, W) of images; on the
    device all images become float32. `y` holds int64 classes or float32 standardised values.
    `row` is the row's number in the source, counted from 0.
    """

    x: Shaped[Tensor, "batch ..."]
    y: Int64[Tensor, " batch"] | Float32[Tensor, " batch"]
    row: Int64[Tensor, " batch"]

    def split(self, size: int) -> "list[Batch]":
        """Cut it into batches of at most `size` rows; views, no copies."""
        return [Batch(*parts) for parts in zip(*(t.split(size) for t in self), strict=True)]


@dataclass(frozen=True)
class DataSpec:
    """What a network, a task and a reader must know of the data; plain values only.

    Args:
        problem_type: "binary", "multiclass" or "regression".
        target: name of the target column, or "class" for images in class folders.
        numbers: names of the F numbers at the front of a table's row.
        categories: names of the C categorical columns behind them.
        cardinalities: codes per categorical column: unknown (0), missing (1), then its values.
        edges: of each number: where the bins of its values in the train rows begin and end,
            ascending, two or more; as a network gets the numbers, so standardised.
        classes: names of the K classes, in the order of their codes; empty for regression.
        label_kind: what a class name was in the user's data; predictions come back as that.
        class_counts: train rows per class.
        target_transform: what is learnt is log(1 + y) where this is "log1p"; regression only.
        target_mean, target_scale: of the train rows' y, after the transform; regression only.
        image_shape: (channels, height, width), or None for a table.
        pixel_mean, pixel_scale: per channel, over the train images, in the unit of their pixels.
        num_rows: train rows; 0 where nobody has counted them.
    """

    problem_type: ProblemType
    target: str
    numbers: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    cardinalities: tuple[int, ...] = ()
    edges: tuple[tuple[float, ...], ...] = ()
    classes: tuple[str, ...] = ()
    label_kind: LabelKind = "text"
    class_counts: tuple[int, ...] = ()
    target_transform: Transform = "none"
    target_mean: float = 0.0
    target_scale: float = 1.0
    image_shape: tuple[int, int, int] | None = None
    pixel_mean: tuple[float, ...] = ()
    pixel_scale: tuple[float, ...] = ()
    num_rows: int = 0

    @property
    def is_regression(self) -> bool:
        return self.problem_type == "regression"

    @property
    def num_classes(self) -> int:
        return len(self.classes)

    @property
    def num_outputs(self) -> int:
        """Width of a network's last layer: K logits, or 1 value."""
        return 1 if self.is_regression else self.num_classes

    @property
    def num_numbers(self) -> int:
        """F: a table's numbers, or an image's values once it is flattened."""
        if self.image_shape is None:
            return len(self.numbers)
        channels, height, width = self.image_shape
        return channels * height * width
