"""Load a finished run and predict: the one way to predict, in Python, on the command line, served.

model = load("runs/penguins_auto/...")
model.predict(table)
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from kindling.bounded_files import damaged, read_bounded
from kindling.bundle.bundle import Bundle, read_bundle
from kindling.bundle.description import class_labels
from kindling.bundle.drift import Drift
from kindling.bundle.inputs import to_images, to_table
from kindling.calibration import with_temperature
from kindling.errors import ConfigError, DataError, Problem, for_a_model
from kindling.fixes import Setting
from kindling.formatting import count
from kindling.images.image_schema import ImageSchema
from kindling.images.pixel_scaling import PixelScaler
from kindling.json_codec import InvalidFile, decode, parse
from kindling.outputs import read_outputs
from kindling.runs import BUNDLE_FOLDER, MANIFEST_FILE, NO_BUNDLE_FILE, find_run
from kindling.scoring import decide
from kindling.tables.part_files import PartFiles, locate
from kindling.tables.preprocessor import TablePreprocessor
from kindling.tables.schema import TableSchema
from kindling.types import DataSpec

# Standard deviations, or standardised outputs, that a row may be away: float32 can square them, as
# networks do. Of larger ones the network's answer is a mean, or nan, of which any class is largest.
MOST = 1e18
MAX_REASON = 2**14  # bytes of NO_BUNDLE_FILE


def load(run: str | Path, device: str = "cpu") -> "Predictor":
    """Load what a run has learnt.

    Args:
        run: a run folder, its bundle, `latest`, or a run's short name.
        device: cpu, cuda, cuda:1 or mps; where it was trained does not matter.

    Raises:
        ConfigError: there is no such run, or no such device.
        DataError: the bundle is damaged, or is not what Kindling writes.
    """
    return Predictor(read_bundle(bundle_of(find_run(run))), device)


def bundle_of(run: Path) -> Path:
    """Return the bundle in a run's folder, or the folder itself where it is one."""
    if (run / MANIFEST_FILE).is_file():
        return run
    if (run / BUNDLE_FOLDER).is_symlink() or not (run / BUNDLE_FOLDER).is_dir():
        raise ConfigError(_no_bundle_in(run))
    return run / BUNDLE_FOLDER


def _no_bundle_in(run: Path) -> Problem:
    """Say why a run has no bundle, where it has written that down."""
    rule, got = "predictions need the bundle of a run", f"no folder {BUNDLE_FOLDER}/ in {run}"
    if not (run / NO_BUNDLE_FILE).is_file():
        return Problem(rule, got, "train again, without bundle=false")
    try:
        content = parse(read_bounded(run / NO_BUNDLE_FILE, MAX_REASON))
        reason: dict[str, str] = decode(dict[str, str], content, NO_BUNDLE_FILE)
        why, fix = (_printable(reason[key]) for key in ("got", "fix"))
    except (InvalidFile, KeyError) as error:
        raise damaged(run / NO_BUNDLE_FILE, str(error), "train again") from error
    return Problem(rule, f"{got}: {why}", f"{fix}; then train again")


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in text)


class Predictor:
    """Predicts from raw rows or images, in the user's own labels or unit.

    Rows of a table are a DataFrame, an Arrow table, a dict of columns, a list of dicts, or an
    array of two axes with the columns in the schema's order. Images are a list of paths, bytes
    or Pillow images, or an array (N, channels, H, W) in the data type of the train images.

    Args:
        bundle: from `read_bundle`.
        device: where the network computes.
    """

    spec: DataSpec
    schema: TableSchema | ImageSchema
    network: nn.Module
    preprocessor: TablePreprocessor | None
    metrics: dict[str, Any]

    def __init__(self, bundle: Bundle, device: str = "cpu") -> None:
        self.spec, self.schema, self.metrics = bundle.spec, bundle.schema, bundle.metrics
        self.preprocessor, self.batch_size = bundle.preprocessor, bundle.batch_size
        self.temperature, self.threshold = bundle.temperature, bundle.threshold
        self.device = _device(device)
        self.network = bundle.network.to(self.device)
        self.scaler = None
        if self.spec.image_shape is not None:
            scaler = PixelScaler(self.spec.pixel_mean, self.spec.pixel_scale)
            self.scaler = scaler.to(self.device)
        self.labels = class_labels(self.spec)

    def inputs(
        self,
        rows: Any,
        *,
        file: str | PartFiles = "the rows",
        numbers: np.ndarray | None = None,
        drift: Drift | None = None,
    ) -> np.ndarray:
        """Turn raw rows into what the network was trained on.

        Args:
            rows: see the class.
            file: what to call a table's rows in a message, or the files that they lie in.
            numbers: int64 (N,), each row's number in a message; counted from 0 by default.
            drift: gathers what the train rows were not like.

        Returns:
            float32 (N, F + C) of a table; uint8 or float32 (N, channels, H, W) of images.

        Raises:
            DataError: columns are absent, cells do not fit their column, images cannot be read.
        """
        if isinstance(self.schema, ImageSchema):
            return to_images(rows, self.schema)
        assert self.preprocessor is not None
        table = to_table(rows, self.schema)
        with for_a_model():
            features = self.schema.cast(table, file, numbers)
        if drift is not None:
            drift.add(table, features)
        with np.errstate(over="ignore"):  # what float32 cannot hold
            x = self.preprocessor.transform(features)
        _refuse_infinite(x, file, numbers)
        return x

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """Run the network over inputs, as many rows at once as when it was tested.

        Returns:
            float32 logits (N, K), divided by the temperature, or standardised values (N, 1).
        """
        parts = [np.empty((0, self.spec.num_outputs), dtype=np.float32)]
        # Rows first, whatever the strides: a convolution takes other ways, and bits, for others.
        rows = torch.from_numpy(x).reshape(-1).view(x.shape)
        with torch.no_grad():  # batches as in the test: other sizes round otherwise
            for batch in rows.split(self.batch_size) if len(x) else ():
                batch = batch.to(self.device)
                batch = batch if self.scaler is None else self.scaler(batch)
                parts.append(self.network(batch).float().cpu().numpy())
        return with_temperature(np.concatenate(parts), self.temperature)

    def scores(self, rows: Any, **place: Any) -> np.ndarray:
        """Return float64 probabilities (N, K), or values (N,) in the target's unit.

        Args:
            rows: see the class.
            **place: what else `inputs` takes.
        """
        outputs = self.outputs(self.inputs(rows, **place))
        return self.read(outputs, place.get("file", "the rows"), place.get("numbers"))

    def read(
        self,
        outputs: np.ndarray,
        file: str | PartFiles = "the rows",
        numbers: np.ndarray | None = None,
    ) -> np.ndarray:
        """Read outputs as `scores` returns them.

        Args:
            outputs: as `outputs` returns them.
            file: what to call a table's rows in a message.
            numbers: int64 (N,), each row's number in a message; counted from 0 by default.

        Raises:
            DataError: a row gets no finite number: of these, the largest would be any class.
        """
        _refuse_infinite(outputs, file, numbers)
        with np.errstate(over="ignore"):
            scores = read_outputs(self.spec, outputs)
        if self.spec.is_regression:  # exp may leave what float64 holds
            _refuse_infinite(scores[:, None], file, numbers, most=np.inf)
        return scores

    def predict(self, rows: Any) -> np.ndarray:
        """Return N labels in the user's own type, or N float64 values in the target's unit."""
        return self.decide(self.scores(rows))

    def predict_proba(self, rows: Any) -> np.ndarray:
        """Return float64 (N, K), in the order of `spec.classes`.

        Raises:
            ConfigError: the model predicts a quantity, which has no probabilities.
        """
        if self.spec.is_regression:
            rule = "probabilities are for classes"
            raise ConfigError(Problem(rule, f"a regression of {self.spec.target}", "use predict"))
        return self.scores(rows)

    def decide(self, scores: np.ndarray) -> np.ndarray:
        """Turn what `scores` returns into labels; values stay values."""
        return scores if self.spec.is_regression else self.labels[decide(scores, self.threshold)]


def _refuse_infinite(
    values: np.ndarray, file: str | PartFiles, numbers: np.ndarray | None, most: float = MOST
) -> None:
    """Raise a DataError where rows (N, K) hold nan, infinity or what comes near to it."""
    bad = np.flatnonzero(~(np.abs(values) < most).all(axis=1))  # so that nan is bad, too
    if len(bad):
        name, rows = locate(file, bad[:1] if numbers is None else numbers[bad[:1]])
        row = int(rows[0])
        rule = f"{name}: every number must be near enough to the train rows for a prediction"
        got = f"{count(len(bad), 'row')} beyond what float32 holds, the first is row {row}"
        fix = "correct its largest numbers"
        raise DataError(Problem(rule, got, fix, row=row, count=len(bad), is_for_model=True))


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.empty(0, device=device)  # a device can have a name and not be there
    except (RuntimeError, AssertionError, ValueError, NotImplementedError) as error:
        rule, got = f"device={name} must be there", str(error).splitlines()[0]
        problem = Problem(rule, got, Setting("device", "cpu"), is_for_model=True)
        raise ConfigError(problem) from error
    return device
