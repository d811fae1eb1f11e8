"""What image files say of themselves in; what a person should know of it, by code, out."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from kindling.errors import Problem
from kindling.images.decode import SUFFIXES, Header
from kindling.images.listing import MAX_NAMED, Entry, some_of
from kindling.images.schema import ImageSchema

MIN_SIZE_PX = 8  # a side below this shows nothing, and no network takes it


def odd_headers(
    entries: Sequence[Entry], headers: Sequence[Header | None], schema: ImageSchema
) -> list[Problem]:
    """Find files that can be used, but are not quite what one expects."""
    pairs = [(e, h) for e, h in zip(entries, headers, strict=True) if h is not None]
    size = (schema.height, schema.width)

    def sized(is_odd: Callable[[Header], bool]) -> list[str]:
        return [f"{e.name} ({h.height}x{h.width})" for e, h in pairs if is_odd(h)]

    kinds = {
        "D413": (
            f"images should have the size that is learnt from, {size[0]}x{size[1]} pixels",
            sized(lambda h: (h.height, h.width) != size),
            f"they are resized by data.fit={schema.fit}; data.size=[height,width] takes another",
        ),
        "D414": (
            "an image should be a single picture",
            [e.name for e, h in pairs if h.has_more_frames],
            "the first frame or page is taken; save the others as files if you need them",
        ),
        "D415": (
            "an image should hold the format that its name says",
            [
                f"{e.name} ({h.format})"
                for e, h in pairs
                if h.format != SUFFIXES.get(e.file.suffix.lower())
            ],
            "read by their content; rename them for other programs",
        ),
        "D416": (
            f"both sides of an image should have {MIN_SIZE_PX} pixels or more",
            sized(lambda h: min(h.height, h.width) < MIN_SIZE_PX),
            "take them out if they show nothing",
        ),
    }
    return [
        Problem(rule, f"{len(names):,} of {len(entries):,}: {some_of(names)}", fix, code)
        for code, (rule, names, fix) in kinds.items()
        if names
    ]


def summarise(problems: Sequence[Problem]) -> list[Problem]:
    """Make one problem of all of a kind, and name the first few files."""
    kinds: dict[Problem, list[str]] = {}
    for problem in problems:
        kinds.setdefault(replace(problem, got=""), []).append(problem.got)
    return [replace(kind, got=_some(sorted(got))) for kind, got in kinds.items()]


def _some(got: list[str]) -> str:
    more = f"; ... ({len(got):,} files in all)" if len(got) > MAX_NAMED else ""
    return "; ".join(got[:MAX_NAMED]) + more
