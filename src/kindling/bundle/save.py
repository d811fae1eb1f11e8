"""Save the bundle of a run; before it is trained, find what is in the way of one."""

import json
import shutil
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from lightning import Trainer
from omegaconf import DictConfig

from kindling.bundle.model_config import model_config_of, uncompiled, unregistered
from kindling.bundle.preprocess_file import not_kept
from kindling.contract import DescribedData, DescribedTask
from kindling.errors import Problem
from kindling.files import write_atomically
from kindling.formatting import json_text
from kindling.json_codec import to_bytes
from kindling.registry import project_of
from kindling.runs import BUNDLE_FOLDER, NO_BUNDLE_FILE
from kindling.tables.preprocessor import TablePreprocessor
from kindling.tables.schema import TableSchema


def no_bundle(data: Any, task: Any) -> Problem | None:
    """Say what is in the way where no bundle of a run can be written.

    Args:
        data: a data module behind its `setup`.
        task: a LightningModule.
    """
    if not isinstance(data, DescribedData) or not isinstance(task, DescribedTask):
        rule = "a bundle needs a DescribedData and a DescribedTask (kindling/contract.py)"
        got = f"a {type(data).__name__} and a {type(task).__name__}"
        return Problem(rule, got, "let them have what is listed there, see docs/extend.md")
    if problem := unregistered(task.network):
        return problem
    if not isinstance(data.schema, TableSchema):
        return None
    if not isinstance(data.preprocessor, TablePreprocessor):
        rule, fix = "a bundle of a table holds its TablePreprocessor", "fit one in setup()"
        return Problem(rule, f"a {type(data.preprocessor).__name__}", fix)
    project = project_of(type(uncompiled(task.network)).__module__)
    assert project is not None  # it is registered
    return not_kept(data.preprocessor, data.schema, project)


def check_bundle(cfg: DictConfig, data: Any, task: Any) -> None:
    """Prove, before anything is trained, that a bundle can build the network again.

    A network of which no bundle can be written at all trains as any other: the plan says it.

    Raises:
        ConfigError: a registered network is not built again alike.
    """
    if no_bundle(data, task) is None:
        model_config_of(instantiate(cfg.model, _convert_="all"), task.network, data.spec)


def save_bundle(
    cfg: DictConfig, data: Any, task: Any, trainer: Trainer, metrics: dict[str, Any]
) -> str:
    """Write RUN/bundle from the best weights; say how to use it, or why there is none.

    One that predicts otherwise than the run that was tested is not kept.
    """
    run = Path(cfg.run_dir)
    (run / NO_BUNDLE_FILE).unlink(missing_ok=True)
    problem = no_bundle(data, task) or _write(cfg, data, task, trainer, metrics)
    if problem is None:
        return "kindling predict latest new.csv"
    shutil.rmtree(run / BUNDLE_FOLDER, ignore_errors=True)  # also one of an earlier run
    write_atomically(run / NO_BUNDLE_FILE, to_bytes({"got": problem.got, "fix": problem.do}))
    return f"none: {problem.got}"


def _write(
    cfg: DictConfig, data: Any, task: Any, trainer: Trainer, metrics: dict[str, Any]
) -> Problem | None:
    from kindling.bundle.bundle import write_bundle  # late: half a second for skops
    from kindling.bundle.verify import verify_bundle

    run, network, fitted = Path(cfg.run_dir), uncompiled(task.network), data.preprocessor
    bundle = write_bundle(
        run / BUNDLE_FOLDER,
        model_config=model_config_of(instantiate(cfg.model, _convert_="all"), network, data.spec),
        network=network,
        spec=data.spec,
        schema=data.schema,
        preprocessor=fitted if isinstance(fitted, TablePreprocessor) else None,
        batch_size=data.eval_batch_size,
        metrics=json.loads(json_text(metrics)),
        temperature=task.results["test"].temperature,
        threshold=task.results["test"].threshold,
    )
    return verify_bundle(bundle, data, task, trainer)
