"""The two errors that a user can cause, each carrying the whole list of what is wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from kindling.codes import CODES, Severity
from kindling.fixes import MODEL, Command, Fix, interface
from kindling.formatting import printable


@dataclass(frozen=True)
class Problem:
    """One thing to mend: the rule, what was got instead, and what to type.

    Args:
        fix: words, a Setting or a Command (see fixes.py), or several of which any helps; nothing
            reads it but `do`.
        code: of the check that found it in the data, see codes.py; "" of a configuration.
        fix_for_rows: what to type where a finished model reads rows, if that is something else:
            no key of a training helps there.
        file, column, row, count: where it stands, for code: nothing ever parses the sentences. The
            row of the first cell is counted from 0; count is how many cells, rows or files are so.
        is_for_model: a finished model reads these rows: no key of a training helps.
    """

    rule: str
    got: str
    fix: Fix
    code: str = ""
    fix_for_rows: Fix = ""
    file: str = ""
    column: str = ""
    row: int | None = None
    count: int = 1
    is_for_model: bool = False

    def __post_init__(self) -> None:
        assert not self.code or self.code in CODES, f"{self.code} is not in codes.py"

    @property
    def severity(self) -> Severity:
        return CODES[self.code].severity if self.code else "error"

    @property
    def do(self) -> str:
        """Write the fix as it is typed for the command in use."""
        spoken = interface()
        return (MODEL if self.is_for_model and spoken.takes == "arguments" else spoken).say(
            self.fix
        )


class UserError(ValueError):
    """One or more problems that the user can mend; never raised itself, only its two kinds."""

    exit_code: int
    title: str

    def __init__(self, *problems: Problem) -> None:
        assert problems
        super().__init__(*problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(printable(f"{p.rule}; got {p.got}; {p.do}") for p in self.problems)


@contextmanager
def gathered(problems: list[Problem]) -> Iterator[None]:
    """Go on behind a DataError, its problems kept in the list."""
    try:
        yield
    except DataError as error:
        problems += error.problems


@contextmanager
def for_a_model() -> Iterator[None]:
    """Word what is to be typed for rows that a finished model reads."""
    try:
        yield
    except DataError as error:
        told = [replace(p, fix=p.fix_for_rows or p.fix, is_for_model=True) for p in error.problems]
        raise DataError(*told) from error


@contextmanager
def permitted(path: object) -> Iterator[None]:
    """Say of a file or folder that the system lets nobody read it, where that is so."""
    try:
        yield
    except PermissionError as error:
        place = error.filename or path
        rule, got = f"{path} must be permitted to be read", f"{error.strerror}: {place}"
        fix = Command("chmod", "u+r", place, after="and chmod u+x for the folders that it lies in")
        raise DataError(Problem(rule, got, fix, "D014")) from error


class ConfigError(UserError):
    """The configuration asks for something that cannot be done."""

    exit_code = 2
    title = "configuration"


class DataError(UserError):
    """The data cannot be used as they are."""

    exit_code = 3
    title = "data"
