"""A model and the content of one request in, predictions out; within its time, or refused."""

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kindling.bundle.predictor import Predictor
from kindling.errors import UserError
from kindling.images.decoding import name_of, read_header
from kindling.predictions import read_outputs
from kindling.serve.answer import Predicted
from kindling.serve.fields import make_body
from kindling.serve.limits import MAX_TOLD, Limits, Mistake, Refusal, refuse
from kindling.serve.request import UPLOAD, as_refusal, read_csv, read_json, short
from kindling.tables.schema import TableSchema

CHUNK_ROWS, CHUNK_IMAGES = 8192, 16  # of one pass, after which the time is looked at
JSON, CSV, IMAGE = "json", "csv", "image"


class Upload(NamedTuple):
    """One body, or one file of a form."""

    kind: str
    name: str
    content: bytes


class Service:
    """Answers requests one after another; not a thing of the web."""

    def __init__(self, model: Predictor, limits: Limits) -> None:
        self.model = model
        self.limits = limits
        schema = model.schema
        self.body = make_body(schema, limits) if isinstance(schema, TableSchema) else None

    @property
    def file_kind(self) -> str:
        """What a file in a form is taken for."""
        return IMAGE if self.body is None else CSV

    def predict(self, uploads: Sequence[Upload], deadline: float) -> Predicted:
        """Predict for the rows of one table, or for images; `deadline` as of time.monotonic()."""
        self._refuse_other_kinds(uploads)
        if self.body is None:
            x, step = self._pixels(uploads, deadline), CHUNK_IMAGES
        else:
            x, step = self._rows(uploads), CHUNK_ROWS
        parts = []
        for start in range(0, len(x), step):
            look_at_the_time(deadline)
            parts.append(self.model.outputs(x[start : start + step]))
        return self._in_words(np.concatenate(parts))

    def _refuse_other_kinds(self, uploads: Sequence[Upload]) -> None:
        wanted = "images" if self.body is None else "rows as JSON, or one CSV file"
        taken = (IMAGE,) if self.body is None else (JSON, CSV)
        if not uploads:
            raise refuse(422, f"a request must hold {wanted}; got none")
        others = [upload.kind for upload in uploads if upload.kind not in taken]
        if others:
            raise refuse(415, f"this model takes {wanted}; got Content-Type {short(others[0])}")
        if self.body is None and len(uploads) > self.limits.images:
            raise refuse(413, f"a request must hold at most {self.limits.images} images")
        if self.body is not None and len(uploads) > 1:
            raise refuse(413, f"a request must hold one file; got {len(uploads)}")

    def _rows(self, uploads: Sequence[Upload]) -> np.ndarray:
        schema, body, (upload,) = self.model.schema, self.body, uploads
        assert isinstance(schema, TableSchema)
        assert body is not None
        if upload.kind == JSON:
            table = read_json(upload.content, body, schema)
        else:
            table = read_csv(upload.content, schema, self.limits)
        try:
            with np.errstate(over="ignore"):  # what float32 cannot hold is refused below
                x = self.model.inputs(table, file=UPLOAD)
        except UserError as error:
            raise as_refusal(error, [column.name for column in schema.used]) from error
        refuse_infinite(x)
        return x

    def _pixels(self, uploads: Sequence[Upload], deadline: float) -> np.ndarray:
        images, mistakes = [], []
        for upload in uploads:
            look_at_the_time(deadline)
            try:
                read_header(upload.content, max_pixels=self.limits.pixels)
                images.append(self.model.inputs([upload.content]))
            except UserError as error:
                hidden = {
                    f"{name_of(upload.content)}: ": "",
                    "data.max_pixels": f"{self.limits.pixels:,}",
                }
                found = as_refusal(error, hidden=hidden).mistakes
                mistakes += [Mistake(mistake.message, upload.name) for mistake in found]
        if mistakes:
            raise Refusal(422, *mistakes)
        return np.concatenate(images)

    def _in_words(self, outputs: np.ndarray) -> Predicted:
        spec = self.model.spec
        with np.errstate(over="ignore", invalid="ignore"):
            scores = read_outputs(spec, outputs)
        refuse_infinite(scores.reshape(len(scores), -1))
        probs = None if spec.is_regression else scores
        return Predicted(spec.target, spec.classes, self.model.decide(scores), probs)


def look_at_the_time(deadline: float) -> None:
    """Give up on a request that has taken too long, or has waited too long for its turn."""
    if time.monotonic() > deadline:
        raise refuse(503, "no answer within the time that a request may take")


def refuse_infinite(rows: np.ndarray) -> None:
    """Give no answer to a row whose numbers no float32 can hold."""
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(bad):
        message = "a number is too far from all that was seen in training"
        raise Refusal(422, *[Mistake(message, row=int(row)) for row in bad[:MAX_TOLD]])
