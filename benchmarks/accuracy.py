"""How good the networks are, beside models of other libraries on the very same rows.

python benchmarks/accuracy.py --sets penguins,wine --seeds 2        # a look
python benchmarks/accuracy.py --folder sets --write docs/results    # all, for hours

A set of --folder is a folder with train.parquet, perhaps test.parquet, and meta.json, which names
the "target" and perhaps "ignore", "group" and "time" columns; or a folder of class folders. Every
seed splits anew (but for a given test set), and all models have the same rows; they are fitted on
train rows, with their defaults, on one core. Seconds are those that the CPU works for the fit:
other work on the machine does not count.
"""

import argparse
import json
import logging
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from lightning import seed_everything
from peers import PEERS, Rows, fit_peer
from sklearn import datasets

from kindling.config.compose import compose_config, register_resolvers
from kindling.fixes import OVERRIDES, speaking
from kindling.outputs import read_targets
from kindling.run.build import build_data, build_task, build_trainer
from kindling.run.console import hide_adverts
from kindling.scoring import metrics_for, score
from project.baselines import rows_of
from project.training.metrics import METRICS

ROOT = Path(__file__).resolve().parents[1]
QUICK = ("name=accuracy", "checks=false", "report=false", "bundle=false", "logger=csv")
EMBEDDED = {
    "penguins": ("data=penguins",),
    "body_mass": ("data=penguins", "data.target=body_mass_g"),
    "credit": ("data=credit",),
    "digits": ("data=digits",),
}
OF_SKLEARN = {name: f"load_{name}" for name in ("wine", "breast_cancer", "diabetes")}


def main() -> None:
    """Fit everything on everything; print a line for each, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="of further sets")
    parser.add_argument("--sets", help="some of them: penguins,wine")
    parser.add_argument("--seeds", type=int, default=5, help="how many")
    parser.add_argument("--first", type=int, default=0, help="of the seeds: 3 adds to those before")
    parser.add_argument("--networks", default="auto,mlp", help="of conf/model, or an experiment")
    parser.add_argument("--peers", default=",".join(PEERS), help="'' is none")
    parser.add_argument("--write", type=Path, help="PATH.json: a line for each fit, added to it")
    arguments = parser.parse_args()
    make_quiet()
    with TemporaryDirectory() as folder, speaking(OVERRIDES):
        sets = all_sets(Path(folder), arguments.folder)
        chosen = arguments.sets.split(",") if arguments.sets else [*sets]
        for name in chosen:
            for seed in range(arguments.first, arguments.first + arguments.seeds):
                words = [f"run_dir={folder}/{name}-{seed}", f"seed={seed}", *QUICK, *sets[name]]
                models = [names_in(arguments.networks), names_in(arguments.peers)]
                for result in scores_of(words, seed, *models):
                    line = json.dumps({"set": name, "seed": seed, **result})
                    print(line, flush=True)
                    if arguments.write:
                        with arguments.write.with_suffix(".jsonl").open("a") as stream:
                            stream.write(line + "\n")


def names_in(words: str) -> list[str]:
    """Split at commas; no word is no name."""
    return words.split(",") if words else []


def make_quiet() -> None:
    """One core, and no word but the results."""
    torch.set_num_threads(1)
    register_resolvers(ROOT)
    hide_adverts()
    warnings.simplefilter("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


def all_sets(folder: Path, further: Path | None) -> dict[str, tuple[str, ...]]:
    """Name each set, with the overrides that choose it."""
    sets = dict(EMBEDDED)
    for name, load in OF_SKLEARN.items():
        frame = getattr(datasets, load)(as_frame=True).frame
        if name != "diabetes":
            frame["target"] = "class " + frame["target"].astype(str)
        frame.to_csv(folder / f"{name}.csv", index=False)
        sets[name] = ("data=table", f"data.path={folder / name}.csv", "data.target=target")
    for place in sorted(further.iterdir()) if further else ():
        meta = place / "meta.json"
        if (place / "train.parquet").is_file() and meta.is_file():
            sets[place.name] = of_table(place, json.loads(meta.read_text()))
        elif place.is_dir():
            sets[place.name] = ("data=images", f"data.path={place}")
    return sets


def of_table(place: Path, meta: dict[str, Any]) -> tuple[str, ...]:
    """Return the overrides for a folder of a table."""
    words = ["data=table", f"data.path={place}/train.parquet", f"data.target='{meta['target']}'"]
    ignore = meta.get("ignore", meta.get("not_features", []))
    words.append(f"data.ignore=[{','.join(map(repr, ignore))}]")
    words += [f"data.{key}='{meta[key]}'" for key in ("group", "time") if meta.get(key)]
    if (place / "test.parquet").is_file():
        words.append(f"data.test_path={place}/test.parquet")
    return tuple(words)


def scores_of(
    words: list[str], seed: int, networks: list[str], peers: list[str]
) -> Iterator[dict[str, Any]]:
    """Yield the test scores of each model, and the seconds of its fit."""
    for model in networks:
        # RealMLP's schedule goes with it.
        group = "experiment" if (ROOT / f"conf/experiment/{model}.yaml").is_file() else "model"
        cfg = compose_config(ROOT / "conf", [*words, f"{group}={model}", "~callbacks.progress"])
        seed_everything(seed, verbose=False)
        data = build_data(cfg)
        start = time.process_time()
        task = build_task(cfg, data)
        trainer = build_trainer(cfg, data, task)
        torch.set_num_threads(1)
        trainer.fit(task, data)
        seconds = time.process_time() - start
        trainer.test(task, data, ckpt_path="best", verbose=False, weights_only=True)
        scores: dict[str, float] = task.results["test"].scores  # type: ignore[union-attr, index]
        yield {"model": model, "seconds": seconds, "test": scores}
    cfg = compose_config(ROOT / "conf", words)
    data = build_data(cfg)
    rows = Rows(*rows_of(data, "train"), *rows_of(data, "val"))
    metrics = metrics_for(METRICS, data.spec.problem_type)
    x, truth = rows_of(data, "test")
    for model in peers if data.spec.image_shape is None else ():
        start = time.process_time()
        predict = fit_peer(model, data.spec, rows, seed)
        seconds, said = time.process_time() - start, predict(x)
        if data.spec.is_regression:
            said = read_targets(data.spec, said)
            scores = score(metrics, read_targets(data.spec, truth), said)
        else:
            scores = score(metrics, truth, said)
        yield {"model": model, "seconds": seconds, "test": scores}


if __name__ == "__main__":
    main()
