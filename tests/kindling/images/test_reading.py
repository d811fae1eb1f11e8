"""How far the reading of images is, said on a terminal and nowhere else."""

import functools
import io

import pytest
from tqdm import tqdm

from kindling.images import reading


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_bar_moves_within_a_block_of_photos_on_a_terminal_only(monkeypatch, is_terminal):
    stream = io.StringIO()
    stream.isatty = lambda: is_terminal
    monkeypatch.setattr(reading, "tqdm", functools.partial(tqdm, file=stream, mininterval=0))
    photos = list(range(160))
    done = reading.in_parallel(lambda photo: photo, photos, "decoding images")
    first = [next(done) for _ in range(80)]
    shown = stream.getvalue()
    assert [*first, *done] == photos
    if is_terminal:
        assert "decoding images" in shown
        assert "80/160" in shown
        assert "160/160" not in shown
    else:
        assert stream.getvalue() == ""
