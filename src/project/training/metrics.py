"""The registry of metrics: each is one entry, and everything else reads it from here."""

import math

import numpy as np
import torch
from sklearn import metrics as sk
from torch import Tensor

from kindling import bootstrap
from kindling.calibration import ece
from kindling.scoring import Metric
from kindling.types import DataSpec, ProblemType

CLASSES: tuple[ProblemType, ...] = ("binary", "multiclass")
VALUES: tuple[ProblemType, ...] = ("regression",)


def balanced_accuracy(truth: np.ndarray, probs: np.ndarray) -> float:
    """Average the recall of the classes that are there: a small val set may lack a rare one."""
    present = np.unique(truth)
    return sk.recall_score(truth, probs.argmax(1), labels=present, average="macro", zero_division=0)


def macro_f1(truth: np.ndarray, probs: np.ndarray) -> float:
    return sk.f1_score(truth, probs.argmax(1), average="macro", zero_division=0)


def log_loss(truth: np.ndarray, probs: np.ndarray) -> float:
    return sk.log_loss(truth, probs, labels=np.arange(probs.shape[1]))


def roc_auc(truth: np.ndarray, probs: np.ndarray) -> float:
    is_ordered = len(np.unique(truth)) == 2  # of one class there is no order
    return sk.roc_auc_score(truth, probs[:, 1]) if is_ordered else math.nan


def r2(truth: np.ndarray, values: np.ndarray) -> float:
    return sk.r2_score(truth, values) if len(truth) > 1 else math.nan


def is_right(outputs: Tensor, y: Tensor, _: DataSpec) -> Tensor:
    return outputs.argmax(dim=1) == y  # (B, K) -> (B,)


def squared_errors(outputs: Tensor, y: Tensor, spec: DataSpec) -> Tensor:
    """Return the squared errors (B,) in the target's unit, whatever the loss is."""
    return (in_unit(outputs.squeeze(1), spec) - in_unit(y, spec)).square()


def in_unit(standardised: Tensor, spec: DataSpec) -> Tensor:
    """Turn standardised values back into the target's unit."""
    values = standardised * spec.target_scale + spec.target_mean
    return values if spec.target_transform == "none" else torch.expm1(values)


# The first one of a problem type is its primary metric.
METRICS: tuple[Metric, ...] = (
    Metric(
        name="accuracy",
        label="accuracy",
        meaning="share of rows whose class is right",
        direction="max",
        range=(0, 1),
        is_share=True,
        problem_types=CLASSES,
        function=lambda truth, probs: sk.accuracy_score(truth, probs.argmax(1)),
        of_decision=True,
        every_epoch=True,
        per_row=is_right,
        resampled=bootstrap.accuracy,
        is_row_share=True,
    ),
    Metric(
        name="balanced_accuracy",
        label="balanced accuracy",
        meaning="share of right rows in each class, then their mean",
        direction="max",
        range=(0, 1),
        is_share=True,
        problem_types=CLASSES,
        function=balanced_accuracy,
        of_decision=True,
        resampled=bootstrap.balanced_accuracy,
    ),
    Metric(
        name="macro_f1",
        label="macro F1",
        meaning="per class, a mean of how many are found and how many finds are right; 1 is best",
        direction="max",
        range=(0, 1),
        problem_types=CLASSES,
        function=macro_f1,
        of_decision=True,
        resampled=bootstrap.macro_f1,
    ),
    Metric(
        name="log_loss",
        label="log loss",
        meaning="how far the probabilities are from the truth; 0 is best",
        direction="min",
        range=(0, None),
        problem_types=CLASSES,
        function=log_loss,
        resampled=bootstrap.log_loss,
    ),
    Metric(
        name="roc_auc",
        label="ROC AUC",
        meaning="how often two rows of different classes are put in the right order; 1 is best",
        direction="max",
        range=(0, 1),
        problem_types=("binary",),
        function=roc_auc,
        resampled=bootstrap.roc_auc,
    ),
    Metric(
        name="ece",
        label="calibration error",
        meaning="how far the probabilities are from how often they come true; 0 is best",
        direction="min",
        range=(0, 1),
        problem_types=CLASSES,
        function=ece,
        has_interval=False,
    ),
    Metric(
        name="rmse",
        label="RMSE",
        meaning="typical error, large ones counted more; 0 is best",
        direction="min",
        range=(0, None),
        digits=4,
        problem_types=VALUES,
        function=sk.root_mean_squared_error,
        every_epoch=True,
        per_row=squared_errors,
        of_mean=math.sqrt,
        resampled=bootstrap.rmse,
    ),
    Metric(
        name="mae",
        label="MAE",
        meaning="mean size of an error; 0 is best",
        direction="min",
        range=(0, None),
        digits=4,
        problem_types=VALUES,
        function=sk.mean_absolute_error,
        resampled=bootstrap.mae,
    ),
    Metric(
        name="r2",
        label="R2",
        meaning="share of the differences between rows that is explained; 1 is best",
        direction="max",
        range=(None, 1),
        problem_types=VALUES,
        function=r2,
        resampled=bootstrap.r2,
    ),
)
