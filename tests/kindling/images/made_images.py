"""Small images in folders as others lay them out."""

from pathlib import Path

import numpy as np
from PIL import Image


def save_images(root: Path, *folders: str, count: int = 4, name: str = "{k:02}.png") -> Path:
    """Write a few different images into each of these folders; return the root."""
    rng = np.random.default_rng(0)
    for folder in folders:
        (root / folder).mkdir(parents=True, exist_ok=True)
        for k in range(count):
            pixels = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / folder / name.format(k=k))
    return root
