import numpy as np
import pandas as pd
import pytest

from kindling.errors import DataError
from project.data.splits import group_codes


@pytest.fixture
def storms(tmp_path):
    """Write 40 storms of 3 to 9 rows: an id, a date, a number, a label."""
    rng = np.random.default_rng(0)
    storm = np.repeat(np.arange(40), rng.integers(3, 10, 40))
    frame = pd.DataFrame(
        {
            "storm": [f"S{number}" for number in storm],
            "day": np.datetime64("2020-01-01") + rng.permutation(len(storm)),
            "wind": rng.normal(size=len(storm)),
            "label": np.where(storm % 2 == 0, "weak", "strong"),
        }
    )
    frame.to_csv(tmp_path / "storms.csv", index=False)
    return frame, ["data=table", f"data.path={tmp_path / 'storms.csv'}", "data.target=label"]


def test_no_storm_is_on_two_sides_and_its_id_is_not_learnt(storms, build):
    frame, words = storms
    data, _, _ = build(*words, "data.group=storm")
    sides = [set(frame.storm[rows]) for rows in data.split.values()]
    assert len(set().union(*sides)) == sum(map(len, sides)) == 40
    assert "storm" not in [column.name for column in data.schema.columns]


def test_a_row_without_a_group_is_alone(storms, build, tmp_path):
    frame, words = storms
    frame.assign(storm=frame.storm.where(frame.storm != "S0")).to_csv(
        tmp_path / "storms.csv", index=False
    )
    data, _, _ = build(*words, "data.group=storm")
    alone = np.flatnonzero(frame.storm == "S0")
    assert set(data.raw.groups[alone]) == {""}
    assert len(np.unique(group_codes(data.raw.groups)[alone])) == len(alone)


def test_the_latest_days_are_test(storms, build):
    frame, words = storms
    data, _, _ = build(*words, "data.time=day")
    train, val, test = (frame.day[rows] for rows in data.split.values())
    assert train.max() < val.min() < val.max() < test.min()


@pytest.mark.parametrize("is_asked", [False, True])
def test_the_time_is_learnt_from_only_where_that_is_asked(storms, build, is_asked):
    _, words = storms
    data, _, _ = build(*words, "data.time=day", f"data.learn_time={str(is_asked).lower()}")
    assert ("day" in [column.name for column in data.schema.columns]) is is_asked


def test_a_row_without_a_time_is_pointed_at(storms, build, tmp_path):
    frame, words = storms
    frame.loc[[4, 7], "day"] = None
    frame.to_csv(tmp_path / "storms.csv", index=False)
    with pytest.raises(DataError, match=r"data.time=day must be a date.*in row 4.*2 such cells"):
        build(*words, "data.time=day")


@pytest.mark.slow
def test_every_fold_is_fitted_on_its_own_train_rows(storms, build):
    _, words = storms
    folds = [build(*words, f"data.fold={fold}")[0] for fold in range(5)]
    assert sorted(np.concatenate([data.split["test"] for data in folds])) == list(
        range(len(folds[0].x))
    )
    means = {
        data.preprocessor.transformer_.named_transformers_["numbers"][1].mean_[0] for data in folds
    }
    assert len(means) == 5


def test_a_fold_that_is_none_is_refused(compose):
    from kindling.config.values import value_problems

    (problem,) = value_problems(compose("data.fold=5"))
    assert problem.do == "type data.fold=4 or less"


@pytest.mark.parametrize("word", ["data.num_folds=1", "data.fold=-1", "data.fold=1.5"])
def test_folds_out_of_range_are_a_fault_of_the_configuration(compose, word):
    from kindling.config.values import value_problems

    (problem,) = value_problems(compose(word))
    assert problem.rule.startswith(word.partition("=")[0])
