"""Write a model as an ONNX graph from the user's own columns or pixels to labels or values."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper
from torch import Tensor, nn

from kindling.bundle.predictor import Predictor
from kindling.errors import ConfigError, Problem
from kindling.export.artifact import CHUNK, Answer, Artifact, Sample, module_of
from kindling.export.cell_rules import MEANING
from kindling.export.notes import ANSWER, describe_pixels, notes_of
from kindling.export.program import UNKNOWN_CODE, codes_of
from kindling.export.torch_file import ROWS, exportable
from kindling.images.image_schema import ImageSchema
from kindling.scoring import limits_of
from kindling.tables.categories import other_spellings
from kindling.tables.column import Column
from kindling.tables.schema import TableSchema
from kindling.version import __version__

PIXELS = "pixels"  # the input of images
OPSET, IR_VERSION = 18, 10  # onnxruntime reads them since 1.18
OPSET_ML = 4  # of ai.onnx.ml, where text is looked up
ERRORS_ONLY = 3  # onnxruntime's number for it


def onnx_file(model: Predictor, example: Sample, *, network_only: bool) -> Artifact:
    """Export a model as one graph, and open it in onnxruntime."""
    module = module_of(model, network_only=network_only)
    graph = onnx.load_from_string(to_onnx(module, torch.from_numpy(example.array(network_only))))
    if not network_only:
        labels = None if model.spec.is_regression else model.labels
        graph = add_ends(graph, model.schema, labels, model.threshold)
    # Last, because what is put around the network brings notes of its own.
    sign(graph, notes_of(model, network_only=network_only, is_program=network_only))
    onnx.checker.check_model(graph)
    content = graph.SerializeToString()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = ERRORS_ONLY
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    inputs = tuple(value.name for value in session.get_inputs())
    outputs = tuple(value.name for value in session.get_outputs())

    def ask(sample: Sample) -> Answer:
        feed = sample.columns or {PIXELS: sample.raw}
        feed = {"x": sample.prepared} if network_only else feed
        parts = [session.run(None, chunk) for chunk in _chunks(feed)]
        *label, answer = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        code = {name: code for code, name in enumerate(model.labels.tolist())}
        return Answer(answer, np.array([code[name] for name in label[0]]) if label else None)

    return Artifact(content, inputs, outputs, ask)


def _chunks(feed: dict[str, np.ndarray]) -> Iterator[dict[str, np.ndarray]]:
    rows = len(next(iter(feed.values())))
    for start in range(0, rows, CHUNK):
        yield {name: values[start : start + CHUNK] for name, values in feed.items()}


def to_onnx(module: nn.Module, example: Tensor) -> bytes:
    """Export a module from one tensor `x` to one tensor `y`, its number of rows free.

    Args:
        module: in evaluation mode.
        example: at least two rows; of one, torch would think that it is always one.
    """
    with exportable():
        program = torch.onnx.export(
            module,
            (example,),
            dynamo=True,
            opset_version=OPSET,
            input_names=["x"],
            output_names=["y"],
            dynamic_shapes=({0: torch.export.Dim(ROWS)},),
            verbose=False,
        )
    assert program is not None
    return program.model_proto.SerializeToString()


def add_ends(
    network: onnx.ModelProto,
    schema: TableSchema | ImageSchema,
    labels: np.ndarray | None,
    threshold: float | None = None,
) -> onnx.ModelProto:
    """Put the inputs that a user knows in front of a network, and labels or values behind it.

    Args:
        network: takes `x`, pixels or one float64 for each column, and gives `y`, probabilities
            (rows, K) or values (rows,).
        schema: of the columns or the images.
        labels: the K class names in the user's own type; None for regression.
        threshold: see `kindling.scoring.decide`.
    """
    columns = schema.used if isinstance(schema, TableSchema) else ()
    names = {column.name for column in columns}
    if "" in names:
        fix = "name the column in the file and train again, or type --format torch"
        raise ConfigError(Problem("an input of an ONNX graph has a name", "a column of none", fix))
    # A column may be called as a node of the graph is: these get a prefix of their own.
    model = onnx.compose.add_prefix(network, prefix_unlike(names))
    graph = model.graph
    x, y = graph.input[0], graph.output[0]
    if isinstance(schema, ImageSchema):
        inputs = [_named(x, PIXELS, describe_pixels(schema))]
        front = [helper.make_node("Identity", [PIXELS], [x.name])]
    else:
        inputs = [_column_input(column) for column in columns]
        front = _row_nodes(columns, x.name)
    back, outputs = _answer(y, labels, names, threshold)
    _replace(graph.node, [*front, *graph.node, *back])
    _replace(graph.input, inputs)
    _replace(graph.output, outputs)
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", OPSET_ML))
    return model


def sign(model: onnx.ModelProto, notes: Mapping[str, Any]) -> None:
    """Put the notes into the file, and take out where on this machine it was made."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info):
        del part.metadata_props[:]
    for tensor in graph.initializer:
        del tensor.metadata_props[:]
    model.ir_version, model.producer_name = IR_VERSION, "kindling"
    model.producer_version = __version__
    texts = {
        k: v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for k, v in notes.items()
    }
    helper.set_model_props(model, texts)


def prefix_unlike(names: Iterable[str]) -> str:
    """Return a prefix for the graph's own names that none of these begins with."""
    prefix = "inner"
    while any(name.startswith(prefix) for name in names):
        prefix += "_"
    return f"{prefix}/"


def _column_input(column: Column) -> ValueInfoProto:
    """Describe the input (rows, 1) of one column."""
    dtype = TensorProto.STRING if column.column_type == "category" else TensorProto.DOUBLE
    return helper.make_tensor_value_info(column.name, dtype, [ROWS, 1], MEANING[column.column_type])


def _row_nodes(columns: Sequence[Column], x: str) -> list[NodeProto]:
    """Look up the code of each category, then join all columns."""
    look_ups, parts = [], []
    for number, column in enumerate(columns):
        if column.column_type == "category":
            look_ups.append(_look_up(column, f"{x}_code_{number}"))
        parts.append(look_ups[-1].output[0] if column.column_type == "category" else column.name)
    return [*look_ups, helper.make_node("Concat", parts, [x], axis=1)]


def _look_up(column: Column, code: str) -> NodeProto:
    codes = codes_of(column.categories)
    codes |= {text: codes[name] for text, name in other_spellings(column.categories).items()}
    return helper.make_node(
        "LabelEncoder",
        [column.name],
        [code],
        domain="ai.onnx.ml",
        keys_tensor=numpy_helper.from_array(np.array([*codes], dtype=object)),
        values_tensor=numpy_helper.from_array(np.array([*codes.values()])),
        default_tensor=numpy_helper.from_array(np.array([UNKNOWN_CODE])),
    )


def _answer(
    y: ValueInfoProto, labels: np.ndarray | None, taken: set[str], threshold: float | None
) -> tuple[list[NodeProto], list[ValueInfoProto]]:
    """Name what is known; of probabilities also the label that is decided for."""
    if labels is None:
        value = _named(y, output_name("value", taken), ANSWER[True])
        return [helper.make_node("Identity", [y.name], [value.name])], [value]
    label, probs = (output_name(name, taken) for name in ("label", "probabilities"))
    names, code = numpy_helper.from_array(labels, f"{y.name}_labels"), f"{y.name}_code"
    weighed = f"{y.name}_weighed"
    limit = numpy_helper.from_array(limits_of(threshold, len(labels)), f"{y.name}_limits")
    nodes = [
        helper.make_node("Constant", [], [names.name], value=names),
        helper.make_node("Constant", [], [limit.name], value=limit),
        helper.make_node("Div", [y.name, limit.name], [weighed]),
        helper.make_node("ArgMax", [weighed], [code], axis=1, keepdims=0),
        helper.make_node("Gather", [names.name, code], [label]),
        helper.make_node("Identity", [y.name], [probs]),
    ]
    output = helper.make_tensor_value_info(label, names.data_type, [ROWS])
    return nodes, [output, _named(y, probs, ANSWER[False])]


def output_name(name: str, taken: Iterable[str]) -> str:
    """Return the name of an output; a column of that name keeps it, and the output gets a "_"."""
    while name in taken:
        name += "_"
    return name


def _named(value: ValueInfoProto, name: str, text: str) -> ValueInfoProto:
    copy = ValueInfoProto()
    copy.CopyFrom(value)
    copy.name, copy.doc_string = name, text
    return copy


def _replace(field: Any, items: list[Any]) -> None:
    del field[:]
    field.extend(items)
