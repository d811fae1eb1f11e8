"""A model.safetensors made by somebody who means harm is refused before anything is allocated."""

import json
import os
import shutil
import tracemalloc

import pytest

from kindling.bundle.bundle import read_bundle
from kindling.errors import DataError
from tests.kindling.bundle.damage import MANIFEST, edit_json, edit_weights, put

HUGE = 10**12


@pytest.fixture
def bundle(penguins_run, tmp_path):
    return shutil.copytree(penguins_run / "bundle", tmp_path / "bundle")


def refuse(folder, message):
    with pytest.raises(DataError, match=message) as caught:
        read_bundle(folder)
    assert str(folder / "model.safetensors") in str(caught.value)


def with_nan(_, numbers):
    return b"\xff\xff\xff\x7f" + numbers[4:]


def with_infinity(_, numbers):
    return b"\0\0\x80\x7f" + numbers[4:]


def slot(**changes):
    def change(header, _):
        header["head.bias"].update(changes)

    return change


def rename(header, _):
    header["head.other"] = header.pop("head.bias")


def forget(header, _):
    del header["head.bias"]


def transpose(header, _):
    header["head.weight"]["shape"].reverse()


def overlap(header, _):
    _, second = sorted(header.values(), key=lambda entry: entry["data_offsets"])[:2]
    size = second["data_offsets"][1] - second["data_offsets"][0]
    second["data_offsets"] = [0, size]


def call_all_whole(header, _):
    for entry in header.values():
        entry.update(dtype="I32")


WEIGHTS = [
    (with_nan, "numbers that are not finite"),
    (with_infinity, "numbers that are not finite"),
    (rename, "where the network has"),
    (forget, "overlap or leave a gap|bytes of numbers"),
    (transpose, "where the network has"),
    (overlap, "overlap or leave a gap"),
    (call_all_whole, "torch.int32.*where the network has"),
    (slot(dtype="F64"), "that do not agree"),
    (slot(dtype="PICKLE"), "an unknown dtype or shape"),
    (slot(dtype=["F32"]), "where str is needed"),
    (slot(shape=[-3]), "an unknown dtype or shape"),
    (slot(shape=[3] + [1] * 8), "an unknown dtype or shape"),
    (slot(shape=[HUGE] * 8), "that do not agree"),
    (slot(shape=[3.0]), "where int is needed"),
    (slot(data_offsets=[HUGE, HUGE + 12]), "overlap or leave a gap"),
    (slot(data_offsets=[-12, 0]), "overlap or leave a gap"),
    (slot(data_offsets=[0]), "where 2 values is needed"),
    (slot(code="import os"), "known keys only"),
    (lambda header, _: header.update(__metadata__={"format": "pt"}), "__metadata__"),
    (lambda _, numbers: numbers + b"\0", "bytes of numbers, where the header has"),
    (lambda _, numbers: numbers[:-1], "bytes of numbers, where the header has"),
]


@pytest.mark.parametrize(("change", "message"), WEIGHTS)
def test_weights_that_do_not_fit_are_refused(bundle, change, message):
    edit_weights(bundle, change)
    refuse(bundle, message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a header of 0 bytes"),
        (b"\x05", "a header of 5 bytes"),
        ((2**63).to_bytes(8, "little"), "a header of 9,223,"),
        ((100).to_bytes(8, "little") + b"{}", "a header of 100 bytes in a file of 10"),
        ((2).to_bytes(8, "little") + b"[]", "where an object is needed"),
        ((2).to_bytes(8, "little") + b"{}", "no such tensor"),
        ((4).to_bytes(8, "little") + b"\x80\x04c.", "no JSON"),
    ],
    ids=["empty", "short", "endless", "longer", "list", "none", "pickle"],
)
def test_a_header_that_is_none_is_refused(bundle, content, message):
    put(bundle, "model.safetensors", content)
    refuse(bundle, message)


@pytest.mark.parametrize("is_in_header", [False, True])
def test_a_file_of_holes_is_refused_before_it_is_read(bundle, is_in_header):
    # 4 GiB without a byte on the disk; the header knows nothing of them, or has them in a tensor.
    file, size = bundle / "model.safetensors", 4 << 30
    if is_in_header:
        header = {"head.bias": {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}}
        text = json.dumps(header).encode()
        file.write_bytes(len(text).to_bytes(8, "little") + text)
        size += file.stat().st_size
    os.truncate(file, size)
    edit_json(bundle, MANIFEST, lambda m: m["files"]["model.safetensors"].update(size=size))
    tracemalloc.start()
    refuse(bundle, "where the network has" if is_in_header else "bytes of numbers")
    assert tracemalloc.get_traced_memory()[1] < 64 << 20
    tracemalloc.stop()
