"""Turn the lines of accuracy.py into the tables and the chart of docs/results.md.

python benchmarks/results.py docs/results.jsonl

Each set is judged by one metric: the root of the mean squared error of values, the area under the
ROC curve of two classes, the accuracy of more.
"""

import argparse
import json
import statistics
from pathlib import Path

import pandas as pd

NAMES = {
    "auto": "Kindling, `model=auto`",
    "mlp": "Kindling, `model=mlp`",
    "realmlp": "Kindling, `experiment=realmlp`",
    "hist_gradient_boosting": "scikit-learn's HistGradientBoosting",
    "random_forest": "scikit-learn's random forest",
    "sklearn_mlp": "scikit-learn's MLP",
    "linear": "linear",
    "dummy": "mean or majority",
    "lightgbm": "LightGBM",
    "catboost": "CatBoost",
    "realmlp_td": "pytabkit's RealMLP_TD",
}


def main() -> None:
    """Print the Markdown tables, and draw the chart beside the lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lines", type=Path)
    arguments = parser.parse_args()
    found = read(arguments.lines)
    print(table(found))
    print(ranks(found))
    draw(found, arguments.lines.with_suffix(".png"))


def read(file: Path) -> pd.DataFrame:
    """Return a row for each set, model and seed: score, error (small is good), seconds."""
    rows = []
    for line in file.read_text().splitlines():
        fit = json.loads(line)
        metric, sign = primary(fit["test"])
        score = fit["test"][metric]
        known = {name: fit[name] for name in ("set", "model", "seed", "seconds")}
        rows.append(known | {"metric": metric, "score": score, "error": -sign * score})
    return pd.DataFrame(rows)


def primary(scores: dict[str, float]) -> tuple[str, int]:
    """Choose the metric that judges, and say whether large (1) or small (-1) is good."""
    if "rmse" in scores:
        return "rmse", -1
    return ("roc_auc", 1) if "roc_auc" in scores else ("accuracy", 1)


def table(found: pd.DataFrame) -> str:
    """Write mean and standard deviation over the seeds; a set for each row."""
    models = [name for name in NAMES if name in set(found.model)]
    lines = [
        f"| set | metric | seeds | {' | '.join(NAMES[name] for name in models)} |",
        f"|---|---|---|{'---|' * len(models)}",
    ]
    for name, of_set in found.groupby("set", sort=False):
        means = of_set.groupby("model").error.mean()
        cells = [cell(of_set[of_set.model == model], means.idxmin()) for model in models]
        seeds = of_set.seed.nunique()
        lines.append(f"| {name} | {of_set.metric.iloc[0]} | {seeds} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def cell(fits: pd.DataFrame, best: str) -> str:
    """Write one model's scores on one set; the best model's are bold."""
    if fits.empty:
        return ""
    mean, std = fits.score.mean(), statistics.pstdev(fits.score)
    text = f"{mean:.4g} ± {std:.2g}"
    return f"**{text}**" if fits.model.iloc[0] == best else text


def ranks(found: pd.DataFrame) -> str:
    """Write the mean rank of those models that have all sets, and of all on the sets they share."""
    errors = found.pivot_table(index="set", columns="model", values="error", sort=False)
    seconds = found.groupby("model").seconds.median()
    lines: list[str] = []
    for some in (errors.dropna(axis=1), errors.dropna()):
        lines += [f"| model | mean rank on {len(some)} sets | median seconds |", "|---|---|---|"]
        for name, rank in some.rank(axis=1).mean().sort_values().items():
            lines.append(f"| {NAMES[name]} | {rank:.2f} | {seconds[name]:.2g} |")
        lines.append("")
    return "\n".join(lines)


def draw(found: pd.DataFrame, file: Path) -> None:
    """Draw how much of a set's spread of errors a model leaves, against its seconds."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    errors = found.pivot_table(index="set", columns="model", values="error")
    errors = errors.dropna().drop(columns="dummy", errors="ignore")
    low, high = errors.min(axis=1), errors.max(axis=1)
    left = errors.sub(low, axis=0).div((high - low).where(high > low, 1), axis=0).mean()
    seconds = found.groupby("model").seconds.median()
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for name, share in left.items():
        is_ours = NAMES[name].startswith("Kindling")
        axes.scatter(seconds[name], share, color="#c2410c" if is_ours else "#64748b", zorder=3)
        side = 4 if is_ours else -10  # above or below: neighbours are mostly ours and another's
        place = {"xytext": (6, side), "textcoords": "offset points", "fontsize": 8}
        axes.annotate(NAMES[name].replace("`", ""), (seconds[name], share), **place)
    axes.set(xscale="log", xlabel="median seconds of a fit, one core")
    axes.set(ylabel="mean error: 0 is a set's best model, 1 its worst")
    axes.margins(x=0.5)
    axes.grid(alpha=0.3)
    figure.savefig(file, dpi=150)


if __name__ == "__main__":
    main()
