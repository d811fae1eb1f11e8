"""Models that were not trained but have everything else: what an export needs, in milliseconds."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import torch

from kindling.bundle.bundle import Bundle
from kindling.bundle.predictor import Predictor
from kindling.images.image_schema import ImageSchema
from kindling.tables.inference import Hints, infer_schema
from kindling.tables.preprocessor import TablePreprocessor
from kindling.types import DataSpec
from project.data.edges import find_edges
from project.data.preprocessing import make_transformer
from project.models.cnn import CNN
from project.models.mlp import MLP

CLASSES = {
    "problem_type": "multiclass",
    "classes": ("a", "b", "c"),
    "class_counts": (1, 1, 1),
}
QUANTITY = {"problem_type": "regression", "target_mean": 180_000.0, "target_scale": 79_000.0}


def table_model(frame, target=CLASSES, *, network=MLP, make_transformer=make_transformer, **kinds):
    """Make a model of the columns of a frame."""
    raw = pa.Table.from_pandas(frame, preserve_index=False)
    schema = infer_schema(raw, Hints(kinds))
    typed = schema.cast(raw, "the frame")
    preprocessor = TablePreprocessor(make_transformer).fit(typed, schema)
    spec = DataSpec(target="t", **target, **preprocessor.describe())
    x = preprocessor.transform(typed)
    spec = replace(spec, edges=find_edges(x, np.arange(len(x)), spec.num_numbers))
    return model_of(spec, schema, network, preprocessor)


def image_model(channels, height, width, network=CNN, **options):
    spec = DataSpec(
        target="class",
        **CLASSES,
        image_shape=(channels, height, width),
        pixel_mean=(100.0,) * channels,
        pixel_scale=(60.0,) * channels,
    )
    return model_of(spec, ImageSchema(channels, height, width, **options), network, None)


def model_of(spec, schema, network, preprocessor):
    """Build the network with weights that make it sure of some rows and unsure of others."""
    torch.manual_seed(0)
    network = network(spec, width=8)
    with torch.no_grad():
        network.head.weight *= 10
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.uniform_(-1, 1)
                module.running_var.uniform_(0.5, 2)
    return Predictor(Bundle(spec, schema, network.eval(), preprocessor, 1024, {}, {}))


def frame(seed=0, rows=120):
    """Make a table with a column of every kind, each with gaps."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "size": rng.normal(50, 10, rows),
            "whole": rng.integers(2**30, 2**31, rows).astype(float),
            "town": rng.choice(["Ulm", "Rom", "Ys"], rows),
            "new": pd.array(rng.random(rows) < 0.5, dtype="boolean"),
            "when": pd.to_datetime(rng.integers(-(2**31), 2**31, rows), unit="s"),
        }
    )
    for number, name in enumerate(table):
        table.loc[number :: 7 + number, name] = None
    return table
