"""Score a finished run again: on its own test rows, or on a new file whose target is known.

kindling evaluate latest
kindling evaluate runs/penguins_auto/2026-01-31_12-00-00_ab12 new.csv
kindling evaluate latest photos/ --json

FILE is a table with the target's column, in one file, a folder or a pattern; or a folder of class
folders. Without it, the rows are
read from where the run's config.yaml says that they were, and split as they were.
"""

import math
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindling.cli.input_output import (
    CSV_OPTIONS,
    IGNORE_OPTIONS,
    add_csv_dialect,
    add_device,
    add_ignore,
    add_json,
    add_run,
    csv_dialect,
    print_json,
    tell_of_lines,
)
from kindling.errors import ConfigError, DataError, Problem, permitted
from kindling.files import is_url
from kindling.formatting import printable

if TYPE_CHECKING:
    from kindling.bundle.drift import Drift
    from kindling.bundle.evaluation_set import EvaluationSet
    from kindling.bundle.predictor import Predictor
    from kindling.tables.csv_dialect import Dialect

SAME = 1e-6  # a difference that other threads or another machine may make
OPTIONS = CSV_OPTIONS | IGNORE_OPTIONS


def add_arguments(parser: ArgumentParser) -> None:
    """Add what can be typed behind `kindling evaluate`."""
    add_run(parser)
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help="labelled rows or images; a URL of a table, too"
    )
    add_json(parser)
    add_csv_dialect(parser)
    add_ignore(parser)
    parser.add_argument(
        "--images", type=Path, metavar="FOLDER", help="where the images lie that FILE names"
    )
    add_device(parser)


def run(arguments: Namespace) -> None:
    """Predict, score, and show the scores beside those of the run."""
    from kindling.bundle.drift import Drift
    from kindling.bundle.predictor import load
    from kindling.run.console import show_scores

    model = load(arguments.run, arguments.device)
    name = "again" if arguments.file is None else Path(arguments.file).name or arguments.file
    dialect = csv_dialect(arguments.csv, model.schema)
    refuse_useless(arguments, model)
    evaluation_set = read_evaluation_rows(arguments, model, dialect)
    if arguments.file is not None and Path(arguments.file).is_file():
        tell_of_lines([Path(arguments.file)], model.schema, dialect)
    drift = Drift(model.schema, model.spec.target)
    scores = score_again(model, evaluation_set, drift)
    of_run = {  # metrics.json has null for nan and infinity
        metric: float(value) if isinstance(value, int | float) else math.nan
        for metric, value in (model.metrics.get("test") or {}).items()
    }
    result: dict[str, Any] = {
        "rows": len(evaluation_set.truth),
        "left_out": evaluation_set.num_left_out,
        "scores": scores,
    }
    if arguments.file is None:
        result["same"] = is_same(scores, of_run)
    for line in (*evaluation_set.notes, *drift.shown()):
        sys.stderr.write(f"{printable(line)}\n")
    if arguments.json:
        print_json(result | {"run": of_run, "drift": drift.lines()})
    else:
        show_scores({"the run": of_run, name: scores})
        sys.stdout.write(f"{result['rows']:,} rows{remark(result)}\n")


def read_evaluation_rows(
    arguments: Namespace, model: "Predictor", dialect: "Dialect | None"
) -> "EvaluationSet":
    """Read the rows of the file, or the run's own test rows."""
    file = arguments.file
    if file is None:
        from kindling.cli.own_test_rows import read_own_test_rows
        from kindling.runs import find_run

        return read_own_test_rows(find_run(arguments.run), model.spec)
    from kindling.bundle.evaluation_set import read_evaluation_set
    from kindling.tables.remote import refuse_credentials

    if is_url(file):
        refuse_credentials(file, "FILE")
    with permitted(file):
        if not is_url(file) and not Path(file).exists() and not _is_pattern(file, model):
            rule, fix = "FILE must be there", "correct its path"
            raise DataError(Problem(rule, f"nothing at {file}", fix, "D001"))
        return read_evaluation_set(
            file, model, dialect, images=arguments.images, ignore=arguments.ignore
        )


def _is_pattern(file: str, model: "Predictor") -> bool:
    """Say whether a pattern names the files of a table."""
    from kindling.tables.part_files import find_parts

    return model.preprocessor is not None and bool(find_parts(file).files)


def refuse_useless(arguments: Namespace, model: "Predictor") -> None:
    """Refuse options for images where there are none, and --images where FILE is their folder."""
    from kindling.images.image_schema import ImageSchema

    file, is_images = arguments.file, isinstance(model.schema, ImageSchema)
    asked = {"--ignore": arguments.ignore, "--images": arguments.images}
    useful = {"--ignore"} if is_images and file else set()
    useful |= {"--images"} if is_images and file and not Path(file).is_dir() else set()
    problems = [
        Problem(f"{option} is for a FILE that names images", f"{option} {value}", "leave it out")
        for option, value in asked.items()
        if value and option not in useful
    ]
    if arguments.images and not arguments.images.is_dir():
        rule, fix = "--images must be a folder", "correct the path"
        problems.append(Problem(rule, f"nothing at {arguments.images}", fix))
    if problems:
        raise ConfigError(*problems)


def score_again(
    model: "Predictor", evaluation_set: "EvaluationSet", drift: "Drift"
) -> dict[str, float]:
    """Score the predictions of rows whose target is known."""
    from kindling.registry import METRICS, load
    from kindling.scoring import metrics_for, score

    if not len(evaluation_set.truth):
        rule, fix = "scores need rows with a label", "fill in the target's column"
        raise DataError(Problem(rule, "none", fix))
    scores = model.scores(evaluation_set.rows, **evaluation_set.place, drift=drift)
    metrics = metrics_for(load(METRICS), model.spec.problem_type)
    return score(metrics, evaluation_set.truth, scores, model.threshold)


def is_same(scores: dict[str, float], of_run: dict[str, float]) -> bool:
    """Say whether all scores are those of the run, to a millionth of their size.

    Those that are no finite number (metrics.json has null for them) must be so in both.
    """
    return set(scores) == set(of_run) and all(
        abs(value - of_run[name]) <= SAME * max(1.0, abs(value))
        if math.isfinite(value)
        else not math.isfinite(of_run[name])
        for name, value in scores.items()
    )


def remark(result: dict[str, Any]) -> str:
    """Say what a person should know of the scores."""
    left_out = f", {result['left_out']:,} more without a label" if result["left_out"] else ""
    if "same" not in result:
        return left_out
    if result["same"]:
        return f"{left_out}: the scores of the run, to a millionth"
    why = "was it trained in another precision, or on another device?"
    return f"{left_out}: not the scores of the run; {why}"
