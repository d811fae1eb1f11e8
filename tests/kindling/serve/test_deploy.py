"""What docs/deploy.md and docs/deploy/ tell a person to type is true."""

import re
import shlex

import pytest

from kindling.images.image_schema import MAX_PIXELS
from kindling.serve.middleware import Limits
from tests.kindling.pages import ROOT, read_pages

TEXT = read_pages("deploy")
DOCKERFILE = (ROOT / "docs/Dockerfile").read_text("utf-8")
CURLS = [
    words
    for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    for words in (
        shlex.split(line) for line in re.findall(r"^curl (?:[^'\n]|'[^']*')*", block, re.M)
    )
]


def as_request(words):
    """Do what curl does with these words: method, path, and what goes with it."""
    path, options = words[1].partition(":8000")[2], list(zip(words[2::2], words[3::2], strict=True))
    headers = dict(value.split(": ") for option, value in options if option == "-H")
    what = {"headers": headers}
    for option, value in options:
        if option == "-d":
            what["content"] = value
        elif option == "-F":
            name, _, file = value.partition("=@")
            what["files"] = {name: (file, (ROOT / file).read_bytes())}
    return ("POST" if len(what) > 1 else "GET"), path, what


@pytest.mark.parametrize("words", CURLS, ids=" ".join)
def test_every_curl_is_answered(penguins, words):
    method, path, what = as_request(words)
    answer = penguins(method, path, **what)
    assert answer.status_code == 200
    wants_csv = what["headers"].get("Accept") == "text/csv"
    assert answer.headers["Content-Type"].startswith(
        "text/csv" if wants_csv else "application/json"
    )


def test_curls_are_shown():
    assert len(CURLS) == 5


def test_the_bounds_that_are_told_are_the_bounds():
    limits = Limits()
    for text in (
        f"{limits.body_bytes >> 20} MB",
        f"{limits.rows:,} and {limits.columns:,}",
        f"{limits.images} and {MAX_PIXELS // 10**6} million",
        f"{limits.seconds:.0f} s |",
        f"{limits.waiting} and {4 * limits.waiting}",
    ):
        assert text in TEXT


def test_the_image_is_made_of_files_that_are_here():
    (files,) = re.findall(r"^COPY (.*) \./$", DOCKERFILE, re.M)
    kept = (ROOT / "docs/Dockerfile.dockerignore").read_text().splitlines()
    for name in [*files.split(), "src"]:
        assert (ROOT / name).exists()
        assert f"!{name}" in kept


def test_pictures_of_the_page_are_kept_small():
    for name in ("serve.png", "serve_phone.png"):
        assert (ROOT / "docs" / name).stat().st_size < 300_000
