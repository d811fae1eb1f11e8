"""One, two and three processes learn the same from the same batches; any number goes on.

What each test looks at was trained once, by worker.py, with every number of processes.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

WORKER = Path(__file__).with_name("worker.py")
ROOT = Path(__file__).parents[3]
# Nothing is drawn, no BatchNorm: weights differ by no more than this. AdamW makes steps of
# gradients that are hardly more than rounding, of which the members have some.
EQUAL = {"classes": 1e-6, "values": 1e-6, "members": 1e-5}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Return what came of the trainings, by the number of processes."""
    folder = tmp_path_factory.mktemp("several")
    images(folder / "images")
    for count in (2, 1, 3):  # 2 first: it leaves a run that the others go on with
        done = subprocess.run(
            [sys.executable, str(WORKER), str(count), str(folder)],
            env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    return {n: torch.load(folder / f"{n}.pt", weights_only=True) for n in (1, 2, 3)}


def images(folder):
    from PIL import Image

    rng = np.random.default_rng(0)
    for channel, name in ((0, "red"), (2, "blue")):
        (folder / name).mkdir(parents=True)
        for number in range(20):
            pixels = rng.integers(0, 100, (12, 10, 3), dtype=np.uint8)
            pixels[..., channel] += 120
            Image.fromarray(pixels).save(folder / name / f"{number:02}.png")


def difference(one, other):
    return max((one[k].double() - other[k].double()).abs().max().item() for k in one)


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("case", EQUAL)
def test_several_processes_learn_what_one_learns(found, case, count):
    one, several, bound = found[1][case], found[count][case], EQUAL[case]
    assert difference(one["weights"], several["weights"]) < bound
    for before, after in zip(one["curve"], several["curve"], strict=True):
        assert after == pytest.approx(before, rel=bound)
    for split, scores in one["scores"].items():
        assert several["scores"][split] == pytest.approx(scores, rel=bound, abs=bound)
    assert torch.equal(one["test_rows"], several["test_rows"])
    assert np.allclose(one["predictions"], several["predictions"], rtol=bound, atol=bound)


def test_a_network_in_parts_learns_what_a_whole_one_learns(found):
    one, sharded = found[1]["classes"], found[2]["sharded"]
    assert difference(one["weights"], sharded["weights"]) < 1e-6
    for before, after in zip(one["curve"], sharded["curve"], strict=True):
        assert after == pytest.approx(before, rel=1e-6)
    assert np.allclose(one["predictions"], sharded["predictions"], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_each_row_is_learnt_once_an_epoch(found, count):
    for case in (*EQUAL, "dropout", "images"):
        for rows in found[count][case]["rows"].values():
            assert len(rows) == len(set(rows)) == found[count][case]["num_train"]


@pytest.mark.parametrize("count", [2, 3])
def test_all_processes_have_the_same_weights_and_numbers_after_each_epoch(found, count):
    for case in (*EQUAL, "dropout", "images"):
        assert all(found[count][case]["is_same"])


@pytest.mark.parametrize("count", [2, 3])
def test_two_equal_runs_have_the_same_bits(found, count):
    one, other = found[count]["dropout"], found[count]["again"]
    assert difference(one["weights"], other["weights"]) == 0
    assert one["curve"] == other["curve"]


def test_dropout_and_batch_norm_are_of_each_process(found):
    assert difference(found[1]["dropout"]["weights"], found[2]["dropout"]["weights"]) > 1e-4
    assert difference(found[1]["images"]["weights"], found[2]["images"]["weights"]) > 1e-4


@pytest.mark.parametrize("count", [1, 2, 3])
def test_any_number_goes_on_in_the_middle_of_an_epoch(found, count):
    before, after = found[2]["stopped"]["rows"], found[count]["resumed"]["rows"]
    assert 0 < len(before[1]) < 240
    assert sorted(before[1] + after[1]) == sorted(found[1]["whole"]["rows"][0])
    whole, resumed = found[count]["whole"], found[count]["resumed"]
    bound = 0 if count == 2 else 1e-6
    assert difference(whole["weights"], resumed["weights"]) <= bound
    assert resumed["curve"][-1] == pytest.approx(whole["curve"][-1], rel=bound)
