"""Findings: what a person should know before trusting the scores, in sentences."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from kindling.errors import Problem
from kindling.formatting import capital, count, first_few, percent
from kindling.report.scores import Scores
from kindling.types import DataSpec

FEW_ROWS, FEW_OF_A_CLASS = 100, 10
MAX_CLASSES = 5  # in a sentence
MUCH_BETTER, WORTH_IT = 2.0, 0.1  # times, and by how much, the test error is above the train error


def find(
    spec: DataSpec,
    truth: np.ndarray,
    scores: Scores,
    results: Mapping[str, Any],
    max_epochs: int | None,
) -> list[str]:
    """Say what stands out, the most important first.

    Args:
        spec: says whether there are classes or values.
        truth: class codes (N,) or values (N,) of the test rows.
        scores: of the run.
        results: what metrics.json holds.
        max_epochs: how many epochs were allowed.
    """
    found = [
        compare_best_baseline(scores),
        few_rows(scores),
        *(rare_classes(spec, truth) if not spec.is_regression else []),
        overfitting(spec, scores),
        not_finished(results, max_epochs),
    ]
    return [sentence for sentence in found if sentence]


def sentence_of(problem: Problem) -> str:
    """Say what a check noticed in the data, and what can be done."""
    return f"{capital(problem.rule)}: {problem.got}; {problem.do} ({problem.code})."


def compare_best_baseline(scores: Scores) -> str | None:
    """Compare the primary metric with the best baseline's."""
    metric, baselines = scores.primary, scores.of_baselines(scores.primary)
    if not baselines:
        return None
    best = metric.best(baselines)
    own, other = scores.test[metric.name], baselines[best]
    pair = f"{metric.label} {metric.format(own)} against {metric.format(other)}"
    low, high = scores.intervals.get(metric.name, (own, own))
    if low <= other <= high:
        return (
            f"The network and the best baseline ({best}) cannot be told apart by these test rows: "
            f"{pair}."
        )
    verdict = "better" if metric.is_better(own, other) else "worse"
    return f"The network is {verdict} than the best baseline ({best}): {pair}."


def few_rows(scores: Scores) -> str | None:
    """Say how much a single row counts where there are few."""
    num_rows, metric = scores.num_rows, scores.primary
    if num_rows >= FEW_ROWS:
        return None
    rows = f"There {'is' if num_rows == 1 else 'are'} only {count(num_rows, 'test row')}"
    if metric.is_row_share:
        return f"{rows}: each counts for {percent(1 / num_rows)} of the {metric.label}."
    return f"{rows}: other rows may well give another picture."


def rare_classes(spec: DataSpec, truth: np.ndarray) -> list[str]:
    """Name the classes that the test says little or nothing of."""
    counts = np.bincount(truth, minlength=spec.num_classes)
    absent = [spec.classes[k] for k in np.flatnonzero(counts == 0)]
    rare = [spec.classes[k] for k in np.flatnonzero((counts > 0) & (counts < FEW_OF_A_CLASS))]
    sentences = []
    if absent:
        sentences.append(f"Not in the test rows, so not tested: {first_few(absent, MAX_CLASSES)}.")
    if rare:
        names = first_few(rare, MAX_CLASSES)
        sentences.append(f"Fewer than {FEW_OF_A_CLASS} test rows: {names}.")
    return sentences


def overfitting(spec: DataSpec, scores: Scores) -> str | None:
    """Say whether the train rows are known far better than new ones."""
    metric = scores.error
    train, test = (scores.splits.get(split, {}).get(metric.name) for split in ("train", "test"))
    if train is None or test is None or metric.range[0] != 0:
        return None
    # A log loss may double without harm while it is tiny; an error in the target's unit has no
    # size that is tiny everywhere.
    if not (train * MUCH_BETTER < test and (spec.is_regression or train + WORTH_IT < test)):
        return None
    return (
        f"Much of the train rows is learnt by heart: {metric.label} {metric.format(train)} there, "
        f"{metric.format(test)} on test rows. More rows, a smaller network or more dropout may "
        "help."
    )


def not_finished(results: Mapping[str, Any], max_epochs: int | None) -> str | None:
    """Say whether the training was cut short while it still became better."""
    is_last = results["best_epoch"] == results["epochs"] == max_epochs
    if not is_last:
        return None
    return (
        f"The last epoch was the best one: more may be better still "
        f"(trainer.max_epochs={2 * results['epochs']})."
    )
