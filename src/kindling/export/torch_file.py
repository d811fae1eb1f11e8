"""Write a model as a file of torch.export, and say in words what torch cannot export."""

import io
import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from kindling.bundle.predictor import Predictor
from kindling.errors import ConfigError, Problem
from kindling.export.artifact import CHUNK, Answer, Artifact, Sample, module_of
from kindling.export.notes import notes_of

NOTES = "kindling.json"  # the name of the notes in the file
ROWS = "rows"  # the name of the free batch size


def torch_file(model: Predictor, example: Sample, *, network_only: bool) -> Artifact:
    """Export a model, and load what was exported.

    It takes one tensor: float64 (B, columns) with codes for text, or pixels; the network
    alone takes what the preprocessing makes of them.
    """
    notes = json.dumps(
        notes_of(model, network_only=network_only, is_program=True), ensure_ascii=False
    )
    module = module_of(model, network_only=network_only)
    content = to_torch(module, torch.from_numpy(example.array(network_only)), {NOTES: notes})
    with quiet():
        loaded = torch.export.load(io.BytesIO(content)).module()

    def ask(sample: Sample) -> Answer:
        x = torch.from_numpy(sample.array(network_only))
        with torch.no_grad():
            return Answer(torch.cat([loaded(rows) for rows in x.split(CHUNK)]).numpy())

    return Artifact(content, ("x",), ("y",), ask)


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
