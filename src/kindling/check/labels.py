"""Class names and the train rows' labels in; what is odd about them out."""

from collections import defaultdict

from kindling.errors import Problem
from kindling.types import DataSpec

MAX_NAMED = 5


def label_findings(spec: DataSpec) -> list[Problem]:
    """Find classes with a single train row, and names that are hard to tell apart."""
    found = []
    counted = zip(spec.classes, spec.class_counts, strict=True)
    single = [name for name, count in counted if count == 1]
    if single:
        rule = f"a class of {spec.target!r} should have several train rows"
        more = ", ..." if len(single) > MAX_NAMED else ""
        got = f"one row of {', '.join(map(repr, single[:MAX_NAMED]))}{more}"
        found.append(Problem(rule, got, "give more rows of it, or join it with another", "D207"))
    alike = defaultdict(list)
    for name in spec.classes:
        alike[" ".join(name.casefold().split())].append(name)
    pairs = [" and ".join(map(repr, names)) for names in alike.values() if len(names) > 1]
    if pairs:
        rule = f"classes of {spec.target!r} should differ in more than case and spaces"
        got = "; ".join(pairs[:MAX_NAMED])
        found.append(Problem(rule, got, "write them alike if they are one", "D208"))
    return found
