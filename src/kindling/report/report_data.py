"""A tested run in; everything about its test rows that the report looks at out, as plain arrays."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from kindling.predictions import Result
from kindling.tables.schema import TableSchema
from kindling.types import DataSpec
from project.data.datamodule import DataModule
from project.training.task import SupervisedTask

MAX_ROWS = 20_000  # test rows whose columns are looked at one by one
MAX_NUMBERS = 10**8  # in them: 100 MB of pixels
CHUNK = 256  # images


@dataclass(frozen=True)
class ReportData:
    """The test rows, or so many of them that the report keeps to its time.

    Args:
        spec: describes them.
        result: of all test rows.
        looked: which of them are looked at one by one, as positions in the result.
        x: what the network is given of those.
        names: of those, as in predictions.csv.
        cells: of those by column, in the user's own values; of images, how they look.
        places: where in x each of the user's columns is; empty for images.
    """

    spec: DataSpec
    result: Result
    looked: np.ndarray
    x: Tensor
    names: np.ndarray
    cells: Mapping[str, np.ndarray]
    places: Mapping[str, list[int]]

    @property
    def truth(self) -> np.ndarray:
        return self.result.truth[self.looked]

    @property
    def prediction(self) -> np.ndarray:
        return self.result.prediction[self.looked]

    @property
    def errors(self) -> np.ndarray:
        """0 for right and 1 for wrong, or the size of the error in the target's unit."""
        if self.spec.is_regression:
            return np.abs(self.prediction - self.truth)
        return (self.prediction.argmax(axis=1) != self.truth).astype(np.float64)


def look_at(data: DataModule, task: SupervisedTask) -> ReportData:
    """Take the test rows out of the data, the same ones in every run of a seed."""
    spec, result = data.spec, task.results["test"]
    looked = np.arange(len(result.row))
    most = max(1, min(MAX_ROWS, MAX_NUMBERS // data.x[0].numel()))
    if len(looked) > most:
        rng = np.random.default_rng(data.seed)
        looked = np.sort(rng.choice(len(looked), most, replace=False))
    rows = result.row[looked]
    x = data.x[rows]
    cells, places = (image_looks(x), {}) if spec.image_shape else table_cells(data, rows)
    return ReportData(spec, result, looked, x, data.raw.names[rows], cells, places)


def table_cells(
    data: DataModule, rows: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, list[int]]]:
    """Return the cells of each column that was learnt from, and where it is in x."""
    schema = data.schema
    assert isinstance(schema, TableSchema)
    features = (*data.spec.numbers, *data.spec.categories)
    typed = type_some(data, rows)
    cells, places = {}, {}
    for column in schema.used:
        values = typed[column.features[0]].to_numpy()
        cells[column.name] = (
            values.astype("datetime64[D]") if column.column_type == "date" else values
        )
        places[column.name] = [features.index(name) for name in column.features]
    return cells, places


def type_some(data: DataModule, rows: np.ndarray) -> pd.DataFrame:
    """Type these rows alone, which are in the order of the files."""
    schema = data.schema
    assert isinstance(schema, TableSchema)
    typed = [schema.type(table.take(inside), table.file) for table, inside in data.raw.parts(rows)]
    return pd.concat(typed, ignore_index=True)


def image_looks(images: Tensor) -> dict[str, np.ndarray]:
    """Return what can be said of any image: how bright it is, and how strong its contrast."""
    parts = [part.flatten(1).double() for part in images.split(CHUNK)]
    return {
        "brightness (0 to 255)": torch.cat([part.mean(dim=1) for part in parts]).numpy(),
        "contrast (spread of the pixels)": torch.cat([part.std(dim=1) for part in parts]).numpy(),
    }
