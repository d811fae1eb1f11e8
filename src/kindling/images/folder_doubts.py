"""Find what speaks against it that the folders below data.path are the classes.

They may be named for splits, or hold the splits or the classes themselves.
"""

from itertools import combinations

from kindling.errors import Problem
from kindling.fixes import Setting
from kindling.formatting import first_few
from kindling.images.listing import Folder
from kindling.images.lookalikes import CLASSES, MASK_FOLDERS
from kindling.images.split_names import is_filler, plain_split, split_name

MOSTLY = 0.5  # share of the images that lie one folder deeper than class folders do


def unwrap(folder: Folder) -> Folder:
    """Go into training_set/training_set or train/images, where only that holds class folders."""
    while len(folder.folders) == 1 and not folder.images:
        (inner,) = folder.folders
        same = plain_split(inner.name) == plain_split(folder.name) or inner.name == folder.name
        if not inner.folders or not (same or is_filler(inner.name)):
            break
        folder = inner
    return folder


def splits_inside(tree: Folder) -> list[str]:
    """List the names of splits that all class folders hold: CLASS/train/*.png, CLASS/test/*.png."""
    names = [{each.name for each in folder.folders} for folder in tree.folders]
    if len(names) < 2 or any(folder.images for folder in tree.folders):
        return []
    found = sorted(set().union(*names))
    splits = [plain_split(name) for name in found]
    is_one_each = len(set(splits)) == len(splits) and None not in splits
    has_train = all("train" in map(plain_split, inner) for inner in names)
    return found if is_one_each and has_train and len(found) > 1 else []


def named_for_splits(tree: Folder) -> list[Problem]:
    """Ask where the names of class folders speak of several splits: train_cats and test_cats."""
    named = {each.name: name for each in tree.folders if (name := split_name(each.name))}
    splits = {name.split for name in named.values()}
    # Folders train and test, with nothing but images in them, have a message of their own.
    is_plain = len(named) == len(tree.folders) and all(name.is_plain for name in named.values())
    if "train" not in splits or len(splits) == 1 or is_plain:
        return []
    rule = "a folder below data.path must be a class, or a split that holds class folders"
    got = f"folders named for splits, without class folders in them: {first_few(named)}"
    fix = (
        "move the images to train/CLASS and test/CLASS",
        CLASSES,
    )
    return [Problem(rule, got, fix, "D418")]


def folders_inside(tree: Folder) -> tuple[list[Problem], list[Problem]]:
    """Ask what class folders that hold folders are, or say as what they were taken."""
    inside = {each.name: unwrap(each) for each in tree.folders}
    deep = {name: each for name, each in inside.items() if len(each.folders) > 1}
    if not deep or len(inside) < 2:
        return [], []
    names = {name: [inner.name for inner in each.folders] for name, each in deep.items()}
    held = (f"{name} holds {first_few(inner, 3)}" for name, inner in names.items())
    got = first_few(held, 3, total=len(deep), noun="folders", separator="; ")
    sizes = {name: sum(1 for _ in each.walk()) for name, each in inside.items()}
    largest = inside[max(deep, key=lambda name: sizes[name])].path
    ways: tuple[str | Setting, ...] = (
        CLASSES,
        Setting("data.group", "folder", "if what is in them are groups, such as patients"),
    )
    there = Setting("data.path", str(largest), "if the classes are there")
    flat = [name for name, each in inside.items() if each.images and name not in deep]
    if _are_alike(list(names.values())):
        rule = "folders that hold folders of the same names may be no classes"
        masks = sorted(set().union(*names.values()) & MASK_FOLDERS)
        way = Setting("data.ignore", masks, "to leave them out", is_added=True) if masks else there
        return [Problem(rule, got, (way, *ways), "D418")], []
    rule = "class folders should hold images, and no folders of them"
    if flat and sum(sizes[name] for name in deep) >= MOSTLY * sum(sizes.values()):
        got += f", while {first_few(flat, 3)} has images of its own"
        return [Problem(rule, got, (there, *ways), "D418")], []
    got += f": taken as the classes {first_few(inside)}"
    ways = (*ways, "move the inner folders up if they are the classes")
    return [], [Problem(rule, got, ways, "D423", count=len(deep))]


def _are_alike(inner: list[list[str]]) -> bool:
    """Say whether two class folders hold mostly the same folders, two of them or more."""
    pairs = ((set(one), set(other)) for one, other in combinations(inner, 2))
    return any(len(a & b) > 1 and 2 * len(a & b) >= min(len(a), len(b)) for a, b in pairs)
