import numpy as np
import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR, ReduceLROnPlateau

from kindling.trainer.optimization import make_scheduler
from project.training.coslog4 import CosLog4
from project.training.schedulers import warmup_cosine


def rates_of(make, num_steps, lr=1.0):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    scheduler, rates = make_scheduler(make, optimizer, num_steps), []
    for _ in range(num_steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def cosine(warmup_fraction, final_fraction=0.01):
    def make(optimizer, num_steps):
        options = {"warmup_fraction": warmup_fraction, "final_fraction": final_fraction}
        return warmup_cosine(optimizer, num_steps=num_steps, **options)

    return make


def test_cosine_rises_then_falls_to_its_end():
    rates = rates_of(cosine(0.1), 100, lr=0.5)
    assert rates[:10] == sorted(rates[:10])
    assert 0 < rates[0] < 0.05
    assert rates[10] == pytest.approx(0.5)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(0.005)


@pytest.mark.parametrize("num_steps", [1, 2, 3])
@pytest.mark.parametrize("warmup_fraction", [0.0, 0.5, 0.99])
def test_short_trainings_have_a_positive_rate(num_steps, warmup_fraction):
    assert all(rate > 0 for rate in rates_of(cosine(warmup_fraction), num_steps))


def test_torchs_own_schedulers_are_told_the_number_of_steps():
    def one_cycle(optimizer, total_steps=None):
        return OneCycleLR(optimizer, max_lr=2.0, total_steps=total_steps)

    rates = rates_of(one_cycle, 20)
    assert max(rates) == pytest.approx(2.0)
    assert rates[-1] == pytest.approx(2.0 / 25 / 1e4)
    assert rates_of(CosineAnnealingLR, 10)[5] == pytest.approx(0.5)


def test_a_scheduler_without_a_number_of_steps_is_told_none():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    assert isinstance(make_scheduler(ReduceLROnPlateau, optimizer, 10), ReduceLROnPlateau)


def test_coslog4_has_four_waves_of_which_each_is_twice_as_long():
    rates = np.array(rates_of(CosLog4, 1500, lr=0.5))
    assert 0 < rates.min() < 1e-3
    assert rates.max() == pytest.approx(0.5, abs=1e-4)
    is_valley = (rates[1:-1] < rates[:-2]) & (rates[1:-1] < rates[2:])
    assert np.flatnonzero(is_valley) + 1.5 == pytest.approx([100, 300, 700], abs=2)
    assert rates[-1] < 1e-3
    assert rates_of(CosLog4, 1)[0] > 0


def test_coslog4_lets_the_decay_of_each_group_fall_in_the_second_half():
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "weight_decay": d} for d in (0.2, 0)]
    optimizer, decays = torch.optim.AdamW(groups), []
    scheduler = make_scheduler(CosLog4, optimizer, 100)
    for _ in range(100):
        decays.append([group["weight_decay"] for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    first, second = np.array(decays).T
    assert (first[:50] == 0.2).all()
    assert (np.diff(first[50:]) < 0).all()
    assert 0 < first[-1] < 1e-3
    assert not second.any()
