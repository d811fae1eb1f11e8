import pytest

from project.training.schedulers import Constant, Cosine


def test_cosine_rises_then_falls_to_its_end():
    factors = [Cosine(100, 0.1, 0.01)(step) for step in range(100)]
    assert factors[:10] == sorted(factors[:10])
    assert 0 < factors[0] < 0.1
    assert factors[10] == 1.0
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert factors[-1] == pytest.approx(0.01)


@pytest.mark.parametrize("num_steps", [1, 2, 3])
def test_short_trainings_have_a_positive_rate(num_steps):
    assert all(Cosine(num_steps, 0.5, 0.01)(step) > 0 for step in range(num_steps + 1))


def test_constant_is_one():
    assert Constant(10)(7) == 1.0
