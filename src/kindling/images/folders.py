"""A folder of class folders in; its image files with their labels, and what was left out, out."""

from pathlib import Path

from kindling.errors import Problem
from kindling.images.decode import SUFFIXES
from kindling.images.listing import Listing, some_of
from kindling.types import SPLITS, Split

STAGE_NAMES: dict[str, Split] = {
    **{stage: stage for stage in SPLITS},
    **{"training": "train", "valid": "val", "validation": "val", "testing": "test"},
}


def list_folders(root: Path, *, follow_links: bool = False) -> Listing:
    """List the images of all class folders, and what is in the way of using them."""
    listing = Listing(root, follow_links)
    stages = stage_folders(listing)
    for top, stage in stages or [(root, None)]:
        listing.add_classes(top, stage)
    listing.faults += listing.problems() + _misplaced([each.name for each in listing.misplaced])
    listing.faults += [] if listing.faults else _unusable(listing, has_stages=bool(stages))
    return listing


def stage_folders(listing: Listing) -> list[tuple[Path, Split | None]]:
    """Find the folders named for a stage, where there is one for train that holds folders."""
    children = listing.children(listing.root)
    found: list[tuple[Path, Split | None]] = [
        (path, STAGE_NAMES[path.name.lower()])
        for path in children
        if path.name.lower() in STAGE_NAMES and path.is_dir()
    ]
    trains = [path for path, stage in found if stage == "train"]
    if not any(inner.is_dir() for path in trains for inner in listing.children(path)):
        return []
    listing.beside = [p.name for p in children if p not in dict(found) and _is_data(p)]
    return found


def _is_data(path: Path) -> bool:
    return path.is_dir() or path.suffix.lower() in SUFFIXES


def _misplaced(names: list[str]) -> list[Problem]:
    if not names:
        return []
    rule = "an image must lie in a folder that is named for its class"
    fix = (
        "move them into data.path/CLASS/, or type data.labels=FILE.csv with columns file and label "
        "(images without a label are for `kindling predict`)"
    )
    return [Problem(rule, some_of(names), fix, "D406")]


def _unusable(listing: Listing, *, has_stages: bool) -> list[Problem]:
    """Refuse class folders from which nothing can be learnt."""
    labels = sorted({entry.label for entry in listing.entries})
    rule = "data.path must hold class folders: data.path/CLASS/*.png"
    if not labels:
        others = "".join(f"; {problem.got}" for problem in listing.findings())
        got = f"no images in {listing.root}{others}"
        return [Problem(rule, got, "put the images of each class into a folder of its own", "D407")]
    if not has_stages and all(label.lower() in STAGE_NAMES for label in labels):
        got = f"folders {some_of(labels)} without class folders in them"
        fix = f"use data.path/{labels[0]}/CLASS/*.png, or type data.labels=FILE.csv"
        return [Problem(rule, got, fix, "D407")]
    if len(labels) == 1:
        inner = sorted({entry.file.parent for entry in listing.entries})
        is_above = not has_stages and len(inner) > 1
        fix = f"did you mean data.path={inner[0].parent}?" if is_above else "add a second class"
        rule = "there must be two class folders or more"
        return [Problem(rule, f"only {labels[0]}", fix, "D407")]
    return []
