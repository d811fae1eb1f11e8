"""Run `kindling COMMAND ...`: find the command's file, parse its arguments, answer with exit codes.

Nothing heavy is imported here: --help, --version and a misspelt word are answered at once.
"""

import argparse
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from kindling.cli.input_output import add_json, print_json
from kindling.errors import ConfigError, Problem
from kindling.fixes import Command, Interface, speaking
from kindling.formatting import did_you_mean
from kindling.run.exit import exit_codes
from kindling.version import __version__

ABOUT = "`kindling ...`: what is done with a finished run or a file, or asked of this machine."
# A command is the module of that name in this folder (env is a class below), imported only when it
# is typed. Its docstring, with an example, is its help; it has add_arguments(parser) and
# run(arguments). A project may do without the rooms of some, and their files.
TEXTS = {
    "predict": "predictions for the rows of a file, or for images",
    "evaluate": "the test metrics again, or those on a new labelled file",
    "prepare": "a table read, split and transformed once, for runs that start at once",
    "compare": "one table over many runs",
    "export": "one file that other programs run: ONNX or torch.export",
    "serve": "an address that answers with predictions, and a page for a person",
    "inspect": "what is found in a file, column by column, before anything is trained",
    "env": "versions, and which devices can be used here",
}
HERE = {"env", *(file.stem for file in Path(__file__).parent.glob("*.py"))}
COMMANDS = {name: text for name, text in TEXTS.items() if name in HERE}


class Parser(argparse.ArgumentParser):
    """Says what is wrong as everything else here does: the rule, what was got, what to type."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise ConfigError(Problem(message, self.prog, Command(*self.prog.split(), "--help")))


class Env:
    """Show versions, and which devices can be used here: what a run would record of this machine.

    kindling env
    kindling env --json
    """

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        """Add what can be typed behind `kindling env`."""
        add_json(parser)

    @staticmethod
    def run(arguments: argparse.Namespace) -> None:
        """Print them, with the reason where a device is not usable."""
        from kindling.run.console import show_plan
        from kindling.run.run_files import describe_environment
        from kindling.trainer.device import why_not

        found = describe_environment(Path.cwd())
        devices = {"cpu": "usable"} | {kind: why_not(kind) or "usable" for kind in ("cuda", "mps")}
        if arguments.json:
            print_json(found | {"devices": devices})
        else:
            packages = found.pop("packages")
            found["CUDA version"] = found.pop("cuda")
            show_plan({name: str(text) for name, text in (found | packages | devices).items()})


def main(words: list[str] | None = None) -> None:
    """Run the command that was typed; exit codes as in `kindling.run.exit`."""
    words = sys.argv[1:] if words is None else words
    command = command_of(words[0]) if words and words[0] in COMMANDS else None
    with speaking(spoken_by(command)), exit_codes(debug="--debug" in words):
        if command is None:
            answer(words)
        else:
            run_command(*words)


def run_command(name: str, *words: str) -> None:
    """Import one command, read its arguments, and run it."""
    command = command_of(name)
    parser = make_parser(f"kindling {name}", command.__doc__)
    command.add_arguments(parser)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    arguments, unknown = parser.parse_known_intermixed_args(words)  # options anywhere
    if unknown:
        raise ConfigError(*(unknown_word(parser, word) for word in unknown))
    command.run(arguments)


def command_of(name: str) -> Any:
    """Import the module of a command."""
    return Env if name == "env" else import_module(f"kindling.cli.{name}")


def spoken_by(command: Any) -> Interface:
    """Say which settings of a training a command takes as options, and where the others go."""
    elsewhere = getattr(command, "ELSEWHERE", Interface.elsewhere)
    section = getattr(command, "SECTION", "")
    options = getattr(command, "OPTIONS", {})
    return Interface("options", options, elsewhere=elsewhere, section=section)


def answer(words: list[str]) -> None:
    """Answer --help and --version, or say that there is no such command."""
    width = max(map(len, COMMANDS))
    lines = "\n".join(f"  {name:<{width}}  {text}" for name, text in COMMANDS.items())
    example = "kindling COMMAND --help tells more, such as: kindling predict --help"
    parser = make_parser("kindling", f"{ABOUT}\n\n{lines}\n\n{example}")
    parser.usage = "kindling COMMAND ..."
    parser.add_argument("--version", action="version", version=f"kindling {__version__}")
    _, unknown = parser.parse_known_args(words)
    if not unknown:
        parser.print_help(sys.stderr)
        sys.exit(ConfigError.exit_code)
    rule = f"a command is one of {', '.join(COMMANDS)}"
    fix = did_you_mean(
        f"kindling {unknown[0]}", [f"kindling {name}" for name in COMMANDS], cutoff=0.8
    )
    raise ConfigError(Problem(rule, f"kindling {unknown[0]}", fix or Command("kindling", "--help")))


def make_parser(name: str, text: str | None) -> Parser:
    """Make a parser that shows its text as it is written, and guesses nothing."""
    raw = argparse.RawDescriptionHelpFormatter
    return Parser(prog=name, description=text, formatter_class=raw, allow_abbrev=False)


def unknown_word(parser: Parser, word: str) -> Problem:
    """Say what an option that is not there may have meant."""
    options = re.findall(r"--[\w-]+", parser.format_usage())
    rule = f"{parser.prog} takes {', '.join(options)}" if word[:1] == "-" else "one word too many"
    near = did_you_mean(word, options)
    return Problem(rule, word, near or Command(*parser.prog.split(), "--help"))


if __name__ == "__main__":  # python -m kindling.cli.command_line
    main()
