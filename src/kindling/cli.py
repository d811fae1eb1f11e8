"""`kindling ...`: what is done with a finished run, or asked of this machine."""

import argparse
import json
import sys

from kindling import __version__


def main() -> None:
    """Read the command line and run the command; exit codes as in `kindling.run.main`."""
    parser = argparse.ArgumentParser(prog="kindling", description=__doc__)
    parser.add_argument("--version", action="version", version=f"kindling {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    env = commands.add_parser(
        "env", help="versions, and which devices can be used here", epilog="example: kindling env"
    )
    env.set_defaults(run=show_environment)
    arguments = parser.parse_args()
    arguments.run()


def show_environment() -> None:
    """Print, as JSON, what a run would record of this machine, and why a device is not usable."""
    from kindling.run.device import why_not
    from kindling.run.record import describe_environment

    devices = {"cpu": "usable"} | {kind: why_not(kind) or "usable" for kind in ("cuda", "mps")}
    json.dump(describe_environment() | {"devices": devices}, sys.stdout, indent=2)
    sys.stdout.write("\n")
