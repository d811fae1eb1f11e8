"""Show versions, and which devices can be used here: what a run would record of this machine.

kindling env
kindling env --json
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path


def add_arguments(parser: ArgumentParser) -> None:
    """Add what can be typed behind `kindling env`."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: Namespace) -> None:
    """Print them, with the reason where a device is not usable."""
    from kindling.cli.console import print_json
    from kindling.run.console import show_plan
    from kindling.run.record import describe_environment
    from kindling.trainer.device import why_not

    found = describe_environment(Path.cwd())
    devices = {"cpu": "usable"} | {kind: why_not(kind) or "usable" for kind in ("cuda", "mps")}
    if arguments.json:
        print_json(found | {"devices": devices})
    else:
        packages = found.pop("packages")
        found["CUDA version"] = found.pop("cuda")
        show_plan({name: str(text) for name, text in (found | packages | devices).items()})
