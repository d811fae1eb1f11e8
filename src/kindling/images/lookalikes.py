"""Find images that seem to be no samples of their own: masks, and copies under another ending.

By names alone: 001_mask.png beside 001.png, 001.bmp beside 001.png, a class folder called masks.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from kindling.errors import Problem
from kindling.fixes import Fix, Setting
from kindling.formatting import first_few
from kindling.images.listing import ListedImage
from kindling.images.split_names import is_filler

MASK_WORDS = (
    "masks?|seg|segmentations?|gt|groundtruth|annotations?|annotated|labels?|overlays?|"
    "thumbs?|thumbnails?|previews?|heatmaps?|superpixels"
)
MASK = re.compile(rf"(?:^|[\W_])({MASK_WORDS})(?=$|[\W_\d])", re.IGNORECASE)
# Names of folders: a class may be called mask, but hardly masks.
MASK_FOLDERS = frozenset(
    ("masks", "segmentations", "gt", "groundtruth", "annotations", "labels", "thumbnails")
)

CLASSES = Setting("data.folders", "classes", "if these are the classes")


def find_lookalikes(entries: list[ListedImage]) -> list[Problem]:
    """Warn of masks and copies that are about to be learnt as images of their class."""
    return [*_masks(entries), *_copies(entries)]


def _masks(entries: list[ListedImage]) -> list[Problem]:
    stems = {_stem(entry.name) for entry in entries}
    masks = {}
    for entry in entries:
        folder, stem = _stem(entry.name)
        match = MASK.search(stem)
        # "with_mask 7" is an image of a mask: only what lies beside its image is one.
        if match and any((folder, base) in stems for base in _bases(stem, match)):
            masks[entry.name] = match[0]
    if not masks:
        return []
    rule = "masks and previews should not be learnt as images of their class"
    got = f"{len(masks):,} of {len(entries):,}: {first_few(masks)}"
    patterns = sorted({f"*{word}*" for word in masks.values()})
    fix = _fix(patterns, set(masks), [entry.name for entry in entries])
    return [Problem(rule, got, fix, "D419", count=len(masks))]


def _bases(stem: str, match: re.Match[str]) -> Iterable[str]:
    """Give the names that the image of a mask may have: 1_mask_2 belongs to 1, mask_1 to 1."""
    before, after = stem[: match.start()], stem[match.end() :]
    yield before
    yield before + after
    yield after.lstrip("_- .")


def _copies(entries: list[ListedImage]) -> list[Problem]:
    same = defaultdict(list)
    for entry in entries:
        same[_stem(entry.name)].append(entry.name)
    twice = [names for names in same.values() if len(names) > 1]
    if not twice:
        return []
    rule = "files that differ in their ending only should not be learnt as two images"
    got = f"{len(twice):,} names: {first_few((' and '.join(names) for names in twice), 3)}"
    ends = {PurePosixPath(name).suffix for names in twice for name in names}
    involved = {name for names in twice for name in names}
    of_end = {end: {e.name for e in entries if e.name.endswith(end)} for end in sorted(ends)}
    whole = [end for end, names in of_end.items() if names <= involved]
    rest = "take one of each pair out, if it is a mask or a copy"
    fix: Fix = rest
    if whole:
        words = "if the other ones are meant"
        fix = (Setting("data.ignore", [f"*{whole[-1]}"], words, is_added=True), rest)
    return [Problem(rule, got, fix, "D419", count=len(twice))]


def mask_folders(entries: list[ListedImage]) -> list[Problem]:
    """Find class folders whose names say that they hold masks, or all images."""
    labels = sorted({entry.label for entry in entries})
    masks = [label for label in labels if label.lower().replace("_", "") in MASK_FOLDERS]
    others = [label for label in labels if label not in masks]
    if not masks or not others:
        return []
    if all(map(is_filler, others)):
        rule = "a folder below data.path must be a class, not all images or all their masks"
        fix: Fix = (Setting("data.labels", ..., "a table with the label of each image"), CLASSES)
        return [Problem(rule, f"folders {first_few(labels)}", fix, "D418")]
    rule = "a class folder should hold images, not masks or annotations of others"
    words = "to leave them out; nothing, if it is a class"
    fix = Setting("data.ignore", masks, words, is_added=True)
    return [Problem(rule, f"folders {first_few(masks)}", fix, "D419", count=len(masks))]


def _fix(patterns: list[str], masks: set[str], names: list[str]) -> Fix:
    """Propose patterns for data.ignore, if they leave out the masks and nothing else."""
    caught = {
        name
        for name in names
        if any(fnmatchcase(PurePosixPath(name).name, pattern) for pattern in patterns)
    }
    if caught != masks:
        return "move them out of data.path"
    return Setting("data.ignore", patterns, "to leave them out", is_added=True)


def _stem(name: str) -> tuple[str, str]:
    """Return the folder and the name without its ending."""
    folder, _, last = name.rpartition("/")
    return folder, last.rpartition(".")[0] or last
