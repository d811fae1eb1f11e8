"""Weights of an earlier run are taken where they mean the same, and by name where rows have one."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hydra.utils import instantiate
from torch import nn

from kindling.bundle.bundle import write_bundle
from kindling.bundle.model_config import model_config_of
from kindling.errors import ConfigError, DataError
from kindling.run.plan import plan_lines

LABELLED = ["data=table", "data.target=label", "data.ignore=[price]", "checks=false"]


@pytest.fixture
def donate(build, compose, tmp_path):
    """Write the bundle of a network as it was drawn; return its folder and the network."""

    def make(*overrides, name="donor"):
        data, task, _ = build("seed=7", *overrides)
        for parameter in task.network.parameters():
            nn.init.normal_(parameter)  # what no constructor draws: zeros are no proof
        write_bundle(
            tmp_path / name,
            model_config=model_config_of(
                instantiate(compose(*overrides).model, _convert_="all"), task.network, data.spec
            ),
            network=task.network,
            spec=data.spec,
            schema=data.schema,
            preprocessor=data.preprocessor if data.spec.image_shape is None else None,
            batch_size=32,
            metrics={},
        )
        return tmp_path / name, task.network

    return make


def state(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def is_taken(network, donor, name):
    return torch.equal(network.state_dict()[name], donor.state_dict()[name])


@pytest.mark.parametrize("model", ["mlp", pytest.param("tabm", marks=pytest.mark.slow)])
def test_of_the_same_data_all_is_taken(build, donate, table_csv, model):
    words = [*LABELLED, f"data.path={table_csv}", f"model={model}"]
    folder, donor = donate(*words)
    _, task, _ = build(*words, "seed=7", f"init_from={folder}")
    assert all(is_taken(task.network, donor, name) for name in donor.state_dict())
    size = len(donor.state_dict())
    assert task.warm_start.told.startswith(f"{size} of {size} tensors")
    assert not task.warm_start.left


@pytest.mark.slow
def test_other_classes_and_categories_are_matched_by_name(build, donate, table_csv):
    words = [*LABELLED, "data.target=kind", "model=mlp"]
    frame = pd.read_csv(table_csv, keep_default_na=False)
    first = frame.assign(
        kind=np.resize(["b", "c", "d"], 64), town=np.resize(["Rom", "Ulm", "Ys"], 64)
    ).drop(columns="label")
    second = frame.assign(
        kind=np.resize(["a", "c", "d", "e"], 64), town=np.resize(["Oslo", "Rom", "Ys"], 64)
    ).drop(columns="label")
    for name, each in (("first", first), ("second", second)):
        each.to_csv(table_csv.with_name(f"{name}.csv"), index=False)
    folder, donor = donate(*words, f"data.path={table_csv.with_name('first.csv')}")
    words.append(f"data.path={table_csv.with_name('second.csv')}")
    drawn = state(build(*words)[1].network)
    data, task, _ = build(*words, f"init_from={folder}")
    network = task.network
    # Of the classes a, c, d, e those of b, c, d: c and d.
    for tensor, own, given in zip(
        (network.head.weight, network.head.bias),
        (drawn["head.weight"], drawn["head.bias"]),
        (donor.head.weight, donor.head.bias),
        strict=True,
    ):
        assert torch.equal(tensor[[1, 2]], given[[1, 2]])
        assert torch.equal(tensor[[0, 3]], own[[0, 3]])
    # Codes: unknown, missing, then the towns in order.
    (town,) = [column for column in data.schema.used if column.name == "town"]
    assert town.categories == ("Oslo", "Rom", "Ys")
    embedding, given = network.body[0].embedding, donor.body[0].embedding
    assert torch.equal(embedding[[0, 1, 3, 4]], given[[0, 1, 2, 4]])
    assert torch.equal(embedding[2], drawn["body.0.embedding"][2])
    assert is_taken(network, donor, "body.0.weight")
    told = task.warm_start.told
    assert "head.weight: 2 of 4 rows" in told
    assert "body.0.embedding: 4 of 5 rows" in told


@pytest.mark.slow
@pytest.mark.parametrize("model", ["mlp", "ft_transformer"])
def test_of_columns_in_another_order_the_network_says_the_same(build, donate, table_csv, model):
    words = [*LABELLED, f"data.path={table_csv}", f"model={model}"]
    rng, frame = np.random.default_rng(0), pd.read_csv(table_csv)
    frame["job"] = rng.choice(["baker", "smith"], len(frame))
    frame.to_csv(table_csv, index=False)
    folder, donor = donate(*words)
    before = build("seed=7", *words)[0]
    frame[["job", "noise", "town", "new", "size", "label", "price"]].to_csv(table_csv, index=False)
    after, task, _ = build("seed=7", *words, f"init_from={folder}")
    assert after.spec.numbers != before.spec.numbers
    assert after.spec.categories != before.spec.categories
    assert not task.warm_start.left
    said = [network.eval()(data.x) for network, data in ((donor, before), (task.network, after))]
    torch.testing.assert_close(*said, rtol=1e-4, atol=1e-3)  # sums in another order


@pytest.mark.slow
def test_numbers_in_another_order_go_by_name_or_not_at_all(build, donate, table_csv):
    words = [*LABELLED, f"data.path={table_csv}"]
    folders = {model: donate(*words, f"model={model}", name=model) for model in ("mlp", "tabm")}
    frame = pd.read_csv(table_csv).rename(columns={"new": "fresh"})
    frame[["town", "fresh", "noise", "size", "label", "price"]].to_csv(table_csv, index=False)
    folder, donor = folders["mlp"]
    data, task, _ = build(*words, "model=mlp", f"init_from={folder}")
    assert data.spec.numbers[:2] == ("noise", "size")
    weight, given = task.network.body[0].weight, donor.body[0].weight
    assert torch.equal(weight[:2], given[[1, 0]])
    assert not torch.isin(weight[2], given).any()  # the boolean has another name
    # What depends on the columns as a whole cannot be told apart, though its shape fits.
    folder, donor = folders["tabm"]
    _, task, _ = build(*words, "model=tabm", f"init_from={folder}")
    for name in ("scale", "body.0.weight", "numbers.weight"):
        assert task.network.state_dict()[name].shape == donor.state_dict()[name].shape
        assert not is_taken(task.network, donor, name)
    assert is_taken(task.network, donor, "body.3.weight")
    assert is_taken(task.network, donor, "head.weight")
    assert "scale, body.0.weight (other numbers, or in another order)" in task.warm_start.told


@pytest.mark.slow
def test_bends_at_other_edges_and_another_targets_head_are_not_taken(build, donate, table_csv):
    words = ["data=table", f"data.path={table_csv}", "model=tabm", "checks=false"]
    folder, donor = donate(*words, "data.target=price", "data.ignore=[label]")
    frame = pd.read_csv(table_csv)
    frame.assign(size=frame["size"] + frame["noise"] / 9).to_csv(table_csv, index=False)
    words += ["seed=7", "data.ignore=[label]", f"init_from={folder}"]
    data, task, _ = build(*words, "data.target=price")
    assert "numbers.weight: 2 of 3 rows" in task.warm_start.told
    same = [name != "size" for name in data.spec.numbers]
    bends, given = (network.numbers.weight for network in (task.network, donor))
    assert torch.equal(bends[same], given[same])
    assert not bends[data.spec.numbers.index("size")].any()  # a line, as it was drawn
    assert is_taken(task.network, donor, "head.weight")
    frame.rename(columns={"price": "cost"}).to_csv(table_csv, index=False)
    _, task, _ = build(*words, "data.target=cost")
    assert not is_taken(task.network, donor, "head.weight")
    assert "head.weight, head.bias (other classes, or another target)" in task.warm_start.told


@pytest.mark.slow
def test_pixels_of_another_shape_are_not_taken_and_convolutions_are(build, donate, image_folder):
    words = ["data=images", f"data.path={image_folder}", "checks=false"]
    small = ["model.width=4", "model.depth=2"]
    folder, donor = donate(*words, "model=mlp", *small, "data.size=[8,16]", name="flat")
    _, task, _ = build(*words, "model=mlp", *small, "data.size=[16,8]", f"init_from={folder}")
    assert task.network.body[0].weight.shape == donor.body[0].weight.shape
    assert not is_taken(task.network, donor, "body.0.weight")
    assert "body.0.weight (images of another size)" in task.warm_start.told
    assert "pixels are standardised by the train images of this run" in task.warm_start.told
    folder, donor = donate(*words, "model=cnn", *small, "data.size=[8,16]")
    _, task, _ = build(*words, "model=cnn", *small, "data.size=[16,8]", f"init_from={folder}")
    assert all(is_taken(task.network, donor, name) for name in donor.state_dict())


@pytest.mark.slow
def test_another_width_is_told_by_shape_and_what_fits_nowhere_is_refused(build, donate, table_csv):
    words = [*LABELLED, f"data.path={table_csv}", "model=mlp"]
    folder, donor = donate(*words, "model.width=8", "model.depth=3")
    _, task, _ = build(*words, "model.width=8", "model.depth=2", f"init_from={folder}")
    told = task.warm_start.told
    assert "body.6.weight, body.6.bias (not in this network)" in told
    assert is_taken(task.network, donor, "body.3.weight")
    with pytest.raises(ConfigError, match="must fit the network") as caught:
        build(*words, "model.width=9", f"init_from={folder}")
    (problem,) = caught.value.problems
    assert "body.3.weight (shape 9x9, there 8x8)" in problem.got
    assert problem.got.startswith("1 of 7 tensors")  # the bias of the last layer
    assert "type init_from=null to start anew" in problem.do
    assert caught.value.exit_code == 2


@pytest.mark.slow
def test_a_damaged_bundle_is_refused(build, donate, table_csv):
    words = [*LABELLED, f"data.path={table_csv}", "model=mlp"]
    folder, _ = donate(*words)
    file = folder / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(DataError, match="must be what Kindling wrote"):
        build(*words, f"init_from={folder}")


@pytest.mark.slow
def test_rows_that_the_earlier_run_was_trained_on_are_named(run, build, compose, tmp_path):
    quick = ["trainer.max_epochs=1", "model=mlp"]
    folder = run(*quick, folder="first")
    data, task, _ = build(*quick, f"init_from={folder}", folder="second")
    assert data.findings == build(*quick, folder="third")[0].findings
    assert task.warm_start.note == ""
    again = run(*quick, "data.target=island", f"init_from={folder}", folder="second")
    shutil.rmtree(tmp_path / "second" / "checkpoints")
    for origin in (folder, again):  # a run knows what the one before it has seen
        data, _, _ = build(*quick, "seed=1", f"init_from={origin}", folder="third")
        (problem,) = [problem for problem in data.findings if problem.code == "D310"]
        old, new = build(*quick, folder="other")[0].split, data.split
        known = [len(np.intersect1d(old["train"], new[split])) for split in ("val", "test")]
        assert f"{known[0]} of 52 val rows" in problem.got
        assert f"{known[1]} of 52 test rows" in problem.got
    shutil.copytree(folder / "bundle", tmp_path / "alone")
    _, task, trainer = build(*quick, f"init_from={tmp_path / 'alone'}", folder="third")
    assert "trained on is not known" in task.warm_start.told
    cfg = compose(*quick, f"init_from={tmp_path / 'alone'}")
    lines = plan_lines(cfg, data, task, trainer)
    assert "7 of 7 tensors" in lines["weights"]


def test_both_ways_at_once_are_refused(build, tmp_path):
    with pytest.raises(ConfigError, match="one set of weights"):
        build(f"init_from={tmp_path}", f"weights={Path('a.safetensors')}")
