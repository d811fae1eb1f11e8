"""Time and memory against images: decoding, the second start, one epoch of batches.

python benchmarks/images.py                             # 5,000 and 20,000 images: some minutes
python benchmarks/images.py --images 100000 --cores 1
python benchmarks/images.py --images 400 --pixels 1600  # photos: decoding is most of the work

Each start runs in a process of its own, so that its peak memory is its own. Anonymous memory is
what the process holds; pages of the mapped file come on top and are the system's to take back.
Linux only: that memory is read from /proc.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image

from kindling.checks.overview import LOADING
from kindling.images.image_source import ImageSource
from project.data.datamodule import DataModule

CLASSES = 10
COLUMNS = ("read", "fit", "epoch", "anonymous", "peak")


def main() -> None:
    """Write images of each number; start twice, first without a cache, then with it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, nargs="+", default=[5_000, 20_000])
    parser.add_argument("--pixels", type=int, default=128, help="of a side")
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)  # the inner process
    arguments = parser.parse_args()
    if arguments.one:
        photos, cache, cores = arguments.one
        print(json.dumps(start(Path(photos), cache, int(cores))))
        return
    print("| images | cores | start | read | fit | epoch of batches | anonymous | all of it |")
    print("|---|---|---|---|---|---|---|---|")
    for count in arguments.images:
        with TemporaryDirectory() as folder:
            write_images(Path(folder) / "photos", count, arguments.pixels)
            for cores in arguments.cores:
                for word in ("first", "second"):
                    show(count, cores, word, folder)


def write_images(folder: Path, count: int, side: int) -> None:
    """Write JPEG files of made-up colour spots under noise in class folders."""
    rng = np.random.default_rng(0)
    for label in range(CLASSES):
        (folder / f"class {label}").mkdir(parents=True)
    for number in range(count):
        spots = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
        pixels = np.asarray(spots.resize((side, side), Image.Resampling.BICUBIC), np.float32)
        pixels += rng.normal(0, 6, pixels.shape).astype(np.float32)
        image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
        image.save(folder / f"class {number % CLASSES}" / f"{number:07}.jpg", quality=85)


def show(count: int, cores: int, word: str, folder: str) -> None:
    """Start in a process of its own and print a row of the table."""
    places = [f"{folder}/photos", f"{folder}/cache{cores}", str(cores)]
    command = [sys.executable, __file__, "--one", *places]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    each = f" ({1e3 * found['read'] / count:.2f} ms each)" if word == "first" else ""
    print(
        f"| {count:,} | {cores} | {word} | {found['read']:.2f} s{each} | {found['fit']:.2f} s "
        f"| {found['epoch']:.2f} s | {found['anonymous']:.2f} GB | {found['peak']:.2f} GB |",
        flush=True,
    )


def start(photos: Path, cache: str, cores: int) -> dict[str, float]:
    """Read, fit, and go once through the batches of an epoch; return seconds and gigabytes."""
    os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:cores])
    torch.set_num_threads(1)
    source = Timed(photos, cache=cache)
    with highest_anonymous() as highest:
        begin = time.perf_counter()
        data = DataModule(source, **LOADING)
        data.setup()
        ready = time.perf_counter()
        for batch in data.train_dataloader():
            batch.x.sum()
        end = time.perf_counter()
    read = source.seconds
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    times = (read, ready - begin - read, end - ready)
    return dict(zip(COLUMNS, (*times, highest[0], peak), strict=True))


class Timed(ImageSource):
    """An image source that keeps how long it read."""

    seconds = 0.0

    def read(self):
        begin = time.perf_counter()
        raw = super().read()
        self.seconds = time.perf_counter() - begin
        return raw


@contextmanager
def highest_anonymous() -> Iterator[list[float]]:
    """Look at the anonymous memory every 5 ms; the highest is in the list afterwards, in GB."""
    highest, ended = [0.0], threading.Event()

    def look() -> None:
        while not ended.wait(0.005):
            status = Path("/proc/self/status").read_text(encoding="ascii")
            kilobytes = int(status.partition("RssAnon:")[2].split()[0])
            highest[0] = max(highest[0], kilobytes * 1024 / 1e9)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield highest
    finally:
        ended.set()
        watcher.join()


if __name__ == "__main__":
    main()
