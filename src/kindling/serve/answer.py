"""Write the HTTP answers: predictions as JSON or CSV, or what is wrong with a request.

The models of pydantic describe the answers in /openapi.json. Predictions are written without them,
since checking each row again would only cost time.
"""

import csv
import io
import json
from dataclasses import asdict, dataclass

import numpy as np
from pydantic import BaseModel
from starlette.responses import Response

from kindling.formatting import inert

MAX_PROBLEMS = 20  # in one answer
WARNINGS = "X-Warnings"  # header of an answer as CSV: a JSON list
JSON_TYPE, CSV_TYPE = "application/json", "text/csv"


class Prediction(BaseModel):
    """What is predicted for one row or image; probabilities by class, except for a regression."""

    prediction: str | int | float | bool
    probabilities: dict[str, float] | None = None


class Predictions(BaseModel):
    """The predictions, in the order of the rows.

    Warnings name lines of a file that are no rows, and what the train rows were not like.
    """

    target: str
    predictions: list[Prediction]
    warnings: list[str] | None = None


@dataclass(frozen=True)
class RequestProblem:
    """One thing that is wrong with a request.

    Args:
        message: what it must be, and what was got.
        field: the column or the file that it is about, if it is about one.
        row: of the request, counted from 0.
    """

    message: str
    field: str | None = None
    row: int | None = None


class Errors(BaseModel):
    """What is wrong with a request."""

    errors: list[RequestProblem]


class Refusal(Exception):
    """A request that cannot be served: its HTTP status and what is wrong with it."""

    def __init__(self, status: int, *problems: RequestProblem) -> None:
        assert problems
        super().__init__(problems[0].message)
        self.status = status
        self.problems = problems[:MAX_PROBLEMS]


def refuse(status: int, message: str) -> Refusal:
    """Make a refusal that is about the request as a whole."""
    return Refusal(status, RequestProblem(message))


@dataclass(frozen=True)
class Predicted:
    """N predictions in the user's own labels or unit, and (N, K) probabilities of classes."""

    target: str
    classes: tuple[str, ...]
    labels: np.ndarray
    probs: np.ndarray | None
    warnings: tuple[str, ...] = ()  # see Predictions


def json_response(predicted: Predicted) -> Response:
    """Answer as `Predictions`."""
    rows = [{"prediction": label} for label in predicted.labels.tolist()]
    if predicted.probs is not None:
        for row, probs in zip(rows, predicted.probs.tolist(), strict=True):
            row["probabilities"] = dict(zip(predicted.classes, probs, strict=True))
    content = {"target": predicted.target, "predictions": rows}
    if predicted.warnings:
        content["warnings"] = list(predicted.warnings)
    return Response(to_json(content), media_type=JSON_TYPE)


def csv_response(predicted: Predicted) -> Response:
    """Answer as a file: row, prediction, and prob_<class> for classes."""
    labels, probs = predicted.labels.tolist(), predicted.probs
    names = () if probs is None else predicted.classes
    rest = [[]] * len(labels) if probs is None else probs.tolist()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if predicted.labels.dtype == object:
        labels = list(map(inert, labels))
    writer.writerow(["row", "prediction", *(f"prob_{name}" for name in names)])
    for row, (label, cells) in enumerate(zip(labels, rest, strict=True)):
        writer.writerow([row, label, *cells])
    # A header has no place for letters beyond ASCII, nor for line ends.
    headers = {WARNINGS: json.dumps(predicted.warnings)} if predicted.warnings else None
    return Response(text.getvalue(), headers=headers, media_type=f"{CSV_TYPE}; charset=utf-8")


def error_response(refusal: Refusal) -> Response:
    """Answer as `Errors`."""
    headers = {"Retry-After": "1"} if refusal.status == 503 else {}
    content = {"errors": [asdict(problem) for problem in refusal.problems]}
    return Response(to_json(content), refusal.status, headers, JSON_TYPE)


def to_json(content: object) -> bytes:
    """Write plain values compactly, as UTF-8."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Half of a surrogate pair, as JSON can hold it, has no UTF-8 of its own.
    return text.encode("utf-8", errors="backslashreplace")
