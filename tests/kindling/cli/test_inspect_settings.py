"""`kindling inspect` takes the settings of a training, and refuses those that change nothing."""

import json

import pandas as pd
import pytest

from kindling.cli.command_line import main
from tests.kindling.bad_tables import GOOD
from tests.kindling.images.made_images import save_images

NAMES = [f"{k:02}.png" for k in range(40)]


@pytest.fixture
def photos(tmp_path):
    table = {"file": NAMES, "label": ["a", "b"] * 20, "day": range(40)}
    table["patient"] = [k // 4 for k in range(40)]
    pd.DataFrame(table).to_csv(tmp_path / "labels.csv", index=False)
    return save_images(tmp_path / "photos", ".", count=40)


@pytest.fixture
def look(capsys):
    """Run `kindling inspect`; return the exit code, what was printed and what was told."""

    def run(*words):
        code = 0
        try:
            main(["inspect", *map(str, words)])
        except SystemExit as stop:
            code = stop.code
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def facts(look, *words):
    code, out, err = look(*words, "--json")
    assert code == 0, err
    return json.loads(out)["facts"]


@pytest.mark.parametrize("word", ["--labels {}", "data.labels={}"])
def test_a_table_of_labels_is_taken_as_an_option_and_as_a_setting(look, photos, word):
    words = word.format(photos.parent / "labels.csv").split()
    assert facts(look, photos, *words)["target"] == "2 classes of label: a, b (label holds labels)"


def test_every_setting_of_the_images_has_its_effect(look, photos):
    labels = ("--labels", photos.parent / "labels.csv")
    assert facts(look, photos, *labels, "data.size=[5,6]")["images"] == "40 of 5x6, 3 channels"
    assert facts(look, photos, *labels, "data.time=day")["split"] == "28 train, 6 val, 6 test"
    assert facts(look, photos, *labels, "data.val_fraction=0.3")["split"].split(", ")[1] == "12 val"
    assert "patient" in facts(look, photos, *labels, "--target", "patient")["target"]
    assert facts(look, photos, *labels, "data.group=patient")["split"].endswith("test")


def test_what_images_need_is_told_as_this_command_takes_it(look, photos):
    code, _, err = look(photos)
    assert (code, "type --labels ..." in err) == (3, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--test", "more/"], "--test is for tables"),
        (["--val", "more/"], "--val is for tables"),
        (["--kinds", "a=number"], "--kinds is for tables"),
        (["--target", "cat"], "data.target names a column of data.labels"),
        (["data.group=patient"], "data.group names a column of data.labels"),
        (["data.batch_size=3"], "changes nothing"),
        (["data.sise=3"], "did you mean data.size?"),
        (["data.fit=shrink"], "data.fit must be pad or crop or stretch"),
        (["seed=3"], "behind FILE stand settings of the data"),
    ],
)
def test_what_has_no_use_for_a_folder_is_refused_in_words(look, photos, words, said):
    code, _, err = look(photos, *words)
    assert (code, said in err) == (2, True), err


@pytest.fixture
def table(tmp_path):
    GOOD.to_csv(tmp_path / "table.csv", index=False)
    return tmp_path / "table.csv"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--labels", "l.csv"], "--labels is for folders of images"),
        (["data.size=[8,8]"], "data.size is for folders of images"),
        (["--test", "{table}"], "--test can be looked at where the target is known"),
        (["data.group=c"], "data.group can be looked at where the target is known"),
        (["data.csv.sep=x"], "there is no key data.csv.sep"),
        (["data.csv.quote=ab"], "data.csv.quote must be one sign"),
    ],
)
def test_what_has_no_use_for_a_table_is_refused_in_words(look, table, words, said):
    code, _, err = look(table, *(word.format(table=table) for word in words))
    assert (code, said in err) == (2, True), err


@pytest.mark.slow
def test_every_setting_of_a_table_has_its_effect(look, table):
    target = ("--target", "y")
    assert facts(look, table, *target, "data.fold=0")["split"] == "82 train, 14 val, 24 test"
    assert (
        facts(look, table, *target, "data.group=c")["split"] != facts(look, table, *target)["split"]
    )
    GOOD[:30].to_csv(table.parent / "v.csv", index=False)
    words = ("--val", table.parent / "v.csv")
    assert facts(look, table, *target, *words)["split"].split(", ")[1] == "30 val"
    GOOD.to_csv(table, index=False, sep="/")
    assert facts(look, table, *target, "data.csv.separator=/")["rows"] == "120"
