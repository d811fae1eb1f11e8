"""Predictions or a refusal in; the HTTP answer out, as JSON or as CSV."""

import csv
import io
import json
from dataclasses import asdict, dataclass

import numpy as np
from pydantic import BaseModel
from starlette.responses import Response

from kindling.serve.limits import Refusal

JSON, CSV = "application/json", "text/csv"


class Prediction(BaseModel):
    """What is predicted for one row or image; probabilities by class, except for a regression."""

    prediction: str | int | float | bool
    probabilities: dict[str, float] | None = None


class Predictions(BaseModel):
    """The predictions, in the order of the rows."""

    target: str
    predictions: list[Prediction]


class Error(BaseModel):
    """One mistake: the field (a column or a file) and the row (from 0), where it has them."""

    message: str
    field: str | None = None
    row: int | None = None


class Errors(BaseModel):
    """What is wrong with a request."""

    errors: list[Error]


@dataclass(frozen=True)
class Predicted:
    """N predictions in the user's own words or unit, and (N, K) probabilities for classes."""

    target: str
    classes: tuple[str, ...]
    labels: np.ndarray
    probs: np.ndarray | None


def json_response(predicted: Predicted) -> Response:
    """Answer as `Predictions`; written here, since checking each row again would only cost time."""
    rows = [{"prediction": label} for label in predicted.labels.tolist()]
    if predicted.probs is not None:
        for row, probs in zip(rows, predicted.probs.tolist(), strict=True):
            row["probabilities"] = dict(zip(predicted.classes, probs, strict=True))
    content = {"target": predicted.target, "predictions": rows}
    return Response(to_json(content), media_type=JSON)


def csv_response(predicted: Predicted) -> Response:
    """Answer as a file: row, prediction, and prob_<class> for classes."""
    labels, probs = predicted.labels.tolist(), predicted.probs
    names = () if probs is None else predicted.classes
    rest = [[]] * len(labels) if probs is None else probs.tolist()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["row", "prediction", *(f"prob_{name}" for name in names)])
    for row, (label, cells) in enumerate(zip(labels, rest, strict=True)):
        writer.writerow([row, label, *cells])
    return Response(text.getvalue(), media_type=f"{CSV}; charset=utf-8")


def error_response(refusal: Refusal) -> Response:
    """Answer as `Errors`."""
    headers = {"Retry-After": "1"} if refusal.status == 503 else {}
    content = {"errors": [asdict(mistake) for mistake in refusal.mistakes]}
    return Response(to_json(content), refusal.status, headers, JSON)


def to_json(content: object) -> bytes:
    """Write plain values, compactly."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", errors="backslashreplace")
