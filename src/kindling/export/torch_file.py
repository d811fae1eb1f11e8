"""A loaded model in; a file of torch.export, and what it says of rows, out."""

import io
import json

import torch

from kindling.bundle.predictor import Predictor
from kindling.export.artifact import CHUNK, Artifact, Said, module_of
from kindling.export.notes import notes_of
from kindling.export.sample import Sample
from kindling.export.tracing import quiet, to_torch

NOTES = "kindling.json"  # the name of the notes in the file


def torch_file(model: Predictor, example: Sample, *, network_only: bool) -> Artifact:
    """Export a model, and load what was exported.

    It takes one tensor: float64 (B, columns) with codes for text, or uint8 pixels; the network
    alone takes what the preprocessing makes of them.
    """
    notes = json.dumps(
        notes_of(model, network_only=network_only, is_program=True), ensure_ascii=False
    )
    module = module_of(model, network_only=network_only)
    content = to_torch(module, torch.from_numpy(example.array(network_only)), {NOTES: notes})
    with quiet():
        loaded = torch.export.load(io.BytesIO(content)).module()

    def ask(sample: Sample) -> Said:
        x = torch.from_numpy(sample.array(network_only))
        with torch.no_grad():
            return Said(torch.cat([loaded(rows) for rows in x.split(CHUNK)]).numpy())

    return Artifact(content, ("x",), ("y",), ask)
