"""Write a trained network with all that predicting needs into a folder of plain data, and read it.

RUN/bundle/: MANIFEST.json config.json schema.json model.safetensors preprocess.skops metrics.json.
Reading it runs nothing that its author wrote: no pickle, and no name is imported but those of
networks that installed projects register.
"""

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from torch import nn

from kindling.bounded_files import AGAIN, damaged
from kindling.bundle import description, preprocess_file, weights
from kindling.bundle.manifest import Manifest, read_listed, read_manifest, write_files
from kindling.bundle.model_config import ModelConfig, find_class, uncompiled
from kindling.calibration import HIGHEST, LOWEST
from kindling.json_codec import InvalidFile, decode, parse, to_bytes
from kindling.tables.preprocessor import TablePreprocessor
from kindling.tables.schema import TableSchema
from kindling.types import DataSpec
from kindling.version import __version__

CREATED_WITH = ("torch", "numpy", "scikit-learn", "skops", "safetensors")


@dataclass(frozen=True)
class Config:
    """What config.json holds.

    Args:
        network: how the network is built again; a table's preprocessing is of the same project.
        batch_size: rows at once when the network was tested; any size works.
        booleans: columns of 0 and 1 that the project's make_transformer was told of.
        temperature: what logits are divided by; None, as in older files: by nothing.
        threshold: see `kindling.scoring.decide`; None, as in older files: the most likely class.
    """

    network: ModelConfig
    batch_size: int
    booleans: tuple[str, ...] = ()
    temperature: float | None = None
    threshold: float | None = None


@dataclass(frozen=True)
class Bundle:
    """Everything that a prediction needs; the network is on the CPU, in eval mode.

    Args:
        spec, schema: describe the network's data and the user's.
        network: with the best weights, none of which asks for a gradient.
        preprocessor: of a table; None for images.
        batch_size: rows at once when the network was tested.
        metrics: final numbers of train, val and test.
        created_with: package -> version.
        temperature: what the network's logits are divided by; None: by nothing.
        threshold: see `kindling.scoring.decide`.
    """

    spec: DataSpec
    schema: description.Schema
    network: nn.Module
    preprocessor: TablePreprocessor | None
    batch_size: int
    metrics: dict[str, Any]
    created_with: dict[str, str]
    temperature: float | None = None
    threshold: float | None = None


def write_bundle(
    folder: Path,
    *,
    model_config: ModelConfig,
    network: nn.Module,
    spec: DataSpec,
    schema: description.Schema,
    preprocessor: TablePreprocessor | None,
    batch_size: int,
    metrics: Mapping[str, Any],
    temperature: float | None = None,
    threshold: float | None = None,
) -> Bundle:
    """Write a bundle into a folder of its own, and return it as it is read again.

    Args:
        folder: made if it is not there; an older bundle in it is replaced.
        model_config: from `model_config_of`.
        network: with the weights to keep; may be compiled, on any device.
        spec: describes the network's data.
        schema: describes the user's.
        preprocessor: of a table; None for images.
        batch_size: rows at once when the network was tested.
        metrics: plain values.
        temperature: what the network's logits are divided by.
        threshold: see `kindling.scoring.decide`.
    """
    booleans = () if preprocessor is None else preprocessor.booleans_
    config = Config(model_config, batch_size, booleans, temperature, threshold)
    files = {
        "config.json": to_bytes(asdict(config)),
        "schema.json": to_bytes(description.to_json(spec, schema)),
        "model.safetensors": weights.to_bytes(uncompiled(network)),
        "metrics.json": to_bytes(metrics),
    }
    if preprocessor is not None:
        files["preprocess.skops"] = preprocess_file.to_bytes(preprocessor)
    created_with = {name: version(name) for name in CREATED_WITH}
    write_files(folder, files, {"kindling": __version__, **created_with})
    return read_bundle(folder)  # what nobody can load should fail here, not where it is needed


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle, each file once, and check everything before it is used.

    Raises:
        DataError: names the file that is damaged, or holds what Kindling did not write.
    """
    manifest = read_manifest(folder)
    config, spec, schema, network = _network(folder, manifest)
    read = functools.partial(read_listed, folder, manifest)
    with _named(folder / "metrics.json"):
        metrics: dict[str, Any] = decode(dict[str, Any], parse(read("metrics.json")), "metrics")
    with _named(folder / "preprocess.skops", manifest.created_with):
        listed = "preprocess.skops" in manifest.files
        fitted = read("preprocess.skops") if listed else None
        preprocessor = _preprocessor(fitted, spec, schema, config)
    return Bundle(
        spec,
        schema,
        network,
        preprocessor,
        config.batch_size,
        metrics,
        dict(manifest.created_with),
        config.temperature,
        config.threshold,
    )


def read_network(folder: Path) -> tuple[DataSpec, description.Schema, nn.Module]:
    """Read, checked likewise, what another training can start from: network, spec and schema."""
    return _network(folder, read_manifest(folder))[1:]


def _network(
    folder: Path, manifest: Manifest
) -> tuple[Config, DataSpec, description.Schema, nn.Module]:
    read = functools.partial(read_listed, folder, manifest)
    # In this order, since each file is held against what those before it say: weights against the
    # network, the network against the spec, and later the preprocessing against the schema.
    with _named(folder / "config.json"):
        config = _config(read("config.json"))
        network_class = find_class(config.network)
    with _named(folder / "schema.json"):
        spec, schema = description.from_json(parse(read("schema.json")))
        if spec.is_regression and config.temperature is not None:
            raise InvalidFile("a regression, where config.json has a temperature of classes")
        if spec.num_classes != 2 and config.threshold is not None:
            raise InvalidFile("config.json has a threshold, which is between two classes")
    with _named(folder / "model.safetensors"):
        check = functools.partial(weights.check_layout, network_class, config.network, spec)
        content = read("model.safetensors", check)
        network = weights.to_network(content, network_class, config.network, spec)
    return config, spec, schema, network


def _config(content: bytes) -> Config:
    config: Config = decode(Config, parse(content), "config")
    if not 1 <= config.batch_size <= 2**24:
        raise InvalidFile(f"batch_size={config.batch_size}")
    if config.temperature is not None and not LOWEST <= config.temperature <= HIGHEST:
        raise InvalidFile(f"temperature={config.temperature}")
    if config.threshold is not None and not 0 < config.threshold < 1:
        raise InvalidFile(f"threshold={config.threshold}")
    return config


def _preprocessor(
    content: bytes | None, spec: DataSpec, schema: description.Schema, config: Config
) -> TablePreprocessor | None:
    if isinstance(schema, TableSchema) != (content is not None):
        raise InvalidFile(
            "no such file, which a table needs" if content is None else "a file for images"
        )
    if content is None:
        return None
    assert isinstance(schema, TableSchema)
    project = config.network.project
    preprocessor = preprocess_file.to_preprocessor(content, schema, project, config.booleans)
    # A network takes numbers by their place in a row: another order would be wrong in silence.
    if replace(spec, **preprocessor.describe()) != spec:
        raise InvalidFile("columns in another order than the spec's")
    return preprocessor


@contextmanager
def _named(file: Path, created_with: Mapping[str, str] | None = None) -> Iterator[None]:
    """Add the file's name to what is wrong with it, and the releases where those may be why."""
    try:
        yield
    except (InvalidFile, RecursionError) as error:
        got = str(error) if isinstance(error, InvalidFile) else "something nested too deep"
        fix = getattr(error, "fix", "") or AGAIN
        made = {name: (created_with or {}).get(name, "?") for name in ("scikit-learn", "skops")}
        others = [f"{name}=={made[name]}" for name in made if made[name] != version(name)]
        if created_with and others:
            fix += f"; it was made with {', '.join(others)}"
        raise damaged(file, got, fix) from error
