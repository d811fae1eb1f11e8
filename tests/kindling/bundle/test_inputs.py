"""Rows as people have them in Python: whatever they come as, they mean the same."""

import datetime
import io
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image

from kindling.bundle.inputs import read_rows, to_images, to_table
from kindling.bundle.python_cells import to_arrow
from kindling.errors import DataError
from kindling.images.image_schema import ImageSchema
from kindling.tables.column import Column
from kindling.tables.schema import TableSchema

SCHEMA = TableSchema(
    (
        Column("size", "number", features=("size",)),
        Column("id", "id"),
        Column("town", "category", features=("town",), categories=("Rom", "Ulm")),
    )
)
FRAME = pd.DataFrame({"size": [1.5, np.nan, 3], "town": ["Ulm", None, "Rom"]})
IMAGES = ImageSchema(channels=1, height=4, width=6)


@pytest.mark.parametrize(
    "rows",
    [
        FRAME,
        pa.Table.from_pandas(FRAME),
        FRAME.to_dict("list"),
        FRAME.to_dict("records"),
        FRAME.to_dict("series"),
        {name: FRAME[name].to_numpy() for name in FRAME},
        FRAME.to_numpy(),
        FRAME.astype({"town": "category"}),
        FRAME.convert_dtypes(),
        [{"size": 1.5, "town": "Ulm"}, {}, {"town": "Rom", "size": 3}],
    ],
    ids=lambda rows: type(rows).__name__,
)
def test_every_form_of_the_same_rows_is_typed_alike(rows):
    typed = SCHEMA.cast(to_table(rows, SCHEMA), "the rows")
    assert np.array_equal(typed["size"], [1.5, np.nan, 3], equal_nan=True)
    assert typed["town"].tolist() == ["Ulm", "", "Rom"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_header_is_found_by_its_names_below_more_lines_than_rows(tmp_path, separator):
    lines = ["Report of May, 2024", "All of it; twice | thrice", "", "# v1.2, in mm", "# checked"]
    lines += [separator.join(row) for row in (("id", "town", "size"), ("7", "Ulm", "1.5"))]
    (tmp_path / "new.csv").write_text("\n".join(lines))
    table = read_rows(tmp_path / "new.csv", SCHEMA)
    assert table.to_pylist() == [{"id": "7", "town": "Ulm", "size": "1.5"}]


def test_cells_of_several_types_become_text():
    table = to_table({"size": [1, "2", None, 3.5], "town": [1, "a", None, 2.5]}, SCHEMA)
    assert table["town"].to_pylist() == ["1", "a", None, "2.5"]
    assert SCHEMA.cast(table, "the rows")["size"].tolist()[:2] == [1, 2]


D, T = datetime.date(2024, 1, 2), datetime.datetime(2024, 1, 2, 5, 6)
ZONED = T.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
DATE = Column("cell", "date", features=("cell",), pattern="%d.%m.%Y")
COMMA = Column("cell", "number", features=("cell",), decimal=",")


@pytest.mark.parametrize(
    ("cells", "column", "written"),
    [
        ([39.5, True], None, ["39.5", "True"]),
        ([True, None, np.float64(1.5)], None, ["True", None, "1.5"]),
        ([D, T], None, ["2024-01-02", "2024-01-02 05:06:00"]),
        ([D, "03.01.2024"], DATE, ["02.01.2024", "03.01.2024"]),
        ([T, "03.01.2024"], DATE, ["2024-01-02 05:06:00", "03.01.2024"]),
        ([ZONED, T], None, ["2024-01-02 05:06:00+02:00", "2024-01-02 05:06:00"]),
        ([datetime.timedelta(1), 5], None, ["1 day, 0:00:00", "5"]),
        ([1234.567, "2,5", 1000.0, float("nan")], COMMA, ["1234,567", "2,5", "1000", None]),
        ([2**60 + 1, 0.5], COMMA, ["1152921504606846977", "0,5"]),
        ([Decimal("1234.567"), "2,5"], COMMA, ["1234,567", "2,5"]),
        ([7.0, "a", pd.NA], None, ["7", "a", None]),
    ],
)
def test_no_cell_of_another_kind_changes_what_a_cell_means(cells, column, written):
    for some in (cells, pd.Series(cells, dtype=object), np.array(cells, dtype=object)):
        assert to_arrow(some, column).to_pylist() == written
        assert to_arrow(some[::-1], column).to_pylist() == written[::-1]


def test_numbers_beside_text_are_the_numbers_that_they_are():
    schema = TableSchema((COMMA,))
    table = to_table({"cell": [1234.567, "2,5", 7]}, schema)
    assert schema.cast(table, "rows")["cell"].tolist() == [1234.567, 2.5, 7.0]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (7, "rows are a DataFrame, .*; got int"),
        ("rows.csv", "rows are a DataFrame, .*; got str"),
        ([1, 2], "rows are a DataFrame"),
        (np.zeros((2, 3)), "the 2 columns size, town in this order; got an array of 3 columns"),
        ({"size": [1], "town": ["a", "b"]}, "columns of one length"),
        ({"size": 1, "town": "a"}, "one cell for each row in column 'size'"),
        (pd.DataFrame([[1, 2]], columns=["size", "size"]), "two of the same name"),
        (pa.table([[1], [2]], ["size", "size"]), "two of the same name"),
    ],
)
def test_what_is_no_table_is_refused(rows, message):
    with pytest.raises(DataError, match=message):
        to_table(rows, SCHEMA)


def test_every_form_of_the_same_images_is_decoded_alike(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 6), dtype=np.uint8)
    pictures = [Image.fromarray(image) for image in pixels]
    files = [tmp_path / f"{number}.png" for number in range(2)]
    for picture, file in zip(pictures, files, strict=True):
        picture.save(file)
    contents = [file.read_bytes() for file in files]
    for rows in (pixels[:, None], files, [*map(str, files)], contents, pictures):
        assert np.array_equal(to_images(rows, IMAGES)[:, 0], pixels)


def test_images_of_other_sizes_and_modes_are_fitted():
    buffer = io.BytesIO()
    Image.new("RGBA", (60, 40), "red").save(buffer, "png")
    assert to_images([buffer.getvalue()], IMAGES).shape == (1, 1, 4, 6)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("photo.png", "rows are a list of paths"),
        (b"bytes", "rows are a list of paths"),
        (np.zeros((2, 1, 4, 6)), r"rows are an array uint8 of \(N, 1, 4, 6\); got float64"),
        (np.zeros((2, 3, 4, 6), np.uint8), r"got uint8 \(2, 3, 4, 6\)"),
        (["nowhere.png"], "nowhere.png"),
        ([b"no image"], "text: 'no image'"),
    ],
)
def test_what_is_no_image_is_refused(rows, message):
    with pytest.raises(DataError, match=message):
        to_images(rows, IMAGES)


def test_floats_that_are_not_finite_are_refused():
    floats = ImageSchema(2, 4, 6, dtype="float32")
    images = np.ones((3, 2, 4, 6), np.float32)
    assert to_images(images, floats) is images
    images[2, 1, 3, 5] = np.inf
    with pytest.raises(DataError, match="rows are finite numbers; got an array with NaN"):
        to_images(images, floats)
