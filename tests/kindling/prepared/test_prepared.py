"""A prepared set: the bits of a run on the table, and every damage named."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load_file

from kindling.checks.data import check_data
from kindling.checks.overview import LOADING, TABLE
from kindling.cli.command_line import main
from kindling.data_record import make_record
from kindling.errors import ConfigError, DataError
from kindling.prepared import blocks
from kindling.prepared.prepared_set import FILES, read_set, write_set
from kindling.prepared.prepared_source import PreparedSource
from kindling.registry import DATA, load

PREPARED = "kindling.prepared.prepared_source.PreparedSource"
PENGUINS = Path(__file__).parents[3] / "data" / "penguins.csv"


def read(source, **keys):
    data = load(DATA)(**LOADING | {"source": source, **keys})
    data.setup()
    data.findings = check_data(data)
    return data


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Prepare the penguins once; return the folder, and the data that it is made of."""
    data, folder = read(TABLE, path=str(PENGUINS), target="species"), tmp_path_factory.mktemp("set")
    write_set(folder, data)
    return folder, data


@pytest.fixture
def prepared(original, tmp_path):
    """Copy the set, so that it may be damaged."""
    return shutil.copytree(original[0], tmp_path / "set"), original[1]


@pytest.mark.parametrize(
    "keys",
    [
        {"target": "species"},
        {"target": "body_mass_g", "target_transform": "log1p", "drop_missing_target": True},
        {"target": "sex", "memory": "disk", "drop_missing_target": True},
    ],
    ids=lambda keys: keys["target"],
)
def test_everything_that_is_learnt_from_is_as_it_was(tmp_path, keys):
    folder, before = tmp_path / "set", read(TABLE, path=str(PENGUINS), **keys)
    write_set(folder, before)
    after = read(PREPARED, path=str(folder))
    assert after.x.equal(before.x)
    assert after.y.equal(before.y)
    assert after.spec == before.spec
    assert after.schema == before.schema
    assert after.raw.on_disk == before.raw.on_disk
    assert after.raw.y.dtype == before.raw.y.dtype
    assert after.raw.y.tolist() == before.raw.y.tolist()
    assert after.raw.names.tolist() == before.raw.names.tolist()
    assert make_record(after) == make_record(before)
    told = [[(p.code, p.rule, p.got, p.do, p.row) for p in d.findings] for d in (before, after)]
    assert told[0] == told[1]
    for split, rows in before.split.items():
        assert after.split[split].tolist() == rows.tolist()


def test_rows_are_mapped_from_the_file_and_found_by_their_number(original):
    folder, data = original
    x = read_set(folder).x
    assert isinstance(x, np.memmap)
    assert torch.from_numpy(np.array(x[[63, 0, 7]])).equal(data.x[[63, 0, 7]])


def test_another_seed_draws_another_order_of_the_same_split(original):
    folder, before = original
    after = read(PREPARED, path=str(folder), seed=1)
    assert after.split["train"].tolist() == before.split["train"].tolist()
    orders = [next(iter(data.train_dataloader())).row.tolist() for data in (before, after)]
    assert orders[0] != orders[1]


def test_raw_cells_are_kept_of_the_test_rows(original):
    folder, before = original
    (table,) = PreparedSource(str(folder)).read().x
    test = before.split["test"]
    names = [column.name for column in before.schema.used]
    expected = before.raw.x[0].take(test).select(names)
    assert table.take(test).to_pydict() == expected.to_pydict()
    assert table.take(test[[2, 5]]).to_pydict() == expected.take([2, 5]).to_pydict()


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_damaged_file_is_named(prepared, name):
    folder, _ = prepared
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(DataError, match=rf"{name} must be what Kindling wrote.*block 1 of 1"):
        read_set(folder)
    (folder / name).write_bytes(content[:-1])
    with pytest.raises(DataError, match=rf"{name} .* bytes instead of"):
        read_set(folder)
    (folder / name).unlink()
    with pytest.raises(DataError, match=rf"{name} .* no such file"):
        read_set(folder)


def test_of_a_large_file_the_block_and_its_rows_are_named(original, tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 256)
    folder, data = tmp_path / "set", original[1]
    write_set(folder, data)
    x = folder / "x.npy"
    assert len(blocks.describe(x).sha256) == -(-x.stat().st_size // 256)
    content = bytearray(x.read_bytes())
    content[600] ^= 128
    x.write_bytes(content)
    first, last = (at // (4 * data.x.shape[1]) for at in (512, 768))
    with pytest.raises(DataError, match=f"in block 3 of .*, near rows {first} to {last}"):
        read_set(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: content | {"format": 2}, "format 2; this Kindling reads format 1"),
        (lambda content: content | {"num_rows": 345}, "instead of"),
        (lambda content: content | {"files": {}}, "a list of other files"),
        (lambda content: content | {"labels": ["Adelie"]}, "y.npy"),
        (lambda content: content | {"more": 1}, "prepared.json"),
    ],
)
def test_a_list_that_was_changed_is_refused(prepared, change, said):
    folder, _ = prepared
    content = json.loads((folder / "prepared.json").read_text())
    (folder / "prepared.json").write_text(json.dumps(change(content)))
    with pytest.raises(DataError, match=said):
        read_set(folder)


def test_a_set_without_its_list_is_none(prepared):
    folder, _ = prepared
    (folder / "prepared.json").unlink()
    (problem,) = PreparedSource(str(folder)).missing()
    assert (problem.code, problem.got) == ("D001", f"no prepared.json in {folder}")
    (problem,) = PreparedSource(str(folder / "no")).missing()
    assert problem.got == f"no folder {folder / 'no'}"


def test_a_set_that_cannot_be_written_leaves_nothing(original, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array_header_1_0", full)
    with pytest.raises(OSError, match="No space"):
        write_set(tmp_path / "set", original[1])
    assert list(tmp_path.iterdir()) == []


def test_images_are_not_prepared(tmp_path):
    data = read("kindling.images.digits.DigitsSource")
    with pytest.raises(ConfigError, match="kindling prepare is for tables"):
        write_set(tmp_path / "set", data)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_run_on_a_prepared_set_has_the_bits_of_one_on_the_table(run, table_csv, tmp_path, capsys):
    frame = pd.read_csv(table_csv)
    frame.to_csv(tmp_path / "train.csv", index=False)
    frame.head(20).assign(noise=3).to_csv(tmp_path / "test.csv", index=False)
    words = ["data=table", f"data.path={tmp_path / 'train.csv'}", "data.target=price"]
    words += [f"data.test_path={tmp_path / 'test.csv'}"]
    main(["prepare", *words, "-o", str(tmp_path / "set"), "--json"])
    assert json.loads(capsys.readouterr().out)["rows"] == 84
    with pytest.raises(SystemExit) as stop:
        main(["prepare", *words, "-o", str(tmp_path / "set")])
    assert stop.value.code == 2
    more = ["model=mlp", "report=true"]
    raw = run(*words, *more, folder="raw")
    other = ["data=prepared", f"data.path={tmp_path / 'set'}", *more]
    prepared = run(*other, folder="prepared")
    for name in ("data.json", "predictions.csv"):
        assert (prepared / name).read_bytes() == (raw / name).read_bytes()
    one, two = (load_file(each / "bundle/model.safetensors") for each in (raw, prepared))
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert (prepared / "report.html").is_file()
    for each in (raw, prepared):
        capsys.readouterr()
        main(["evaluate", str(each), "--json"])
        assert json.loads(capsys.readouterr().out)["same"] is True
