"""A mapping whose keys are known, such as data.csv, is checked as a section is: key by key."""

import pytest

DATA = "defaults: [penguins, _self_]\n"
GLOBAL = "# @package _global_\n"
LABELS = "defaults: [images, _self_]\npath: here\nlabels: a.csv\n"

CASES = {
    "key": (
        {"data__mine": f'{DATA}csv: {{separatr: ";"}}\n'},
        "there is no key data.csv.separatr | separatr in conf/data/mine.yaml, line 2"
        " | did you mean data.csv.separator?",
    ),
    "experiment": (
        {"experiment__mine": f"{GLOBAL}data:\n  csv:\n    separatr: auto\n"},
        "there is no key data.csv.separatr | separatr in conf/experiment/mine.yaml, line 4"
        " | did you mean data.csv.separator?",
    ),
    "images": (
        {"data__mine": f"{LABELS}csv:\n  decimals: ','\n"},
        "there is no key data.csv.decimals | decimals in conf/data/mine.yaml, line 5"
        " | did you mean data.csv.decimal?",
    ),
    "far": (
        {"data__mine": f"{DATA}csv:\n  zzzz: 1\n"},
        "there is no key data.csv.zzzz | zzzz in conf/data/mine.yaml, line 3"
        " | take the line out; it takes separator, encoding",
    ),
    "text": (
        {"data__mine": f'{DATA}csv: ";"\n'},
        "data.csv must be a mapping of separator, encoding, quote, skip, comment, header, units,"
        " decimal, missing, or null | ; in conf/data/mine.yaml, line 2",
    ),
    "header": (
        {"data__mine": f"{DATA}csv: {{header: maybe}}\n"},
        "data.csv.header must be auto, true or false | maybe in conf/data/mine.yaml, line 2",
    ),
    "units": (
        {"data__mine": f"{DATA}csv:\n  units: many\n"},
        "data.csv.units must be auto, or a number of lines | many in conf/data/mine.yaml, line 3",
    ),
    "missing": (
        {"data__mine": f"{DATA}csv:\n  missing: 7\n"},
        "data.csv.missing must be a list of words | 7 in conf/data/mine.yaml, line 3",
    ),
    "range": (
        {"model__mine": "defaults: [mlp, _self_]\ndropout: 7\n"},
        "model.dropout must be a number >= 0 and < 1 | 7 in conf/model/mine.yaml, line 2",
    ),
}
FEW = {"text"}


@pytest.mark.parametrize(
    "case", [c if c in FEW else pytest.param(c, marks=pytest.mark.slow) for c in CASES]
)
def test_a_wrong_key_or_value_is_named_with_its_place(problems, own_conf, case):
    files, said = CASES[case]
    chosen = [f"{choice.partition('__')[0]}=mine" for choice in files]
    (found,) = problems(*chosen, conf=own_conf(**files))
    assert found.startswith(said)


@pytest.mark.slow
def test_what_fits_is_taken(problems, own_conf):
    text = "csv: {separator: ';', header: false, skip: 2, missing: [none], decimal: ','}\n"
    assert problems("data=mine", conf=own_conf(data__mine=DATA + text)) == []
    assert problems("data=mine", conf=own_conf(data__mine=f"{DATA}csv: null\n")) == []


@pytest.mark.slow
def test_a_misspelt_key_is_not_to_be_quoted(problems):
    for word in ("+data.csv.separatr=;", "data.csv.separatr=;"):
        (found,) = problems(word)
        assert found.startswith("there is no key data.csv.separatr")
        assert "did you mean data.csv.separator?" in found
    (found,) = problems("data.csv.separator=;")
    assert """type "data.csv.separator=';'\"""" in found
    (found,) = problems("data.csv.header=maybe")
    assert found.startswith("data.csv.header must be auto, true or false | maybe |")
