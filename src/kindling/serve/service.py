"""Predict what one request asks for, within its limits and its time.

Nothing of HTTP is known here: `app.py` hands over the uploads, and sends what is returned.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from kindling.bundle.drift import Drift
from kindling.bundle.predictor import Predictor
from kindling.errors import Problem, UserError
from kindling.formatting import shown
from kindling.images.image_schema import MAX_PIXELS, ImageSchema
from kindling.rooms import entry
from kindling.serve.answer import (
    Predicted,
    Refusal,
    RequestProblem,
    refuse,
)
from kindling.serve.fields import make_body
from kindling.serve.middleware import Limits
from kindling.serve.request import UPLOAD, read_json, read_upload, refuse_data, reword_cell
from kindling.tables.schema import TableSchema

CHUNK_ROWS, CHUNK_IMAGES = 8192, 16  # of one pass, after which the time is looked at
MAX_LINE = 200  # letters of a warning
JSON, CSV, IMAGE = "json", "csv", "image"


class Upload(NamedTuple):
    """One body, or one file of a form.

    Args:
        content_type: JSON, CSV or IMAGE; or, of anything else, its Content-Type.
        name: by which a message tells it.
        content: its bytes.
    """

    content_type: str
    name: str
    content: bytes


class PredictionService:
    """Answers requests one after another.

    Args:
        model: whose predictions are asked for.
        limits: bounds on a request.
    """

    def __init__(self, model: Predictor, limits: Limits) -> None:
        self.model = model
        self.limits = limits
        schema = model.schema
        self.body = make_body(schema, limits) if isinstance(schema, TableSchema) else None

    @property
    def file_type(self) -> str:
        """What a file in a form is taken for."""
        return IMAGE if self.body is None else CSV

    @property
    def takes_image_files(self) -> bool:
        """Whether an image file, such as PNG, can hold what the model takes."""
        schema = self.model.schema
        takes_files = isinstance(schema, ImageSchema) and schema.takes_image_files
        return takes_files and entry("decode") is not None

    @property
    def max_pixels(self) -> int:
        """Of one image: the limit of the training, unless another one is set here."""
        schema = self.model.schema
        trained = schema.max_pixels if isinstance(schema, ImageSchema) else MAX_PIXELS
        return trained if self.limits.pixels is None else min(self.limits.pixels, trained)

    def predict(self, uploads: Sequence[Upload], deadline: float) -> Predicted:
        """Predict for the rows of one table, or for images.

        Args:
            uploads: one table, or images.
            deadline: as of time.monotonic(), in seconds.

        Raises:
            Refusal: the request does not fit the model or the limits, or its time is over.
        """
        self._check_uploads(uploads)
        warnings: list[str] = []
        if self.body is None:
            x, step = self._pixels(uploads, deadline), CHUNK_IMAGES
        else:
            x, step = self._rows(uploads, warnings), CHUNK_ROWS
        parts = []
        for start in range(0, len(x), step):
            check_time(deadline)
            parts.append(self.model.outputs(x[start : start + step]))
        return replace(self._to_labels(np.concatenate(parts)), warnings=tuple(warnings))

    def _check_uploads(self, uploads: Sequence[Upload]) -> None:
        wanted = "images" if self.body is None else "rows as JSON, or one CSV file"
        taken = (IMAGE,) if self.body is None else (JSON, CSV)
        if not uploads:
            raise refuse(422, f"a request must hold {wanted}; got none")
        others = [upload for upload in uploads if upload.content_type not in taken]
        if others:
            got = shown(others[0].content_type)
            raise refuse(415, f"this model takes {wanted}; got Content-Type {got}")
        if self.body is None and len(uploads) > self.limits.images:
            raise refuse(413, f"a request must hold at most {self.limits.images} images")
        if self.body is not None and len(uploads) > 1:
            raise refuse(413, f"a request must hold one file; got {len(uploads)}")

    def _rows(self, uploads: Sequence[Upload], warnings: list[str]) -> np.ndarray:
        schema, body, (upload,) = self.model.schema, self.body, uploads
        assert isinstance(schema, TableSchema)
        assert body is not None
        is_json = upload.content_type == JSON
        rows: Any = read_json(upload.content, body, schema) if is_json else None
        if rows is None:
            rows = read_upload(upload.content, schema, self.limits, warnings)
        drift = Drift(schema, self.model.spec.target)
        try:
            x = self.model.inputs(rows, file=UPLOAD, drift=drift)
        except UserError as error:
            problems = error.problems
            if is_json:
                problems = tuple(reword_cell(problem, schema) for problem in problems)
            raise refuse_data(problems) from error
        # They hold a client's own cells, of any length, and go into a header of an answer as CSV.
        warnings += [
            line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]}..." for line in drift.shown()
        ]
        return x

    def _pixels(self, uploads: Sequence[Upload], deadline: float) -> np.ndarray:
        images: list[np.ndarray] = []
        problems: list[RequestProblem] = []
        read_header = entry("read_header")  # arrays have the very shape of the schema
        for upload in uploads:
            check_time(deadline)
            try:
                # Its header says how much memory it would take: that is asked before it takes it.
                if read_header is not None:
                    read_header(upload.content, max_pixels=self.max_pixels)
                images.append(self.model.inputs([upload.content]))
            except UserError as error:
                told = [self._reword(problem) for problem in error.problems]
                problems += refuse_data(told, upload.name).problems
        if problems:
            raise Refusal(422, *problems)
        return np.concatenate(images)

    def _reword(self, problem: Problem) -> Problem:
        """Name the server's own limit of pixels in place of training's."""
        if problem.code != "D403":
            return problem
        rule = f"an image must have at most {self.max_pixels:,} pixels"
        return replace(problem, rule=rule, fix="shrink it")

    def _to_labels(self, outputs: np.ndarray) -> Predicted:
        spec = self.model.spec
        try:
            scores = self.model.read(outputs, UPLOAD)
        except UserError as error:
            raise refuse_data(error.problems) from error
        probs = None if spec.is_regression else scores
        return Predicted(spec.target, spec.classes, self.model.decide(scores), probs)


def check_time(deadline: float) -> None:
    """Give up on a request that has taken too long, or has waited too long for its turn."""
    if time.monotonic() > deadline:
        raise refuse(503, "no answer within the time that a request may take")
