"""Read the labels of images from the names of their folders, and the split where folders fix it.

data.path/CLASS/*.png, or data.path/train/CLASS/*.png with val and test beside. A folder may mean a
class, a split or a group of images, and its name alone does not always tell: what can be read in
two ways is asked for, or taken and said.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from kindling.errors import Problem
from kindling.fixes import Fix, Setting
from kindling.formatting import count, first_few
from kindling.images.folder_doubts import (
    folders_inside,
    named_for_splits,
    splits_inside,
    unwrap,
)
from kindling.images.listing import Folder, ListedImage, Listing, problems_by_rule
from kindling.images.lookalikes import find_lookalikes, mask_folders
from kindling.images.split_names import SplitName, plain_split, split_name
from kindling.types import SPLITS, Split

Folders = Literal["auto", "classes", "splits"]


def list_folders(
    root: Path,
    *,
    follow_links: bool = False,
    ignore: Sequence[str] = (),
    folders: Folders = "auto",
    group: bool = False,
) -> Listing:
    """List the images of all class folders, and what is in the way of using them.

    Args:
        root: data.path.
        follow_links: whether symbolic links may lead out of it.
        ignore: patterns of names that are left out.
        folders: what the folders in the root are; "auto" finds out, and asks where it cannot.
        group: whether images of one folder below the class belong together.
    """
    listing = Listing(root, follow_links, ignore=ignore)
    tree = listing.scan(root)
    splits = (
        [] if folders == "classes" else _split_folders(listing, tree, is_sure=folders != "auto")
    )
    if splits:
        _add_splits(listing, tree, splits, group=group)
    else:
        _add_without_splits(listing, tree, is_asked=folders == "classes", group=group)
    listing.faults += listing.problems() + _misplaced(listing)
    # Too few classes may be what another fault has led to: told only where there is none.
    listing.faults += [] if listing.faults else _too_few_classes(listing, tree, bool(splits))
    listing.doubts += find_lookalikes(listing.entries)
    for problem in [] if folders == "classes" else mask_folders(listing.entries):
        (listing.faults if problem.severity == "error" else listing.doubts).append(problem)
    listing.notes += listing.ignored_note()
    return listing


def add_classes(
    listing: Listing, top: Folder, split: Split | None = None, *, group: bool = False
) -> None:
    """List the images in each folder of a folder, labelled by its name."""
    for each in top.inside:
        if isinstance(each, Path):
            listing.misplaced.append(ListedImage(each, listing.name(each), "", split))
            continue
        listing.entries += _entries(listing, each, each, split, group=group)
        listing.empty += [] if each.holds_images else [listing.name(each.path)]


def _entries(
    listing: Listing, named: Folder, folder: Folder, split: Split | None, *, group: bool
) -> Iterator[ListedImage]:
    """Give the images in a folder, labelled by the name of this or another one."""
    label = unicodedata.normalize("NFC", named.name)  # a Mac writes the same name otherwise
    for each in folder.inside:
        files = each.walk() if isinstance(each, Folder) else [each]
        inner = each.name if group and isinstance(each, Folder) else ""
        yield from (ListedImage(f, listing.name(f), label, split, inner) for f in files)


def _split_folders(
    listing: Listing, tree: Folder, *, is_sure: bool
) -> list[tuple[Folder, SplitName]]:
    """Find the folders named for a split, where there is one for train that holds folders."""
    named = [(each, name) for each in tree.folders if (name := split_name(each.name))]
    # A class may be called "test": only a train folder with class folders in it makes it a split.
    trains = [
        (each, name) for each, name in named if name.split == "train" and unwrap(each).folders
    ]
    trains = [pair for pair in trains if pair[1].is_plain] or trains
    if not trains:
        if is_sure:
            rule = "data.folders=splits needs a folder named for train, with class folders in it"
            got = f"folders {first_few(each.name for each in tree.folders)}"
            fix: Fix = "rename them train, val and test, or leave data.folders out"
            listing.faults.append(Problem(rule, got, fix, "D418"))
        return []
    train, name = trains[0]
    found = [(each, other) for each, other in named if other.rest == name.rest]
    if not name.is_plain and not is_sure and not _share_classes(train, found):
        return []  # train_tracks is a class as well as a split
    others = [each.name for each in tree.folders if each not in [pair[0] for pair in found]]
    if len(found) == 1 and others and not is_sure:
        rule = "class folders inside a folder train may be those of a split, or of a class"
        got = f"{train.name} holds {first_few(f.name for f in train.folders)}, and lies beside "
        fix = (
            Setting("data.folders", "classes", "if it is a class"),
            Setting("data.path", str(train.path), "if it holds the classes"),
            Setting("data.ignore", others, "to leave the others out", is_added=True),
        )
        listing.faults.append(Problem(rule, got + first_few(others), fix, "D418"))
    for split in SPLITS:
        same = [each.name for each, other in found if other.split == split]
        if len(same) > 1:
            rule = "one folder may be named for each of train, val and test"
            fix = ("rename the one that is not", Setting("data.ignore", same[-1:], is_added=True))
            listing.faults.append(Problem(rule, first_few(same, separator=" and "), fix, "D418"))
    return found


def _share_classes(train: Folder, found: list[tuple[Folder, SplitName]]) -> bool:
    """Say whether another folder that is named like train holds class folders of the same name."""
    names = {each.name for each in unwrap(train).folders}
    others = (unwrap(each).folders for each, name in found if name.split != "train")
    return any(names & {each.name for each in folders} for folders in others)


def _add_splits(
    listing: Listing, tree: Folder, splits: list[tuple[Folder, SplitName]], *, group: bool
) -> None:
    tops = [(unwrap(folder), name.split) for folder, name in splits]
    known = {each.name for top, split in tops if split == "train" for each in top.folders}
    for top, split in tops:
        # As Kaggle gives it: test/ without classes, or all of it in test/unknown/.
        names = {each.name for each in top.folders}
        if split != "train" and top.holds_images and len(names) < 2 and not names & known:
            listing.faults.append(_unlabelled(listing, top, split))
        else:
            add_classes(listing, top, split, group=group)
            if split == "train" and not group:
                _look_inside(listing, top)
    taken = {folder.name for folder, _ in splits}
    for each in tree.inside:
        if isinstance(each, Path):
            listing.beside.append(each.name)
        elif each.name not in taken:
            number = sum(1 for _ in each.walk())
            listing.beside.append(
                f"{each.name} ({count(number, 'image')})" if number else each.name
            )
    if any(listing.name(top.path) != split for top, split in tops):
        words = ", ".join(f"{listing.name(top.path)} is {split}" for top, split in tops)
        listing.notes.append(f"folders: {words}")


def _unlabelled(listing: Listing, top: Folder, split: Split) -> Problem:
    files = list(top.walk())
    rule = f"the {split} images must lie in class folders, as those of train do"
    got = f"{count(len(files), 'image')} in {listing.name(top.path)}, such as {files[0].name}"
    name = listing.name(top.path).partition("/")[0]
    words = f"to leave them out: another {split} set is drawn, and kindling predict labels them"
    fix = Setting("data.ignore", [name], words, is_added=True)
    return Problem(rule, got, fix, "D406", count=len(files))


def _add_without_splits(listing: Listing, tree: Folder, *, is_asked: bool, group: bool) -> None:
    """Take the folders in the root for classes, unless what lies in them speaks against it."""
    inner = [] if is_asked else splits_inside(tree)
    if inner:
        for named in tree.folders:
            for each in named.folders:
                split = plain_split(each.name)
                listing.entries += _entries(listing, named, each, split, group=group)
        words = ", ".join(f"CLASS/{name} is {plain_split(name)}" for name in inner)
        listing.notes.append(f"folders: {words}")
        return
    add_classes(listing, tree, group=group)
    if not is_asked:
        listing.faults += named_for_splits(tree)
        if not group and not listing.faults:
            _look_inside(listing, tree)


def _look_inside(listing: Listing, top: Folder) -> None:
    faults, doubts = folders_inside(top)
    listing.faults += faults
    listing.doubts += doubts


def _misplaced(listing: Listing) -> list[Problem]:
    rules: dict[str, tuple[list[str], Fix]] = {
        "an image must lie in a folder that is named for its class": (
            sorted(each.name for each in listing.misplaced),
            (
                "move them into data.path/CLASS/",
                Setting("data.labels", _table(listing), "a table with columns file and label"),
                "leave them for kindling predict",
            ),
        )
    }
    return problems_by_rule(rules, "D406")


def _table(listing: Listing) -> Any:
    """Return the table among the images that may hold their labels, where there is one alone."""
    ends = [end for end in (".csv", ".parquet") if listing.other_files[end]]
    is_one = len(ends) == 1 and listing.other_files[ends[0]] == 1
    return str(listing.examples[ends[0]]) if is_one else ...


def _too_few_classes(listing: Listing, tree: Folder, has_splits: bool) -> list[Problem]:
    """Refuse class folders from which nothing can be learnt."""
    labels = sorted({entry.label for entry in listing.entries})
    rule = "data.path must hold class folders: data.path/CLASS/*.png"
    if not labels:
        found = listing.findings()
        got = f"no images in {listing.root}" + "".join(f"; {problem.got}" for problem in found)
        fix: Fix = "put the images of each class into a folder of its own"
        fix = found[0].fix if listing.other_files and found else fix
        return [Problem(rule, got, fix, "D407")]
    if not has_splits and all(plain_split(label) for label in labels):
        got = f"folders {first_few(labels)} without class folders in them"
        train = next((label for label in labels if plain_split(label) == "train"), labels[0])
        fix = (f"move the images to {train}/CLASS", Setting("data.labels", _table(listing)))
        return [Problem(rule, got, fix, "D407")]
    if len(labels) == 1:
        top = tree.folders[0]
        while len(top.folders) == 1 and not top.images:
            top = top.folders[0]
        # Class folders one level below are taken for folders of a single class.
        is_above = not has_splits and len(top.folders) > 1
        fix = Setting("data.path", str(top.path)) if is_above else "add a second class"
        rule = "there must be two class folders or more"
        return [Problem(rule, f"only {labels[0]}", fix, "D407")]
    return []
