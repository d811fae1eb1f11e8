"""RawData rows and a model in; the same rows as an exported file and as the network take them out."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from kindling.bundle.inputs import to_table
from kindling.bundle.predictor import Predictor
from kindling.export.program import UNKNOWN_CODE, codes_of
from kindling.images.pixel_scaling import PixelScaler
from kindling.tables.schema import TableSchema


@dataclass(frozen=True)
class Sample:
    """N rows in every form.

    Args:
        source: where the rows come from, in words.
        prepared: float32 (N, F + C) or standardised pixels: what the network takes.
        outputs: what the network says of them.
        columns: name -> float64 or text (N, 1): the columns of a table.
        raw: float64 (N, columns), with codes for text; or uint8 pixels.
    """

    source: str
    prepared: np.ndarray
    outputs: np.ndarray
    raw: np.ndarray
    columns: dict[str, np.ndarray] = field(default_factory=dict)

    def array(self, network_only: bool) -> np.ndarray:
        """Return what the network alone takes, or the network with everything around it."""
        return self.prepared if network_only else self.raw


def sample_of(model: Predictor, rows: Any, source: str) -> Sample:
    """Make a sample of raw rows: whatever `Predictor.predict` takes."""
    x = model.inputs(rows, file=source)
    outputs = model.outputs(x)
    if not isinstance(model.schema, TableSchema):
        scaler = PixelScaler(model.spec.pixel_mean, model.spec.pixel_scale)
        return Sample(source, scaler(torch.from_numpy(x)).numpy(), outputs, x)
    typed = model.schema.cast(to_table(rows, model.schema), source)
    columns, raw = {}, np.empty((len(x), len(model.schema.used)))
    for number, column in enumerate(model.schema.used):
        cells = typed[column.features[0]].to_numpy()
        columns[column.name] = cells.reshape(-1, 1)
        if column.column_type == "category":
            codes = codes_of(column.categories)
            cells = np.array([codes.get(level, UNKNOWN_CODE) for level in cells])
        raw[:, number] = cells
    return Sample(source, x, outputs, raw, columns)
