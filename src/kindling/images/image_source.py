"""Read a folder of images: class folders, or files named by a table of labels."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
from PIL import ImageColor

from kindling.config.ranges import Keys, OneOf, Pair, Range, Several
from kindling.errors import ConfigError, DataError, Problem, gathered
from kindling.files import at_home
from kindling.fixes import Setting
from kindling.images.class_folders import list_folders
from kindling.images.image_schema import MAX_PIXELS, RGB, Fit, ImageOptions, ImageSchema
from kindling.images.label_rows import FOLDER, LabelOptions
from kindling.images.labels_file import LabelledImages, label_problems, list_labelled
from kindling.images.listing import Listing, refuse_urls
from kindling.images.reading import find_faults, read_images
from kindling.kept_findings import findings_from_plain
from kindling.raw_data import RawData
from kindling.tables.csv_dialect import AUTO, asked_dialect
from kindling.tables.target import (
    infer_task,
    read_target,
    target_problems,
    to_target,
)
from kindling.types import Split


class ImageSource:
    """Reads image files below a folder.

    Args:
        path: `path/CLASS/*.png|jpg|...`, or `path/train`, `path/val`, `path/test` of that form.
        labels: a table with columns file and label, in place of class folders; a column split
            may fix the split.
        target: the column of labels that is learnt, or the columns of classes that are one-hot.
        group: a column of labels, or "folder", the one below the class: images with the same
            value stay together in one split.
        time: a column of labels: the test images are the latest, the val images the next.
        folders: what the folders in path are: "classes", "splits", or "auto": asked where it is
            in doubt.
        ignore: patterns of the names of files and folders to leave out, such as "*_mask.png", and
            columns of labels.
        csv: how the table of labels is written, where the guess is wrong; see `Dialect`.
        task: "auto", "classification" or "regression".
        size: [height, width] in pixels, or "auto": what most images have, no side over 128.
        channels: 1 (grey), 3 (colour), or "auto": 3 if any image has colour, and all bands of what
            is neither; so many of the first bands; or a list of bands, counted from 1.
        scale: what becomes of more than 8 bits: "auto" keeps them as float32 if all files have one
            bit depth, "none" in any case; "format" scales the range of the format to 0 to 255, and
            [low, high] this range.
        pages: which page or frame of a file is taken, counted from 1, or "first".
        fit: how another shape becomes this size: "pad" and "crop" keep it, "stretch" does not.
        background: a colour by name or #rrggbb, behind transparent pixels and in the padding.
        max_pixels: of one image; a larger one is not decoded.
        follow_links: whether symbolic links may lead out of the folder.
        cache: where decoded images are kept: "auto", "none" or a folder.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        labels: str | Path | None = None,
        target: str | Sequence[str] | None = None,
        group: str | None = None,
        time: str | None = None,
        folders: Literal["auto", "classes", "splits"] = "auto",
        ignore: Sequence[str] = (),
        csv: Annotated[Mapping[str, Any] | None, Keys("kindling.tables.csv_dialect.RULES")] = None,
        task: Literal["auto", "classification", "regression"] = "auto",
        size: Literal["auto"]
        | Annotated[
            Sequence[int], Pair(1, 4096, whole=True, words="[height,width] in pixels")
        ] = "auto",
        channels: Literal["auto"]
        | Annotated[int, Range(1, 1024)]
        | Annotated[Sequence[int], Several(1, 1024, words="a list of bands")] = "auto",
        scale: Literal["auto", "format", "none"]
        | Annotated[
            Sequence[float], Pair(-1e9, 1e9, words="[low,high] in the unit of the files")
        ] = "auto",
        pages: Literal["first"] | Annotated[int, Range(1, 1_000_000)] = "first",
        fit: Annotated[str, OneOf("pad", "crop", "stretch")] = "pad",
        background: str = "white",
        max_pixels: Annotated[int, Range(1)] = MAX_PIXELS,
        follow_links: bool = False,
        cache: str | Path = "auto",
    ) -> None:
        if fit not in get_args(Fit):
            rule = "data.fit must be pad, crop or stretch"
            raise ConfigError(Problem(rule, fit, Setting("data.fit", "pad")))
        self.options = ImageOptions(
            size=None if isinstance(size, str) else (int(size[0]), int(size[1])),
            channels=channels if isinstance(channels, int) else None,
            fit=cast(Fit, fit),
            background=_colour(background),
            max_pixels=max_pixels,
            bands=() if isinstance(channels, str | int) else tuple(channels),
            scale=_scale(scale),
            page=1 if isinstance(pages, str) else pages,
        )
        refuse_urls({"data.path": path, "data.labels": labels})
        self.path, self.labels = at_home(path), None if labels is None else at_home(labels)
        self.label_options = LabelOptions(
            task, target, group, time, asked_dialect(csv or {}, "data.csv.")
        )
        self.folders, self.ignore = folders, tuple(map(str, ignore))
        self.task, self.follow_links, self.cache = task, follow_links, str(cache)
        self._refuse_unused()

    def _refuse_unused(self) -> None:
        """Refuse settings of a table of labels without one, and of class folders with one."""
        asked, problems = self.label_options, []
        if self.labels is None:
            named = {"target": asked.target, "group": asked.group, "time": asked.time}
            fix = Setting("data.labels", ..., "the table with that column")
            problems = [
                Problem(f"data.{key} names a column of data.labels", f"data.{key}={value}", fix)
                for key, value in named.items()
                if value is not None and (key, value) != ("group", FOLDER)
            ]
            if asked.dialect != AUTO:
                rule, got = "data.csv says how data.labels is written", "no data.labels"
                problems.append(Problem(rule, got, "leave data.csv out"))
        elif self.folders != "auto":
            rule = (
                "data.folders says what class folders are, in place of which data.labels is given"
            )
            problems.append(Problem(rule, f"data.folders={self.folders}", "leave one of them out"))
        if problems:
            raise ConfigError(*problems)

    def missing(self) -> list[Problem]:
        problems = []
        if not self.path.is_dir():
            is_there = self.path.exists()
            got = f"the file {self.path}" if is_there else f"nothing at {self.path.absolute()}"
            rule = "data.path must be a folder of images"
            problems.append(Problem(rule, got, Setting("data.path"), "D001"))
        if self.labels is not None and not self.labels.is_file():
            got = f"nothing at {self.labels.absolute()}"
            fix = Setting("data.labels")
            problems.append(Problem("data.labels must be a file", got, fix, "D001"))
        return problems

    def read(self) -> RawData:
        found = self._list()
        listing, target = found.listing, found.target
        entries, problems = listing.entries, listing.faults
        if problems:
            # The files are looked at all the same: what is wrong with them is told at once.
            others = find_faults([*entries, *listing.misplaced], self.options)
            raise DataError(*problems, *others)
        # Faults of the pixels and of the labels are told together.
        with gathered(problems):
            decoded = read_images(entries, self.options, self.cache)
        is_regression, reason, unfit = self._infer(found)
        problems += unfit
        if problems:
            raise DataError(*problems)
        splits = np.array([entry.split for entry in entries], dtype=object)
        # train is what is left: without a val folder, the val rows are drawn from it.
        given: tuple[Split, ...] = ("val", "test")
        return RawData(
            x=decoded.images,
            y=to_target(target, is_regression=is_regression),
            target=str(target.name),
            is_regression=is_regression,
            reason=reason,
            names=np.array([entry.name for entry in entries], dtype=object),
            given={s: np.flatnonzero(splits == s) for s in given if (splits == s).any()},
            notes=(*listing.notes, *decoded.about["notes"]),
            findings=(
                *findings_from_plain(decoded.about["findings"]),
                *listing.findings(),
                *found.findings,
            ),
            groups=found.groups,
            times=found.times,
            on_disk=self.cache != "none",
            images=ImageSchema.from_plain(decoded.about["schema"]),
            content_hashes=decoded.content_hashes,
        )

    def _infer(self, found: LabelledImages) -> tuple[bool, str, list[Problem]]:
        """Say whether values are learnt rather than labels, why, and what is wrong with them."""
        is_regression, reason = infer_task(found.target, self.task)
        file = str(self.labels or self.path)
        problems = target_problems(found.target, is_regression=is_regression, file=file)
        if self.labels is None:
            return is_regression, reason if is_regression else "each folder is a class", problems
        # With so many different labels, the column is likely another one than was meant.
        if not problems and not is_regression:
            problems = label_problems(found, file)
        return is_regression, reason, problems

    def _list(self) -> LabelledImages:
        """List the files, what each of them shows, and what is left out."""
        if self.labels is not None:
            listing = Listing(self.path, self.follow_links, ignore=self.ignore, labels=self.labels)
            return list_labelled(listing, self.labels, self.label_options)
        has_groups = self.label_options.group is not None
        listing = list_folders(
            self.path,
            follow_links=self.follow_links,
            ignore=self.ignore,
            folders=self.folders,
            group=has_groups,
        )
        names = [entry.label for entry in listing.entries]
        target = pd.Series(names, name="class", dtype=object)
        if self.task == "regression":
            target = read_target(pa.chunked_array([names]), self.task).rename("class")
        groups = np.array([entry.group for entry in listing.entries], dtype=object)
        return LabelledImages(listing, target, groups=groups if has_groups else None)


def _colour(name: str) -> RGB:
    try:
        return ImageColor.getrgb(name)[:3]
    except ValueError as error:
        rule, fix = (
            "data.background must be a colour",
            Setting("data.background", "white", "or '#rrggbb'"),
        )
        raise ConfigError(Problem(rule, name, fix)) from error


def _scale(asked: str | Sequence[float]) -> tuple[float, float] | Literal["auto", "format", "none"]:
    if isinstance(asked, str):
        return cast(Literal["auto", "format", "none"], asked)
    low, high = map(float, asked)
    if low >= high:
        rule, fix = "data.scale must rise", Setting("data.scale", [*reversed(asked)])
        raise ConfigError(Problem(rule, f"[{low:g},{high:g}]", fix))
    return low, high
