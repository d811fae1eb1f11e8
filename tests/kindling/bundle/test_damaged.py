"""A file of a bundle that is not as it was written is named, with what to do."""

import contextlib
import json
import os
import pickle
import shutil

import pytest

from kindling import load
from kindling.bundle.bundle import read_bundle
from kindling.bundle.manifest import read_listed, read_manifest
from kindling.errors import ConfigError, DataError
from tests.kindling.bundle.damage import MANIFEST, pickled, seal
from tests.kindling.thinning import thin

FILES = [
    *("config.json", "schema.json", "metrics.json", "model.safetensors", "preprocess.skops"),
    MANIFEST,
]
SECRET = "/etc/passwd"


@pytest.fixture
def bundle(penguins_run, tmp_path):
    return shutil.copytree(penguins_run / "bundle", tmp_path / "bundle")


def truncate(file):
    file.write_bytes(file.read_bytes()[:-10])


def flip_a_bit(file):
    content = bytearray(file.read_bytes())
    content[0 if file.name == MANIFEST else len(content) // 2] ^= 1
    file.write_bytes(content)


def remove(file):
    file.unlink()


def empty(file):
    file.write_bytes(b"")


def swap(file):
    other = file.with_name("config.json" if file.name != "config.json" else "schema.json")
    mine, theirs = file.read_bytes(), other.read_bytes()
    file.write_bytes(theirs)
    other.write_bytes(mine)


def lengthen(file):
    file.write_bytes(file.read_bytes() + b"\0")


def link(file):
    file.unlink()
    file.symlink_to(SECRET)


def pipe(file):
    file.unlink()
    os.mkfifo(file)


def folder(file):
    file.unlink()
    file.mkdir()


def pickle_it(file):
    file.write_bytes(pickled(file.parent / "marker"))


@pytest.mark.parametrize(
    "harm", [truncate, flip_a_bit, remove, empty, swap, lengthen, link, pipe, folder, pickle_it]
)
@pytest.mark.parametrize("name", thin(FILES, len(FILES)))
def test_a_damaged_file_is_named(bundle, name, harm):
    harm(bundle / name)
    with pytest.raises(DataError) as caught:
        read_bundle(bundle)
    (problem,) = caught.value.problems
    named = problem.rule.split(" must be")[0]
    assert named == str(bundle / name) or (harm is swap and named.endswith("config.json"))
    assert "copy the bundle again" in problem.do
    assert not (bundle / "marker").exists()


@pytest.mark.parametrize("name", [name for name in FILES if name != MANIFEST])
def test_a_pickle_is_refused_though_its_hash_is_right(bundle, name):
    pickle_it(bundle / name)
    seal(bundle)
    with pytest.raises(DataError, match=name):
        read_bundle(bundle)
    assert not (bundle / "marker").exists()


def test_the_pickle_would_have_left_a_marker(bundle):
    pickle.loads(pickled(bundle / "marker"))
    assert (bundle / "marker").exists()


def test_no_bit_of_the_manifest_changes_what_is_loaded(bundle):
    files = _contents(bundle)
    content = (bundle / MANIFEST).read_bytes()
    for bit in range(0, 8 * len(content), 23):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        (bundle / MANIFEST).write_bytes(flipped)
        with contextlib.suppress(DataError):
            assert _contents(bundle) == files


def _contents(bundle):
    manifest = read_manifest(bundle)
    return {name: read_listed(bundle, manifest, name) for name in manifest.files}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m["files"]["config.json"].update(sha256="0" * 64), "config.json .* sha256"),
        (lambda m: m["files"]["config.json"].update(size=1), "instead of 1;"),
        (lambda m: m["files"]["config.json"].update(size=10**15), "instead of 1,000,"),
        (lambda m: m["files"]["config.json"].update(size=-1), "instead of -1"),
        (lambda m: m["files"]["config.json"].update(size=True), "'True', where int is needed"),
        (lambda m: m["files"]["config.json"].update(sha256=None), "where str is needed"),
        (lambda m: m["files"]["config.json"].update(mode="x"), r"\['mode'\]"),
        (lambda m: m["files"].update({"../../secret": m["files"]["config.json"]}), "no bundle has"),
        (lambda m: m["files"].update({SECRET: m["files"]["config.json"]}), "no bundle has"),
        (lambda m: m["files"].update({MANIFEST: m["files"]["config.json"]}), "no bundle has"),
        (lambda m: m["files"].update({"a.pkl": m["files"]["config.json"]}), "no bundle has"),
        (lambda m: m["files"].pop("config.json"), "no config.json in its list"),
        (lambda m: m["files"].pop("preprocess.skops"), "does not list; delete it"),
        (lambda m: m.update(format=4), "format 4; this Kindling reads format 3; upgrade"),
        (lambda m: m.update(format=2), "format 2; this Kindling reads format 3; train again"),
        (lambda m: m.update(format=True), "'True', where int is needed"),
        (lambda m: m.pop("format"), "the keys .* format"),
        (lambda m: m.update(_target_="os.system"), r"\['_target_'\]"),
        (lambda m: m.update(files=[]), "where an object is needed"),
        (lambda m: m.update(created_with={"torch": 2}), "where str is needed"),
    ],
)
def test_a_manifest_that_is_not_as_written_is_refused(bundle, change, message):
    manifest = json.loads((bundle / MANIFEST).read_text())
    change(manifest)
    (bundle / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(DataError, match=message):
        read_bundle(bundle)


def test_a_key_given_twice_is_refused(bundle):
    text = (bundle / MANIFEST).read_text()
    (bundle / MANIFEST).write_text(text.replace('"format": 3', '"format": 7, "format": 3'))
    with pytest.raises(DataError, match=f"{MANIFEST} .* given twice"):
        read_bundle(bundle)


@pytest.mark.parametrize("name", ["notes.txt", ".DS_Store", "evil.py", "\x1b[2Jx"])
def test_a_file_that_is_not_listed_is_refused(bundle, name):
    (bundle / name).touch()
    with pytest.raises(DataError, match="does not list; delete it") as caught:
        read_bundle(bundle)
    assert "\x1b" not in str(caught.value)


def test_a_file_beyond_every_bound_is_not_read(bundle):
    with (bundle / "config.json").open("r+b") as file:
        file.truncate(10**12)  # a hole: it takes no space
    with pytest.raises(DataError, match=r"config.json .* 1,000,000,000,000 bytes, more than"):
        read_bundle(bundle)


def test_tables_need_what_images_may_not_have(bundle, digits_run, tmp_path):
    images = shutil.copytree(digits_run / "bundle", tmp_path / "images")
    for folder, of in ((bundle, images), (images, bundle)):
        manifest = json.loads((folder / MANIFEST).read_text())
        if of is images:
            (folder / "preprocess.skops").unlink()
            del manifest["files"]["preprocess.skops"]
        else:
            (folder / "preprocess.skops").write_bytes(b"")
            manifest["files"]["preprocess.skops"] = {"sha256": "", "size": 0}
        (folder / MANIFEST).write_text(json.dumps(manifest))
        seal(folder)
    with pytest.raises(DataError, match=r"skops .* no such file, which a table needs"):
        read_bundle(bundle)
    with pytest.raises(DataError, match=r"skops .* a file for images"):
        read_bundle(images)


def test_a_bundle_that_is_no_folder_is_refused(bundle):
    with pytest.raises(DataError, match="a bundle is a folder; got no folder"):
        read_bundle(bundle / "nothing")


def test_a_bundle_that_is_a_link_is_not_followed(penguins_run, tmp_path):
    shutil.copytree(penguins_run, tmp_path / "run", ignore=lambda *_: ["bundle"])
    (tmp_path / "run" / "bundle").symlink_to(penguins_run / "bundle")
    with pytest.raises(ConfigError, match="no folder bundle/"):
        load(tmp_path / "run")
