"""A preprocess.skops made by somebody who means harm is refused before skops builds anything."""

import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from kindling.bundle.bundle import read_bundle
from kindling.errors import DataError
from kindling.tables.formats import read_table
from tests.kindling.bundle.damage import (
    edit_array,
    edit_skops,
    pickled,
    put,
    put_zip,
    read_zip,
    set_value,
)
from tests.kindling.thinning import thin

PENGUINS = Path(__file__).parents[3] / "data" / "penguins.csv"
STEP = "root.content.content.transformers.content.0.content.1"  # the pipeline of the numbers
COLUMNS = "root.content.content.transformers.content.{}.content.2.content"


@pytest.fixture
def bundle(penguins_run, tmp_path):
    return shutil.copytree(penguins_run / "bundle", tmp_path / "bundle")


def refuse(folder, message):
    with pytest.raises(DataError, match=message) as caught:
        read_bundle(folder)
    assert str(folder / "preprocess.skops") in str(caught.value)
    assert not (folder.parent / "marker").exists()


def node(loader, module, name, **more):
    return {"__class__": name, "__module__": module, "__loader__": loader, "__id__": 1, **more}


def text(value):
    return node("JsonNode", "builtins", "str", content=json.dumps(value), is_json=True)


def tuple_of(*parts):
    return node("TupleNode", "builtins", "tuple", content=list(parts))


SYSTEM = node("FunctionNode", "os", "system")
MARK = tuple_of(text("mkdir marker"))
EMPTY = node("DictNode", "builtins", "dict", content={}, key_types=tuple_of())
NODES = {
    "function": SYSTEM,
    "type": node("TypeNode", "subprocess", "Popen"),
    "method": node(
        "MethodNode", "pathlib", "Path", content={"func": "mkdir", "obj": text("marker")}
    ),
    "partial": node(
        "PartialNode",
        "functools",
        "partial",
        content={"func": SYSTEM, "args": MARK, "kwds": EMPTY, "namespace": EMPTY},
    ),
    "constructor": node("ConstructorFromReduceNode", "subprocess", "Popen", content=MARK),
    "operator": node("OperatorFuncNode", "operator", "methodcaller", attrs=MARK),
    "object": node("ObjectNode", "subprocess", "Popen", content=EMPTY),
    "old function": node("FunctionNode", "builtins", "exec", content=MARK),
    "bytes": node("BytesNode", "builtins", "bytes", file="schema.json"),
    "list": node("ListNode", "builtins", "list", content=[]),
    "estimator": node(
        "ObjectNode", "sklearn.preprocessing._function_transformer", "FunctionTransformer"
    ),
    "unknown": node("EvilNode", "os", "system"),
    "cached": {"__loader__": "CachedNode", "__id__": 1, "__class__": None, "__module__": None},
    "nothing": None,
}


@pytest.mark.slow
@pytest.mark.parametrize("path", [STEP, f"{STEP}.content.content.steps", "root"])
@pytest.mark.parametrize("kind", NODES)
def test_an_object_of_another_kind_is_refused(bundle, path, kind):
    edit_skops(bundle, path, lambda _: NODES[kind] if NODES[kind] else {"__loader__": "None"})
    refuse(bundle, "where .* belongs")


def set_key(key, value):
    return lambda content: content.update({key: value})


CHANGES = [
    ("root", set_key("__class__", "Pipeline")),
    ("root", set_key("__module__", "os")),
    ("root", set_key("__loader__", "FunctionNode")),
    ("root", set_key("protocol", 0)),
    ("root", set_key("protocol", True)),
    ("root", set_key("__reduce__", {"args": MARK})),
    (STEP, set_key("__module__", "sklearn.pipeline.os")),
    (f"{STEP}.content.content", set_key("transform", SYSTEM)),
    (f"{STEP}.content.content", set_key("memory", text("/tmp/marker"))),
    (f"{STEP}.content.content", lambda content: content.pop("steps")),
    ("root.content.content.remainder", set_key("content", '"passthrough"')),
    ("root.content.content.n_jobs", set_key("content", "1000000000")),
    ("root.content.content.sparse_threshold", set_key("content", "1e999")),
    ("root.content.content.n_features_in_", set_key("content", "8")),
    ("root.content.content.output_indices_.content.numbers.content", set_key("stop", 10**12)),
    (COLUMNS.format(2), lambda names: names.append(text("sex"))),
    (COLUMNS.format(2), lambda names: names.reverse()),
    (COLUMNS.format(0) + ".0", set_key("content", '"year of birth"')),
    (COLUMNS.format(1), lambda names: names.append(text("year"))),
]


@pytest.mark.parametrize(("path", "change"), thin(CHANGES, 4))
def test_a_description_that_differs_anywhere_is_refused(bundle, path, change):
    def edit(content):
        change(content)

    edit_skops(bundle, path, edit)
    refuse(bundle, "where .* belongs")


def test_columns_in_another_order_than_the_networks_are_refused(bundle):
    numbers = json.loads((bundle / "schema.json").read_text())["spec"]["numbers"]
    set_value(bundle, "schema.json", "spec.numbers", numbers[::-1])
    refuse(bundle, "columns in another order than the spec's")


def test_categories_are_those_of_the_schema_and_no_file_can_say_otherwise(bundle):
    files = read_zip(bundle)
    assert b"Torgersen" not in files["schema.json"]
    assert b"passthrough" in files["schema.json"]
    files["schema.json"] = files["schema.json"].replace(b"passthrough", b"drop")
    put_zip(bundle, files.items())
    refuse(bundle, "drop.* where .*passthrough.* belongs")


def test_what_other_releases_write_of_themselves_is_no_difference(bundle):
    files = read_zip(bundle)
    described = json.loads(files["schema.json"])
    described["_skops_version"] = "0.13"
    files["schema.json"] = json.dumps(described).encode()
    put_zip(bundle, files.items())
    assert read_bundle(bundle)


def test_what_is_loaded_is_what_was_written(bundle, build):
    data, _, _ = build("data=penguins")
    mine, theirs = data.preprocessor, read_bundle(bundle).preprocessor
    typed = data.schema.cast(read_table(PENGUINS), "file")
    assert np.array_equal(mine.transform(typed), theirs.transform(typed))


def npy(array, **more):
    buffer = io.BytesIO()
    np.save(buffer, array, **more)
    return buffer.getvalue()


ARRAYS = {
    "pickled": lambda _: npy(np.array([print], dtype=object), allow_pickle=True),
    "shorter": lambda old: old[:-8],
    "longer": lambda old: old + b"\0" * 8,
    "other shape": lambda _: npy(np.ones(3)),
    "other dtype": lambda old: npy(np.frombuffer(old[-40:], np.int64)),
    "endless": lambda old: old.replace(b"(5,), }" + b" " * 12, b"(1000000000000,), }"),
    "two axes": lambda old: old.replace(b"(5,), }  ", b"(5, 1), }"),
    "nan": lambda old: old[:-8] + np.float64("nan").tobytes(),
    "none": lambda _: b"",
}


@pytest.mark.parametrize("harm", ARRAYS)
def test_an_array_of_another_form_is_refused(bundle, harm):
    edit_array(bundle, ARRAYS[harm])
    refuse(bundle, "with nan in it" if harm == "nan" else "of another dtype or shape")


def test_an_array_that_is_not_there_is_refused(bundle):
    files = read_zip(bundle)
    put_zip(bundle, [item for item in files.items() if item != next(iter(files.items()))])
    refuse(bundle, "no array")


@pytest.mark.parametrize("name", ["evil.npy", "../evil.py", "/etc/evil", "a/b.pkl", "evil\0.npy"])
def test_a_member_that_nothing_refers_to_is_refused(bundle, name):
    put_zip(bundle, [*read_zip(bundle).items(), (name, pickled(bundle.parent / "marker"))])
    refuse(bundle, "that nothing refers to|no zip that can be read")


def test_a_zip_bomb_is_not_unpacked(bundle):
    members = [*read_zip(bundle).items(), ("bomb", b"\0" * 50_000_000)]
    put_zip(bundle, members, zipfile.ZIP_DEFLATED)
    assert (bundle / "preprocess.skops").stat().st_size < 1_000_000
    refuse(bundle, "a zip that is packed")


def test_members_that_share_their_bytes_are_refused(bundle):
    """A bomb of overlaps: each entry of the directory points to the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", b"\0" * 100_000)
        for number in range(100):
            info = zipfile.ZipInfo(f"b{number}")
            info.header_offset, info.CRC = 0, archive.filelist[0].CRC
            info.file_size = info.compress_size = 100_000
            archive.filelist.append(info)
        archive._didModify = True
    put(bundle, "preprocess.skops", buffer.getvalue())
    refuse(bundle, "a zip that is packed")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(bundle):
    put_zip(bundle, [*read_zip(bundle).items(), ("schema.json", b"{}")])
    refuse(bundle, "of the same name")


def test_too_many_members_are_refused(bundle):
    put_zip(bundle, [*read_zip(bundle).items(), *((str(n), b"") for n in range(1000))])
    refuse(bundle, "too many")


def test_a_directory_beyond_every_bound_is_not_read(bundle):
    put_zip(bundle, [("x" * 60_000 + str(n), b"") for n in range(20)])
    refuse(bundle, "whose directory was not written so")


def test_a_remark_is_refused(bundle):
    put_zip(bundle, read_zip(bundle).items(), comment=b"x" * 30)
    refuse(bundle, "whose directory was not written so")


def test_numbers_wider_than_a_zip_has_are_refused(bundle):
    content = bytearray((bundle / "preprocess.skops").read_bytes())
    content[-22:-22] = b"PK\6\7" + bytes(16)
    put(bundle, "preprocess.skops", bytes(content))
    refuse(bundle, "whose directory was not written so")


def test_an_encrypted_member_is_refused(bundle):
    content = (bundle / "preprocess.skops").read_bytes()
    start = content.index(b"PK\1\2")  # the first entry of the directory; bytes 8 and 9 are flags
    put(bundle, "preprocess.skops", content[: start + 8] + b"\1\0" + content[start + 10 :])
    refuse(bundle, "no zip that can be read")


def test_a_wrong_checksum_is_refused(bundle):
    content = bytearray((bundle / "preprocess.skops").read_bytes())
    content[100] ^= 1
    put(bundle, "preprocess.skops", bytes(content))
    refuse(bundle, "no zip that can be read")


@pytest.mark.parametrize("content", [b"", b"PK", b"\x80\x04N.", b"PK\5\6" + bytes(18)])
def test_what_is_no_zip_of_skops_is_refused(bundle, content):
    put(bundle, "preprocess.skops", content)
    refuse(bundle, "no zip|a zip without")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"[" * 100_000, "nested too deep"),
        (b'{"__loader__": "a", "__loader__": "b"}', "given twice"),
        (b"[]", "where .* belongs"),
        (b"!!python/object/apply:os.mkdir [marker]", "no JSON"),
        (b'{"root": NaN}', "the number NaN"),
    ],
)
def test_a_description_that_is_no_strict_json_is_refused(bundle, text, message):
    put_zip(bundle, (read_zip(bundle) | {"schema.json": text}).items())
    refuse(bundle, message)
