"""Sum up a search: how many trials, the best one as a command, all of them, what mattered."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kindling.config.run_state import LATER
from kindling.formatting import short_path
from kindling.quoting import shell_line
from kindling.rooms import entry
from kindling.run.console import show_plan
from kindling.search.study import WORDS, trial_folder

ENOUGH = 8  # finished trials, so that an importance says something
PICTURE = "importance.png"


def sum_up(study: Any, folder: Path, monitor: str, fixed: Sequence[str]) -> None:
    """Print the table of all runs, then the best settings as a command to paste."""
    from optuna.trial import TrialState

    trials = study.get_trials(deepcopy=False)
    whole = [each for each in trials if each.state == TrialState.COMPLETE]
    own = [trial_folder(folder, each.number) for each in whole]
    print_runs = entry("print_runs")
    if print_runs and any(each.is_dir() for each in own):
        print_runs(own, sort=monitor)
    states = Counter(each.state.name for each in trials)
    counted = {"COMPLETE": "to their end", "PRUNED": "ended early", "FAIL": "failed"}
    told = [f"{states[name]} {words}" for name, words in counted.items() if states[name]]
    lines = {"trials": f"{sum(states.values())}: {', '.join(told)}"}
    if whole:
        best = study.best_trial
        # Neither changes the weights, and what a search leaves out the best run should have.
        kept = [word for word in fixed if word.partition("=")[0] not in LATER]
        words = [*kept, *best.user_attrs[WORDS]]
        place = short_path(str(trial_folder(folder, best.number)))
        lines["best"] = f"trial {best.number}, {monitor} {best.value:.5g}, {place}"
        lines["again"] = shell_line(["python", "train.py", *words])
    if picture := draw_importance(study, whole, folder / PICTURE):
        lines["picture"] = short_path(str(picture))
    show_plan(lines)


def draw_importance(study: Any, whole: Sequence[Any], file: Path) -> Path | None:
    """Draw how much each setting mattered for the value; None where too few trials tell it."""
    drawn = {key for each in whole for key in each.params}
    varied = [key for key in drawn if len({each.params.get(key) for each in whole}) > 1]
    if len(whole) < ENOUGH or len(varied) < 2 or len({each.value for each in whole}) < 2:
        return None
    from optuna.importance import get_param_importances

    from kindling.plotting import BLUE, figure_style, new_axes

    importance = get_param_importances(study, params=sorted(varied))
    with figure_style():
        figure, axes = new_axes(height=1.2 + 0.3 * len(importance))
        axes.barh([*importance][::-1], [*importance.values()][::-1], color=BLUE)
        axes.set_xlabel("share of what the settings explain")
        axes.set_title(f"What mattered in {len(whole)} trials")
        figure.savefig(file, dpi=160)
    return file
