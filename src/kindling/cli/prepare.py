"""Read, split, check and transform a table once, so that runs on it start at once.

kindling prepare data=table data.path=my.csv data.target=price -o prepared
python train.py data=prepared data.path=prepared

The words are those of `python train.py`. A run on the folder has the bits of one on the table, for
the same seed; another seed draws another order of the train rows, and the split stays.
"""

from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path

from kindling.cli.input_output import add_json, print_json
from kindling.errors import ConfigError, Problem
from kindling.fixes import OVERRIDES, Command, speaking


def add_arguments(parser: ArgumentParser) -> None:
    """Add what can be typed behind `kindling prepare`."""
    parser.add_argument("words", nargs="*", metavar="KEY=VALUE", help="as behind python train.py")
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="FOLDER")
    add_json(parser)


def conf_here() -> Path:
    """Find conf/ from the working directory, as train.py's own place is not known here."""
    from kindling.config.notebook import find_conf

    try:
        return find_conf(None)
    except ConfigError as error:
        told = [replace(problem, fix="type it where train.py lies") for problem in error.problems]
        raise ConfigError(*told) from error


def run(arguments: Namespace) -> None:
    """Build the data as a run would, and write them."""
    folder = arguments.output
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        rule, fix = "-o must name a folder that is not there yet", Command("-o", f"{folder}-2")
        raise ConfigError(Problem(rule, f"{folder}, in which something lies", fix))
    with speaking(OVERRIDES):
        from kindling.config.notebook import compose_checked
        from kindling.run.console import hide_adverts, show_plan

        cfg = compose_checked(arguments.words, conf_here())
        from lightning import seed_everything

        from kindling.prepared.prepared_set import write_set
        from kindling.run.build import build_data
        from kindling.run.plan import describe_rows

        hide_adverts()
        seed_everything(cfg.seed, verbose=False)
        data = build_data(cfg)
        write_set(folder, data)
    size = sum(file.stat().st_size for file in folder.iterdir())
    if arguments.json:
        print_json({"rows": len(data.raw.y), "bytes": size, "output": str(folder)})
        return
    splits = ", ".join(f"{len(rows):,} {split}" for split, rows in data.split.items())
    lines = {"data": describe_rows(cfg, data), "split": splits}
    lines |= {"wrote": f"{folder}, {size / 1e6:,.1f} MB"}
    show_plan(lines | {"train": f"python train.py data=prepared data.path={folder}"})
