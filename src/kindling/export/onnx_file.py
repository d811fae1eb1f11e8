"""A loaded model in; an ONNX file, and what it says of rows in onnxruntime, out."""

from collections.abc import Iterator

import numpy as np
import onnx
import onnxruntime
import torch

from kindling.bundle.predictor import Predictor
from kindling.export.artifact import CHUNK, Artifact, Said, module_of
from kindling.export.notes import notes_of
from kindling.export.onnx_graph import PIXELS, add_ends, sign
from kindling.export.sample import Sample
from kindling.export.tracing import to_onnx
from kindling.tables.schema import TableSchema

ERRORS_ONLY = 3  # onnxruntime's number for it


def onnx_file(model: Predictor, example: Sample, *, network_only: bool) -> Artifact:
    """Export a model as one graph, and open it in onnxruntime."""
    module = module_of(model, network_only=network_only)
    graph = onnx.load_from_string(to_onnx(module, torch.from_numpy(example.array(network_only))))
    if not network_only:
        columns = model.schema.used if isinstance(model.schema, TableSchema) else None
        graph = add_ends(graph, columns, None if model.spec.is_regression else model.labels)
    sign(graph, notes_of(model, network_only=network_only, is_program=network_only))
    onnx.checker.check_model(graph)
    content = graph.SerializeToString()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = ERRORS_ONLY
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    inputs = tuple(value.name for value in session.get_inputs())
    outputs = tuple(value.name for value in session.get_outputs())

    def ask(sample: Sample) -> Said:
        feed = sample.columns or {PIXELS: sample.raw}
        feed = {"x": sample.prepared} if network_only else feed
        parts = [session.run(None, chunk) for chunk in _chunks(feed)]
        *label, answer = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        code = {name: code for code, name in enumerate(model.labels.tolist())}
        return Said(answer, np.array([code[name] for name in label[0]]) if label else None)

    return Artifact(content, inputs, outputs, ask)


def _chunks(feed: dict[str, np.ndarray]) -> Iterator[dict[str, np.ndarray]]:
    rows = len(next(iter(feed.values())))
    for start in range(0, rows, CHUNK):
        yield {name: values[start : start + CHUNK] for name, values in feed.items()}
