"""A search space is read as Hydra's grammar has it, and a drawn value is typed as it was meant."""

import pytest
from optuna import create_study
from optuna.samplers import RandomSampler

from kindling.config.overrides import read_override
from kindling.errors import ConfigError
from kindling.search.space import describe, distributions, ends, read_words, suggest


def space_of(*words, **params):
    return distributions(read_words(params, words)[0])


def drawn(space, count=60):
    study = create_study(sampler=RandomSampler(0))
    return [suggest(study.ask(), space)[0].partition("=")[2] for _ in range(count)]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("choice(64,128)", {"64", "128"}),
        ("64,128,64", {"64", "128"}),
        ("null,true,adamw", {"null", "true", "adamw"}),
        ("range(2,5)", {"2", "3", "4"}),  # without its end, as -m has it
        ("range(0,1,0.25)", {"0.0", "0.25", "0.5", "0.75"}),
        ("range(8,2,-3)", {"5", "8"}),
        ("int(interval(1,3))", {"1", "2", "3"}),
        ("tag(log,int(interval(1,2)))", {"1", "2"}),
        ("choice('a, b','it\\'s',[1,2])", {"'a, b'", '"it\'s"', "[1,2]"}),
    ],
)
def test_each_value_of_a_space_is_drawn_and_no_other(text, values):
    texts = drawn(space_of(f"key={text}"))
    assert set(texts) == values
    assert all(read_override(f"key={each}")[1] is None for each in texts)  # can be typed


def test_an_interval_is_drawn_between_its_ends_in_few_digits():
    texts = drawn(space_of("optimizer.lr=tag(log, interval(1.23456e-4,1e-1))"), 300)
    numbers = [float(text) for text in texts]
    assert all(1.23456e-4 <= number <= 0.1 for number in numbers)
    assert all(float(f"{number:.4g}") == number for number in numbers)
    assert sum(number < 3.5e-3 for number in numbers) in range(110, 190)  # logarithmic: the half


def test_what_is_typed_overrules_a_file_and_the_rest_is_kept_as_it_was_typed():
    params = {"model": "tabm", "model.width": "choice(64,128)", "baselines": False, "freeze": []}
    words = ["model.width=32", "data.path='my data, 1.csv'", "optimizer.lr=1,2", "~callbacks.clock"]
    searched, fixed = read_words(params, words)
    assert [*searched] == ["optimizer.lr"]
    expected = ["model=tabm", "model.width=32", "baselines=false", "freeze=[]", words[1], words[3]]
    assert fixed == expected


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "a search needs settings to vary"),
        (["mode=min,max"], "all trials are compared by one mode"),
        (["a=tag(lgo,interval(1,2))"], "the only tag of a search space is log; got lgo"),
        (["a=tag(log,interval(0,2))"], "must have values to draw from"),
        (["a=interval(3,2)"], "must have values to draw from"),
        (["a=b c,d)"], "need quoting"),
    ],
)
def test_a_space_that_cannot_be_drawn_from_is_refused_in_words(words, told):
    with pytest.raises(ConfigError, match=told):
        space_of(*words)


def test_a_space_is_remembered_in_words():
    words = ["a=range(1,5)", "b=tag(log,interval(0.1,1))", "c=x,y", "d=range(0,1,0.5)"]
    told = ["1 to 4", "0.1 to 1.0 (log)", "x, y", "0.0 to 0.5 by 0.5"]
    space = space_of(*words)
    assert [describe(each) for each in space.values()] == told
    typed = [ends(key, each) for key, each in space.items()]
    assert typed == ["a=1,4", "b=0.1,1.0", "c=x,y", "d=0.0,0.5"]
