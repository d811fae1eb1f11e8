"""Write findings as JSON can hold them, for what is read from a cache later."""

from collections.abc import Iterable
from typing import Any

from kindling.errors import Problem
from kindling.fixes import Setting


def findings_to_plain(findings: Iterable[Problem]) -> list[dict[str, Any]]:
    """Write findings as JSON can hold them; a value that only a person knows is left out."""

    def plain(way: Any) -> Any:
        if not isinstance(way, Setting):
            return way
        value = {} if way.value is ... else {"value": way.value}
        return {"key": way.key, "words": way.words, **value}

    kept = []
    for problem in findings:
        ways = problem.fix if isinstance(problem.fix, tuple) else (problem.fix,)
        kept.append(vars(problem) | {"fix": [plain(way) for way in ways]})
    return kept


def findings_from_plain(kept: Iterable[dict[str, Any]]) -> list[Problem]:
    """Read what `findings_to_plain` wrote."""
    found = []
    for each in kept:
        ways = tuple(Setting(**way) if isinstance(way, dict) else way for way in each["fix"])
        found.append(Problem(**each | {"fix": ways}))
    return found
