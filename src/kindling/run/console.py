"""Print what a person reads: the plan, the final table, errors on one screen; nothing else."""

import logging
import os
import warnings
from collections.abc import Mapping

from kindling.errors import UserError
from kindling.formatting import printable

# Not for the user to act on: {message pattern: why it may be hidden}.
HIDDEN_WARNINGS = {
    ".*does not have many workers.*": "the data is in memory: workers would only cost time",
    ".*overrides the configure_model callback.*": "the network is sharded only by trainer=fsdp",
    ".*LeafSpec.*": "Lightning 2.6 builds it, not the user",
    ".*smaller than the logging interval.*": "losses are logged each epoch, however short it is",
    ".*with multiple `ModelCheckpoint` callbacks.*": "the first one keeps the best weights",
    ".*with manual optimization and every_n_train_steps.*": "the weights after a step are meant",
    ".*Starting from v1.9.0, `tensorboardX`.*": "tensorboard is installed",
    ".*dataloader is not resumable.*": "within an epoch only data modules go on that know how",
    ".*callbacks used to create the checkpoint need.*": "a resumed run names what was taken out",
    ".*Checkpoint directory .* exists and is not empty.*": "a resumed run goes on in its folder",
}
# For the packages behind logger=wandb and logger=mlflow: no reports on their use to anybody.
QUIET = {
    "WANDB_ERROR_REPORTING": "false",
    "WANDB_SILENT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}


def hide_adverts() -> None:
    """Silence what Lightning and loggers say of themselves; warnings and errors of theirs stay."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    logging.getLogger("lightning").setLevel(logging.WARNING)
    logging.getLogger("lightning.pytorch.utilities.rank_zero").setLevel(logging.WARNING)
    logging.getLogger("lightning.pytorch.loggers.mlflow").setLevel(logging.ERROR)
    for message in HIDDEN_WARNINGS:
        warnings.filterwarnings("ignore", message)


def show_problems(error: UserError) -> None:
    """Print every problem: the rule, what was got, what to type."""
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True, soft_wrap=True, highlight=False)
    count = len(error.problems)
    console.print(f"{count} problem{'s' * (count > 1)} in the {error.title}:", style="bold red")
    for problem in error.problems:
        code = f"{problem.code} " if problem.code else ""
        console.print(Text(f"\n  {code}{printable(problem.rule)}", style="bold"))
        console.print(Text(f"    got: {printable(problem.got)}"))
        console.print(Text(f"    do:  {printable(problem.do)}"))


def show_plan(lines: Mapping[str, str]) -> None:
    """Print one line for each thing that the run is made of."""
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True, highlight=False)
    width = max(map(len, lines))
    for label, text in lines.items():
        text = printable(text, keep="\n")
        console.print(Text.assemble((f"{label:<{width}}  ", "bold"), text))


def show_scores(columns: Mapping[str, Mapping[str, float]]) -> None:
    """Print one row for each metric, one column for each model."""
    from rich.console import Console
    from rich.table import Table

    table = Table("test", *map(printable, columns))
    for column in table.columns[1:]:
        column.justify = "right"
    for metric in next(iter(columns.values())):
        table.add_row(
            printable(metric),
            *(f"{scores.get(metric, float('nan')):.5g}" for scores in columns.values()),
        )
    Console(highlight=False).print(table)
