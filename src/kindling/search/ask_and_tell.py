"""Ask the study for settings, run trials with them, and tell it what came of each."""

import math
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kindling.formatting import count, printable, short_path
from kindling.quoting import as_override, shell_line
from kindling.search.space import suggest
from kindling.search.study import WORDS, make_sampler, trial_folder
from kindling.search.trials import Outcome, TrialProcess, end_all

FIRST_FAILURES = 3  # that end a search in which nothing has gone well yet
FAILURE = "failure"  # a trial's attribute: why it failed
TWIN = "same_as"  # likewise: the number of the trial with the same settings
POLL_S = 0.05


@dataclass
class Search:
    """A search that goes on: its study, its words, and the trials that run."""

    study: Any
    space: Any
    fixed: list[str]
    folder: Path
    monitor: str
    seed: int
    options: Mapping[str, Any]
    running: list[TrialProcess] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)  # of the trials that ended in this process
    is_over: bool = False

    def go(self) -> None:
        """Take up what was left, then run new trials, `n_jobs` at a time."""
        n_trials, n_jobs = self.options["n_trials"], self.options["n_jobs"]
        done = [each for each in self.study.trials if each.state.is_finished()]
        left = [each for each in self.study.trials if not each.state.is_finished()]
        goes_on = f", {len(done)} finished already" if done or left else ""
        say("search", f"{short_path(str(self.folder))}: {count(n_trials, 'trial')}{goes_on}")
        say("stop", f"at any time; go on with: {self.command}")
        finished = len(done)
        while True:
            while len(self.running) < n_jobs and finished + len(self.running) < n_trials:
                number = left.pop(0).number if left else len(self.study.get_trials(False))
                finished += self.begin(number)
            if not self.running:
                break
            finished += self.wait()
            if self.has_failed_at_first:
                say("search", f"ends: none of the first {len(self.codes)} trials went well")
                break
        self.is_over = True

    @property
    def command(self) -> str:
        """Write the command that goes on with this search."""
        typed = [word for word in sys.argv[1:] if not word.startswith("hydra.sweep.dir=")]
        folder = as_override("hydra.sweep.dir", short_path(str(self.folder)))
        return shell_line(["python", "train.py", *typed, folder])

    @property
    def has_failed_at_first(self) -> bool:
        """Say whether nothing but failures has been seen: what all trials share is wrong, then."""
        return len(self.codes) >= FIRST_FAILURES and not self.is_well

    @property
    def is_well(self) -> bool:
        """Say whether a trial has come to its end, or was ended early."""
        states = {each.state.name for each in self.study.get_trials(False)}
        return bool(states & {"COMPLETE", "PRUNED"})

    def begin(self, number: int) -> bool:
        """Start a trial; say whether it is finished at once: its settings were tried before."""
        from optuna.trial import Trial

        self.study.sampler = make_sampler(self.options["sampler"], self.seed, number)
        trials = self.study.get_trials(False)
        is_new = number == len(trials)
        trial = self.study.ask() if is_new else Trial(self.study, trials[number]._trial_id)
        words = suggest(trial, self.space)
        name = f"trial {number}"
        trial.set_user_attr(WORDS, words)
        if is_new and (twin := self.twin(words)) is not None:
            trial.set_user_attr(TWIN, twin.number)
            self.study.tell(trial, twin.value)
            say(name, f"the settings of trial {twin.number}: not run again")
            return True
        slot = min({*range(self.options["n_jobs"])} - {each.slot for each in self.running})
        began = TrialProcess(trial, trial_folder(self.folder, number).absolute(), words, slot)
        say(name, f"{'' if is_new else 'is taken up again: '}{shell_line(words)}")
        began.start(self.fixed, self.monitor, self.environment(slot))
        self.running.append(began)
        return False

    def twin(self, words: Sequence[str]) -> Any:
        """Return the trial that has had these settings, as the same seed gives the same value."""
        from optuna.trial import TrialState

        for each in self.study.get_trials(False, states=(TrialState.COMPLETE,)):
            if TWIN not in each.user_attrs and each.user_attrs[WORDS] == list(words):
                return each
        return None

    def environment(self, slot: int) -> dict[str, str]:
        """Share the machine's cores and devices between the trials at a time."""
        found, n_jobs, devices = {}, self.options["n_jobs"], self.options["devices"]
        if n_jobs > 1 and "OMP_NUM_THREADS" not in os.environ:
            found["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // n_jobs))
        if devices:
            found["CUDA_VISIBLE_DEVICES"] = str(devices[slot % len(devices)])
        return found

    def wait(self) -> int:
        """Wait until trials end, and tell the study; return how many have ended."""
        ended: list[tuple[TrialProcess, Outcome]] = []
        while not ended:
            time.sleep(POLL_S)
            for each in self.running:
                outcome = each.outcome(self.monitor, self.options["timeout_s"])
                ended += [] if outcome is None else [(each, outcome)]
        for each, outcome in ended:
            self.running.remove(each)
            self.tell(each, outcome)
        return len(ended)

    def tell(self, ended: TrialProcess, outcome: Outcome) -> None:
        """Put into the study what came of a trial, and say it."""
        from optuna.trial import TrialState

        ended.note.unlink(missing_ok=True)
        seconds = f"{time.monotonic() - ended.began_s:.3g} s"
        name = f"trial {ended.trial.number}"
        is_failed = bool(outcome.reason)
        self.codes.append((outcome.code or 1) if is_failed else 0)
        if is_failed:
            ended.trial.set_user_attr(FAILURE, outcome.reason)
            self.study.tell(ended.trial, state=TrialState.FAIL)
            place = short_path(str(ended.log))
            say(name, f"failed with exit code {outcome.code}: {outcome.reason}; see {place}")
        elif math.isnan(outcome.value):
            self.study.tell(ended.trial, state=TrialState.PRUNED)
            say(name, f"ended early after {seconds}: worse than others were by then")
        else:
            self.study.tell(ended.trial, outcome.value)
            best = ", the best so far" if self.study.best_trial.number == ended.trial.number else ""
            say(name, f"{self.monitor} {outcome.value:.5g} in {seconds}{best}")

    def stop(self) -> None:
        """End the trials that run, which are taken up again, and say how to go on."""
        end_all(self.running)
        if not self.is_over:
            sys.stderr.write(f"\nstopped; go on with: {self.command}\n")

    def leave(self) -> None:
        """Leave with the code of the first failure, where no trial has gone well."""
        code = next((code for code in self.codes if code), 0)
        if code and not self.is_well:
            sys.exit(code if code > 0 else 128 - code)


def say(name: str, text: str) -> None:
    """Print a line at once, also into a file or a pipe."""
    sys.stdout.write(f"{name:<9} {printable(text)}\n")
    sys.stdout.flush()
