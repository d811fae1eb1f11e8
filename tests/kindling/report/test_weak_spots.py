import numpy as np

from kindling.report.weak_spots import find_slices

RNG = np.random.default_rng(0)
TOWNS = RNG.choice(["Rom", "Ulm", "Ys", ""], 1000)
SIZE = RNG.normal(size=1000)


def test_a_planted_bad_group_is_found_first():
    errors = (RNG.random(1000) < np.where(TOWNS == "Ulm", 0.5, 0.1)).astype(float)
    worst = find_slices({"town": TOWNS, "size": SIZE}, errors)[0]
    assert (worst.column, worst.values) == ("town", "Ulm")
    assert worst.num_rows == (TOWNS == "Ulm").sum()
    assert worst.chance < 1e-6


def test_a_bad_range_of_a_number_is_found_by_its_quarter():
    errors = np.where(np.quantile(SIZE, 0.76) < SIZE, 3.0, 1.0) + 0.1 * RNG.random(1000)
    worst = find_slices({"town": TOWNS, "size": SIZE}, errors)[0]
    assert worst.column == "size"
    assert worst.num_rows == 250


def test_among_rows_without_a_pattern_nothing_is_sure():
    errors = (RNG.random(1000) < 0.2).astype(float)
    assert all(group.chance > 0.01 for group in find_slices({"town": TOWNS, "size": SIZE}, errors))


def test_groups_of_a_few_rows_and_missing_cells_are_kept_apart():
    numbers = np.where(RNG.random(1000) < 0.3, np.nan, SIZE)
    errors = np.where(np.isnan(numbers), 1.0, 0.0)
    worst = find_slices({"size": numbers}, errors)[0]
    assert worst.values == "(missing)"
    assert find_slices({"size": SIZE[:5]}, np.ones(5)) == []
