"""An exported file before it is written, and the sample rows that it is asked about.

The same for every format: what is put into a file, and how it answers.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from torch import nn

from kindling.bundle.inputs import to_table
from kindling.bundle.predictor import Predictor
from kindling.errors import ConfigError, Problem
from kindling.export.cell_rules import describe_column
from kindling.export.program import UNKNOWN_CODE, Divided, Program, codes_of, detached_copy
from kindling.export.raw_cells import read_cell
from kindling.images.pixel_scaling import PixelScaler
from kindling.tables.schema import TableSchema

CHUNK = 1024  # rows at once when a file is asked


class Answer(NamedTuple):
    """What an exported file says of N rows.

    Args:
        outputs: probabilities (N, K) or values (N,); what the network alone gives.
        code: int64 (N,), the class that the file names; None where it names none.
    """

    outputs: np.ndarray
    code: np.ndarray | None = None


@dataclass(frozen=True)
class Sample:
    """N rows in every form.

    Args:
        source: where the rows come from, in words.
        prepared: float32 (N, F + C) or standardised pixels: what the network takes.
        outputs: what the network says of them.
        columns: name -> float64 or text (N, 1): the columns of a table.
        raw: float64 (N, columns), with codes for text; or pixels, uint8 or float32.
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
    """Make a sample of raw rows: whatever `Predictor.predict` takes.

    What goes into the file is made of raw cells by its own notes alone, as strangers will do it.
    """
    x = model.inputs(rows, file=source)
    outputs = model.outputs(x)
    if not isinstance(model.schema, TableSchema):  # images: the pixels are the raw rows already
        scaler = PixelScaler(model.spec.pixel_mean, model.spec.pixel_scale)
        return Sample(source, scaler(torch.from_numpy(x)).numpy(), outputs, x)
    table = to_table(rows, model.schema)
    columns, raw = {}, np.empty((len(x), len(model.schema.used)))
    for number, column in enumerate(model.schema.used):
        cells = _read_cells(table.column(column.name), describe_column(column), source)
        columns[column.name] = cells.reshape(-1, 1)
        if column.column_type == "category":
            codes = codes_of(column.categories)  # one tensor holds no text
            cells = np.array([codes.get(name, UNKNOWN_CODE) for name in cells])
        raw[:, number] = cells
    return Sample(source, x, outputs, raw, columns)


def _read_cells(cells: pa.ChunkedArray, column: dict[str, Any], source: str) -> np.ndarray:
    """Return float64 or text (N,) as `read_cell` reads raw cells, each different one once."""
    encoded = cells.combine_chunks().dictionary_encode()
    try:
        distinct = [read_cell(cell, column) for cell in (*encoded.dictionary.to_pylist(), None)]
    except ValueError as error:
        rule = "an exported file must read every cell that `kindling predict` reads"
        got = f"{error} in column {column['name']!r} of {source}"
        fix = "type --network-only, and prepare the columns yourself"
        raise ConfigError(Problem(rule, got, fix, column=column["name"])) from error
    dtype = object if column["column_type"] == "category" else np.float64
    return np.array(distinct, dtype)[encoded.indices.fill_null(-1).to_numpy()]


@dataclass(frozen=True)
class Artifact:
    """An exported file that is not written yet.

    Args:
        content: its bytes.
        inputs, outputs: their names.
        ask: returns what it says of these rows.
    """

    content: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    ask: Callable[[Sample], Answer]


def module_of(model: Predictor, *, network_only: bool) -> nn.Module:
    """Return what is exported: the network alone, or with everything that was fitted around it."""
    network = model.network
    if model.temperature is not None:
        network = Divided(network, model.temperature)
    if network_only:
        return detached_copy(network)
    return Program(network, model.spec, model.schema, model.preprocessor).eval()
