"""The numbers of a run in; what a person should know before trusting them, in sentences, out."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from kindling.errors import Problem
from kindling.formatting import capital, count, percent
from kindling.report.intervals import Interval
from kindling.report.metric_words import HEADLINE, metric, write_score
from kindling.types import DataSpec

FEW_ROWS, FEW_OF_A_CLASS = 100, 10
MAX_NAMED = 5  # classes in a sentence
MUCH_BETTER, WORTH_IT = 2.0, 0.1  # times, and by how much, the test loss is above the train loss


def find(
    spec: DataSpec,
    truth: np.ndarray,
    metrics: Mapping[str, Any],
    within: Mapping[str, Interval],
    max_epochs: int | None,
) -> list[str]:
    """Say what stands out, the most important first.

    Args:
        spec: says which task it is.
        truth: of the test rows.
        metrics: what metrics.json holds.
        within: the interval of each metric.
        max_epochs: how many epochs were allowed.
    """
    found = [
        against_baselines(HEADLINE[spec.problem_type], metrics, within),
        few_rows(spec, truth),
        *(rare_classes(spec, truth) if not spec.is_regression else []),
        by_heart(spec, metrics),
        not_finished(metrics, max_epochs),
    ]
    return [words for words in found if words]


def sentence(problem: Problem) -> str:
    """Say what a check noticed in the data, and what can be done."""
    return f"{capital(problem.rule)}: {problem.got}; {problem.fix} ({problem.code})."


def against_baselines(
    name: str, metrics: Mapping[str, Any], within: Mapping[str, Interval]
) -> str | None:
    """Compare the headline metric with the best baseline's."""
    scores = {model: s[name] for model, s in metrics["baselines"].items() if name in s}
    if not scores:
        return None
    words = metric(name)
    best = (max if words.is_good_large else min)(scores, key=lambda model: scores[model])
    own, other = metrics["test"][name], scores[best]
    best = best.replace("_", " ")
    pair = f"{words.label} {write_score(name, own)} against {write_score(name, other)}"
    low, high = within.get(name, (own, own))
    if low <= other <= high:
        return (
            f"The network and the best baseline ({best}) cannot be told apart by these test rows: "
            f"{pair}."
        )
    is_better = own > other if words.is_good_large else own < other
    verdict = "better" if is_better else "worse"
    return f"The network is {verdict} than the best baseline ({best}): {pair}."


def few_rows(spec: DataSpec, truth: np.ndarray) -> str | None:
    """Say how much a single row counts where there are few."""
    if len(truth) >= FEW_ROWS:
        return None
    rows = f"There {'is' if len(truth) == 1 else 'are'} only {count(len(truth), 'test row')}"
    if spec.is_regression:
        return f"{rows}: other rows may well give another picture."
    return f"{rows}: each counts for {percent(1 / len(truth))} of the accuracy."


def rare_classes(spec: DataSpec, truth: np.ndarray) -> list[str]:
    """Name the classes that the test says little or nothing of."""
    counts = np.bincount(truth, minlength=spec.num_classes)
    absent = [spec.classes[k] for k in np.flatnonzero(counts == 0)]
    rare = [spec.classes[k] for k in np.flatnonzero((counts > 0) & (counts < FEW_OF_A_CLASS))]
    sentences = []
    if absent:
        sentences.append(f"Not in the test rows, so not judged at all: {_list(absent)}.")
    if rare:
        sentences.append(f"Fewer than {FEW_OF_A_CLASS} test rows: {_list(rare)}.")
    return sentences


def _list(names: list[str]) -> str:
    more = len(names) - MAX_NAMED
    return ", ".join(names[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


def by_heart(spec: DataSpec, metrics: Mapping[str, Any]) -> str | None:
    """Say whether the train rows are known far better than new ones."""
    name = "rmse" if spec.is_regression else "log_loss"
    if name not in metrics.get("train", {}):
        return None
    train, test = metrics["train"][name], metrics["test"][name]
    if not (train * MUCH_BETTER < test and (spec.is_regression or train + WORTH_IT < test)):
        return None
    return (
        f"Much of the train rows is learnt by heart: {metric(name).label} "
        f"{write_score(name, train)} there, {write_score(name, test)} on test rows. More rows, a "
        "smaller network or more dropout may help."
    )


def not_finished(metrics: Mapping[str, Any], max_epochs: int | None) -> str | None:
    """Say whether the training was cut short while it still became better."""
    is_last = metrics["best_epoch"] == metrics["epochs"] == max_epochs
    if not is_last:
        return None
    return (
        f"The last epoch was the best one: more may be better still "
        f"(trainer.max_epochs={2 * metrics['epochs']})."
    )
