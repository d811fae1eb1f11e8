import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kindling.errors import DataError
from kindling.images.image_source import ImageSource

NAMES = [f"red/{k:02}.png" for k in range(20)] + [f"blue/{k:02}.png" for k in range(20)]
TABLE = pd.DataFrame({"file": NAMES, "label": ["x", "y"] * 20})


@pytest.fixture
def read(image_folder, tmp_path):
    """Read the images with the labels of a table."""

    def run(table, **options):
        table.to_csv(tmp_path / "labels.csv", index=False)
        return ImageSource(image_folder, labels=tmp_path / "labels.csv", **options).read()

    return run


def refused(read, table, **options):
    with pytest.raises(DataError) as caught:
        read(table, **options)
    (problem,) = caught.value.problems
    return problem


def test_a_table_names_files_and_their_labels_in_its_own_order(read):
    raw = read(TABLE)
    assert raw.y.tolist() == TABLE.label.tolist()
    assert raw.names.tolist() == NAMES
    assert (raw.is_regression, raw.target, raw.findings) == (False, "label", ())


def test_numbers_for_labels_are_a_regression_and_whole_ones_may_be_classes(read):
    values = TABLE.assign(label=np.arange(40) / 7)
    assert read(values).is_regression
    assert read(values).y.tolist() == pytest.approx((np.arange(40) / 7).tolist())
    assert not read(TABLE.assign(label=[3, 5] * 20)).is_regression


@pytest.mark.parametrize(
    "spell",
    [
        lambda name: name.removesuffix(".png"),
        lambda name: name.replace("/", "\\"),
        lambda name: f"./{name}",
        lambda name: f"images/{name}",  # as seen from where the table lies
    ],
    ids=["no ending", "Windows", "dot", "beside"],
)
def test_a_file_may_be_spelt_in_several_ways(read, spell):
    assert read(TABLE.assign(file=[spell(name) for name in NAMES])).names.tolist() == NAMES


def test_columns_of_other_names_are_taken_in_order(read):
    raw = read(TABLE.rename(columns={"file": "photo", "label": "Tier 🐭"}))
    assert (raw.target, raw.y.tolist()) == ("Tier 🐭", TABLE.label.tolist())


def test_a_third_column_may_fix_the_split(read):
    raw = read(TABLE.assign(stage=["train"] * 30 + ["test"] * 10))
    assert raw.given["test"].tolist() == list(range(30, 40))


def test_what_the_table_leaves_out_is_said(read):
    table = TABLE.iloc[:20].copy()
    table.loc[0, "label"] = None
    raw = read(table)
    assert len(raw.y) == 19
    unlabelled, unnamed = raw.findings
    assert (unlabelled.code, unlabelled.got) == ("D417", "left out: 1 rows without one")
    assert (unnamed.code, "21 images without one: blue/00.png" in unnamed.got) == ("D417", True)


@pytest.mark.parametrize(
    ("table", "rule", "got"),
    [
        (TABLE.replace("red/03.png", "red/none.png"), "must be an image below", "red/none.png"),
        (TABLE.replace("red/03.png", "red/04.png"), "must name a file once", "red/04.png"),
        (TABLE.assign(split="later"), "must say train, val or test", "later"),
        (TABLE.assign(stage=["train", "later"] * 20), "must say train, val or test", "later"),
        (TABLE[["file"]], "must have two columns", "with file"),
    ],
    ids=["absent", "twice", "split", "stage", "one column"],
)
def test_a_table_that_does_not_fit_is_refused(read, table, rule, got):
    problem = refused(read, table)
    assert problem.code == "D408"
    assert rule in problem.rule
    assert got in problem.got


def test_labels_with_a_zero_in_front_are_numbers_in_a_regression_only(read):
    table = TABLE.assign(label=["007", "012"] * 20)
    assert set(read(table).y) == {"007", "012"}
    assert set(read(table, task="regression").y) == {7.0, 12.0}


def test_text_for_a_quantity_is_refused(read):
    assert refused(read, TABLE, task="regression").code == "D202"


@pytest.mark.slow
def test_numbers_for_images_are_a_regression_from_end_to_end(run, image_folder, tmp_path):
    brightness = [np.asarray(Image.open(image_folder / name))[..., 0].mean() for name in NAMES]
    pd.DataFrame({"file": NAMES, "red": brightness}).to_csv(tmp_path / "l.csv", index=False)
    words = ["data=images", f"data.path={image_folder}", f"data.labels={tmp_path / 'l.csv'}"]
    folder = run(*words, "trainer.max_epochs=30", "data.batch_size=8")
    predicted = pd.read_csv(folder / "predictions.csv")
    assert np.corrcoef(predicted.truth, predicted.prediction)[0, 1] > 0.9
