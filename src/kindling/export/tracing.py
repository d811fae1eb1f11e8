"""A torch module in; what torch writes of it for other programs, ONNX or torch.export, out."""

import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from kindling.errors import ConfigError, Problem

OPSET, IR_VERSION = 18, 10  # onnxruntime reads them since 1.18
ROWS = "rows"  # the name of the free batch size


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


def to_torch(module: nn.Module, example: Tensor, notes: Mapping[str, str]) -> bytes:
    """Export a module as `torch.export.save` writes it, with notes beside it."""
    file = io.BytesIO()
    with exportable():
        dynamic = ({0: torch.export.Dim(ROWS)},)
        program = torch.export.export(module, (example,), dynamic_shapes=dynamic)
        for node in program.graph.nodes:
            node.meta.pop("stack_trace", None)  # it holds the paths of this machine
        torch.export.save(program, file, extra_files=dict(notes))
    return file.getvalue()


@contextmanager
def exportable() -> Iterator[None]:
    """Say of a network that cannot be exported what is in the way, in the words of its cause."""
    with quiet():
        try:
            yield
        except (torch.onnx.errors.OnnxExporterError, RuntimeError, ValueError) as error:
            cause: BaseException = error
            while cause.__cause__ is not None:
                cause = cause.__cause__
            message = next(iter(str(cause).strip().splitlines()), "")
            rule = "an exported network is made of operations that can be exported"
            got = f"{type(cause).__name__}: {message}"
            fix = "replace that operation in the network, and train it again"
            raise ConfigError(Problem(rule, got, fix)) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Hide what torch says while it exports and nobody can act on."""
    registry = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = registry.level
    registry.setLevel(logging.ERROR)  # it misses operators of packages that are not used
    try:
        with warnings.catch_warnings():
            # torch 2.13 copies its own deprecated LeafSpec.
            warnings.filterwarnings("ignore", ".*LeafSpec.*", FutureWarning)
            yield
    finally:
        registry.setLevel(level)
