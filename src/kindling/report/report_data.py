"""Report data: the test rows of a run as plain arrays, and the trained network.

Every section of the report reads these two, never the data module or the task.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from kindling.calibration import with_temperature
from kindling.contract import DescribedData
from kindling.formatting import count
from kindling.images.image_schema import ImageSchema
from kindling.images.pixel_scaling import PixelScaler
from kindling.outputs import Result, read_outputs, to_numpy
from kindling.tables.schema import TableSchema
from kindling.types import DataSpec

MAX_ROWS = 20_000  # test rows whose columns are examined one by one
MAX_NUMBERS = 10**8  # in them: 100 MB of pixels
IMAGES_AT_ONCE = 256
NUMBERS_AT_ONCE = 2**18  # in the rows that the network is given at once


@dataclass(frozen=True)
class ReportData:
    """The test rows, and n of them that are examined one by one, so that it takes seconds.

    Args:
        spec: describes them.
        result: of all N test rows.
        examined: int64 (n,), which of them are examined, as positions in the result.
        x: what the network is given of those: float32 (n, F + C), or images (n, channels, H, W).
        sample_ids: of those, as in predictions.csv.
        columns: (n,) for each column, in the user's own values; of images, how they look.
        features: where in x each of the user's columns is; empty for images.
        shown: of images that are seen but are no bytes, what is shown as black and as white.
    """

    spec: DataSpec
    result: Result
    examined: np.ndarray
    x: Tensor
    sample_ids: np.ndarray
    columns: Mapping[str, np.ndarray]
    features: Mapping[str, list[int]]
    shown: tuple[float, float] | None = None

    @property
    def truth(self) -> np.ndarray:
        return self.result.truth[self.examined]

    @property
    def prediction(self) -> np.ndarray:
        return self.result.prediction[self.examined]

    @property
    def code(self) -> np.ndarray:
        return self.result.code[self.examined]

    @property
    def errors(self) -> np.ndarray:
        """0 for right and 1 for wrong, or the size of the error in the target's unit."""
        if self.spec.is_regression:
            return np.abs(self.prediction - self.truth)
        return (self.code != self.truth).astype(np.float64)

    def pictures(self, rows: Sequence[int] | slice) -> np.ndarray:
        """Return some images as they are shown: uint8 (n, 1 or 3, H, W)."""
        x = self.x[rows]
        if self.shown:
            low, high = self.shown
            x = ((x - low) * (255 / (high - low))).round().clamp(0, 255).to(torch.uint8)
        return x.numpy()

    @property
    def has_images(self) -> bool:
        return self.spec.image_shape is not None

    @property
    def why_no_images(self) -> str:
        """Say in a sentence why its images cannot be shown; "" where they can, or are none."""
        is_seen = self.x.dtype == torch.uint8 and self.x.shape[1:2] in ((1,), (3,))
        if not self.has_images or is_seen or self.shown:
            return ""
        dtype, channels = (
            str(self.x.dtype).removeprefix("torch."),
            count(self.x.shape[1], "channel"),
        )
        return (
            f"Images are not shown here: these hold {dtype} in {channels}, and only uint8 in 1 "
            "(grey) or 3 (red, green, blue) says what a pixel looks like."
        )


def read_report_data(data: DescribedData, result: Result) -> ReportData:
    """Take the test rows out of the data module, the same ones in every run of a seed."""
    spec = data.spec
    examined = np.arange(len(result.row))
    most = max(1, min(MAX_ROWS, MAX_NUMBERS // data.x[0].numel()))
    if len(examined) > most:
        rng = np.random.default_rng(data.seed)
        examined = np.sort(rng.choice(len(examined), most, replace=False))
    rows = result.row[examined]
    x = data.x[rows]
    columns, features = (describe_images(x), {}) if spec.image_shape else read_columns(data, rows)
    names, shown = data.raw.names[rows], shown_range(data.schema, spec)
    return ReportData(spec, result, examined, x, names, columns, features, shown)


def shown_range(schema: Any, spec: DataSpec) -> tuple[float, float] | None:
    """Return which of the numbers of images are shown as black and white, where they are no bytes.

    Three standard deviations to either side: a few extremes would leave all the rest one grey.
    """
    if not isinstance(schema, ImageSchema) or not (schema.is_seen and schema.keeps_numbers):
        return None
    pairs = list(zip(spec.pixel_mean, spec.pixel_scale, strict=True))
    low = max(schema.value_range[0], min(mean - 3 * scale for mean, scale in pairs))
    high = min(schema.value_range[1], max(mean + 3 * scale for mean, scale in pairs))
    return (low, high) if low < high else schema.value_range


def read_columns(
    data: DescribedData, rows: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, list[int]]]:
    """Return the cells (n,) of each column that was learnt from, and where it is in x."""
    schema = data.schema
    assert isinstance(schema, TableSchema)
    names = (*data.spec.numbers, *data.spec.categories)
    # Only these rows are read again, file by file: rows are in the order of the files.
    parts = [schema.cast(table.take(inside), table.file) for table, inside in data.raw.parts(rows)]
    frame = pd.concat(parts, ignore_index=True)
    columns, features = {}, {}
    for column in schema.used:
        cells = frame[column.features[0]].to_numpy()
        is_date = column.column_type == "date"
        columns[column.name] = cells.astype("datetime64[D]") if is_date else cells
        features[column.name] = [names.index(name) for name in column.features]
    return columns, features


def describe_images(images: Tensor) -> dict[str, np.ndarray]:
    """Return what can be said of any image: how bright it is, and how strong its contrast."""
    # In parts: float64 copies of all images at once would take eight times their memory.
    parts = [part.flatten(1).double() for part in images.split(IMAGES_AT_ONCE)]
    brightness = "brightness (0 to 255)" if images.dtype == torch.uint8 else "mean of the pixels"
    return {
        brightness: torch.cat([part.mean(dim=1) for part in parts]).numpy(),
        "contrast (std of the pixels)": torch.cat([part.std(dim=1) for part in parts]).numpy(),
    }


class TrainedNetwork:
    """A network that predicts, and is never trained.

    Args:
        network: stays as it is; it predicts on the device where its weights are.
        spec: describes the rows: float32 (N, F + C), or images (N, channels, H, W).
        temperature: what its logits are divided by; None: by nothing.
    """

    def __init__(
        self, network: nn.Module, spec: DataSpec, temperature: float | None = None
    ) -> None:
        self.network, self.spec = network.eval(), spec  # no dropout
        self.temperature = temperature
        self.device = next(network.parameters()).device
        self.scaler: nn.Module = nn.Identity()
        if spec.image_shape is not None:
            self.scaler = PixelScaler(spec.pixel_mean, spec.pixel_scale).to(self.device)

    @property
    def name(self) -> str:
        return type(self.network).__name__

    def predict(self, x: Tensor) -> np.ndarray:
        """Return probabilities (N, K), or values (N,) in the target's unit."""
        outputs = np.concatenate([to_numpy(y) for y in self._outputs(x)])
        return read_outputs(self.spec, with_temperature(outputs, self.temperature))

    def _outputs(self, x: Tensor) -> list[Tensor]:
        rows = max(1, NUMBERS_AT_ONCE // x[0].numel())
        with torch.no_grad():
            return [
                self.network(self.scaler(part.to(self.device))).float() for part in x.split(rows)
            ]

    def cost(self, x: Tensor) -> float:
        """Count the multiplications and additions for one row."""
        with FlopCounterMode(display=False) as counter:
            self._outputs(x[:1])
        return max(float(counter.get_total_flops()), x[0].numel())

    def embed(self, x: Tensor) -> np.ndarray | None:
        """Return what the last linear layer is given, (N, D): how the network sees the rows.

        None where it is not given one vector for each row, but none, or several.
        """
        layers = [layer for layer in self.network.modules() if isinstance(layer, nn.Linear)]
        if not layers:
            return None
        inputs: list[Tensor] = []
        handle = layers[-1].register_forward_hook(lambda _, given, __: inputs.append(given[0]))
        try:
            self._outputs(x)
        finally:
            handle.remove()
        fits = all(part.ndim == 2 for part in inputs) and sum(map(len, inputs)) == len(x)
        return np.concatenate([to_numpy(part.float()) for part in inputs]) if fits else None
