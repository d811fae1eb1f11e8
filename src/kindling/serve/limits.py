"""What one request may cost, and the answer to one that cannot be served; plain values."""

from dataclasses import dataclass

MAX_TOLD = 20  # mistakes in one answer


@dataclass(frozen=True)
class Limits:
    """Bounds on a request; the defaults suit one machine and people who mean well.

    Args:
        body_bytes: of one request, files included.
        rows: of one table.
        columns: of one table, the unused ones included.
        images: in one request.
        pixels: of one image, as its file says before it is decoded.
        seconds: from the first byte of a request to its answer.
        waiting: requests that are read or wait for their turn at one time.
    """

    body_bytes: int = 10 << 20
    rows: int = 100_000
    columns: int = 10_000
    images: int = 64
    pixels: int = 50_000_000
    seconds: float = 30.0
    waiting: int = 64


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong with a request.

    Args:
        message: what it must be, and what was got.
        field: the column or the file that it is about, if it is about one.
        row: of the request, counted from 0.
    """

    message: str
    field: str | None = None
    row: int | None = None


class Refusal(Exception):
    """A request that cannot be served: its HTTP status and what is wrong with it."""

    def __init__(self, status: int, *mistakes: Mistake) -> None:
        assert mistakes
        super().__init__(mistakes[0].message)
        self.status = status
        self.mistakes = mistakes[:MAX_TOLD]


def refuse(status: int, message: str) -> Refusal:
    """Make a refusal that is about the request as a whole."""
    return Refusal(status, Mistake(message))
