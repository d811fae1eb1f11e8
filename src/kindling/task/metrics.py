"""Targets and predictions in, plain numbers out; for the network, the baselines and the report."""

import numpy as np
from sklearn import metrics

from kindling.types import DataSpec

HEADLINE = {"binary": "accuracy", "multiclass": "accuracy", "regression": "rmse"}


def logged_names(spec: DataSpec) -> list[str]:
    """Return what is logged once an epoch, such as val/loss: what a monitor can look at."""
    names = ("loss", HEADLINE[spec.task])
    return [f"{stage}/{name}" for stage in ("train", "val") for name in names]


def score(spec: DataSpec, truth: np.ndarray, prediction: np.ndarray) -> dict[str, float]:
    """Compute the full set for one stage.

    Args:
        spec: says which task it is.
        truth: int64 class codes (N,), or values (N,) in the target's own unit.
        prediction: probabilities (N, K), or values (N,) in the target's own unit.
    """
    if spec.is_regression:
        return score_values(truth, prediction)
    return score_classes(truth, prediction)


def score_values(truth: np.ndarray, prediction: np.ndarray) -> dict[str, float]:
    """Compute RMSE and MAE in the target's unit, and R2 (nan for fewer than two rows)."""
    return {
        "rmse": float(metrics.root_mean_squared_error(truth, prediction)),
        "mae": float(metrics.mean_absolute_error(truth, prediction)),
        "r2": float(metrics.r2_score(truth, prediction)) if len(truth) > 1 else float("nan"),
    }


def score_classes(truth: np.ndarray, probs: np.ndarray) -> dict[str, float]:
    """Compute what class probabilities (N, K) are worth; ROC AUC for two classes."""
    codes = np.arange(probs.shape[1])
    predicted = probs.argmax(axis=1)
    present = np.unique(truth)  # a small val set may lack a rare class
    scores = {
        "accuracy": metrics.accuracy_score(truth, predicted),
        "balanced_accuracy": metrics.recall_score(
            truth, predicted, labels=present, average="macro", zero_division=0
        ),
        "macro_f1": metrics.f1_score(truth, predicted, average="macro", zero_division=0),
        "log_loss": metrics.log_loss(truth, probs, labels=codes),
    }
    if len(codes) == 2 and len(present) == 2:
        scores["roc_auc"] = metrics.roc_auc_score(truth, probs[:, 1])
    return {name: float(value) for name, value in scores.items()}
