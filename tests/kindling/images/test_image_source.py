import numpy as np
import pytest
from PIL import Image

from kindling.errors import DataError
from kindling.images.digits import DigitsSource
from kindling.images.image_source import ImageSource


def read(path, **options):
    return ImageSource(path, **options).read()


def found(raw):
    """Return what was got, by its code."""
    return {problem.code: problem.got for problem in raw.findings}


def test_class_folders_become_uint8_images_and_labels(image_folder):
    raw = read(image_folder)
    assert raw.x.dtype == np.uint8
    assert raw.x.shape == (40, 3, 12, 10)
    assert raw.y.tolist() == ["blue"] * 20 + ["red"] * 20
    assert raw.names[0] == "blue/00.png"
    expected = np.asarray(Image.open(image_folder / "red" / "07.png")).transpose(2, 0, 1)
    assert (raw.x[27] == expected).all()


def test_size_and_channels_can_be_chosen(image_folder):
    assert read(image_folder, size=(8, 9), channels=1).x.shape == (40, 1, 8, 9)


def test_grey_images_have_one_channel(image_folder):
    for file in image_folder.rglob("*.png"):
        Image.open(file).convert("L").save(file)
    assert read(image_folder).x.shape == (40, 1, 12, 10)


def test_ordinary_images_are_not_warned_of(image_folder):
    raw = read(image_folder)
    assert (raw.notes, raw.findings) == ((), ())


def test_auto_size_is_what_most_have_and_says_what_it_resized(image_folder):
    file = image_folder / "red" / "00.png"
    Image.open(file).resize((50, 40)).save(file)
    raw = read(image_folder)
    assert raw.x.shape == (40, 3, 12, 10)
    assert raw.notes == ("1 of them shrunk from 40x50 and padded",)
    assert found(raw) == {"D413": "1 of 40: red/00.png (40x50)"}


@pytest.mark.parametrize(
    ("size", "options", "note"),
    [
        pytest.param(
            (512, 512),
            {},
            "40 of them shrunk from 512x512 (data.size=[512,512] keeps all pixels)",
            marks=pytest.mark.slow,
        ),
        ((6, 6), {}, "40 of them enlarged from 6x6"),
        ((12, 10), {"size": (24, 24)}, "40 of them enlarged from 12x10 and padded"),
        (
            (40, 20),
            {"size": (10, 10), "fit": "crop"},
            "40 of them shrunk from 40x20 and cropped (data.size=[40,20] keeps all pixels)",
        ),
        (
            (20, 20),
            {"size": (40, 10), "fit": "stretch"},
            "40 of them stretched unevenly from 20x20",
        ),
        ((8, 10), {"size": (8, 16)}, "40 of them padded from 8x10"),
        ((8, 16), {"size": (8, 10), "fit": "crop"}, "40 of them cropped from 8x16"),
    ],
)
def test_the_plan_says_what_becomes_of_the_size(image_folder, size, options, note):
    for file in image_folder.rglob("*.png"):
        Image.open(file).resize(size[::-1]).save(file)
    assert read(image_folder, **options).notes == (note,)


def test_strips_that_become_too_narrow_are_warned_of(image_folder):
    for file in image_folder.rglob("*.png"):
        Image.open(file).resize((16, 600)).save(file)
    (problem,) = (p for p in read(image_folder).findings if p.code == "D416")
    assert problem.severity == "warning"
    assert "40 of 40: blue/00.png (600x16 becomes 128x3)" in problem.got


@pytest.mark.slow
def test_auto_size_of_large_images_has_no_side_over_128(image_folder):
    for file in image_folder.rglob("*.png"):
        Image.open(file).resize((400, 200)).save(file)
    assert read(image_folder).x.shape == (40, 3, 64, 128)


def test_auto_size_where_no_size_is_common_is_the_middle(image_folder):
    for number, file in enumerate(sorted(image_folder.rglob("*.png"))):
        Image.open(file).resize((20 + number, 40 + number)).save(file)
    assert read(image_folder).x.shape == (40, 3, 60, 40)


def test_one_image_in_colour_makes_all_of_them_coloured(image_folder):
    for file in sorted(image_folder.rglob("*.png"))[1:]:
        Image.open(file).convert("L").save(file)
    raw = read(image_folder)
    assert raw.x.shape[1] == 3
    assert (raw.x[1, 0] == raw.x[1, 1]).all()


def test_of_a_moving_image_the_first_frame_is_taken_and_this_is_said(image_folder):
    frames = [Image.new("RGB", (10, 12), colour) for colour in ("red", "green")]
    frames[0].save(image_folder / "red" / "moving.gif", save_all=True, append_images=frames[1:])
    raw = read(image_folder)
    assert raw.x[-1, :, 0, 0].tolist() == [255, 0, 0]
    assert found(raw) == {"D414": "1 of 41: red/moving.gif"}


def test_an_image_with_a_wrong_ending_is_read_and_this_is_said(image_folder):
    (image_folder / "red" / "19.png").rename(image_folder / "red" / "is_png.jpg")
    raw = read(image_folder)
    assert len(raw.x) == 40
    assert found(raw) == {"D415": "1 of 40: red/is_png.jpg (PNG)"}


def test_an_image_of_one_pixel_is_read_and_warned_of(image_folder):
    Image.new("RGB", (1, 1), "green").save(image_folder / "red" / "00.png")
    raw = read(image_folder)
    assert raw.x[20, :, 6, 5].tolist() == [0, 128, 0]
    assert found(raw)["D416"] == "1 of 40: red/00.png (1x1)"


def refused(path, **options):
    with pytest.raises(DataError) as caught:
        read(path, **options)
    return caught.value.problems


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"", "D401", "empty"),
        (b"<html><body>", "D401", "HTML"),
        (b"just words", "D401", "text: 'just words'"),
        (b"<svg xmlns=''/>", "D401", "SVG"),
        (None, "D402", "truncated"),
    ],
)
def test_every_file_that_is_no_image_is_named(image_folder, content, code, words):
    good = (image_folder / "red" / "01.png").read_bytes()
    for name in ("01.png", "02.png"):
        (image_folder / "red" / name).write_bytes(good[:200] if content is None else content)
    (problem,) = refused(image_folder)
    assert problem.code == code
    assert words in problem.got
    assert problem.got.count(".png") == 2


def test_a_thousand_bad_files_are_one_problem_per_kind_with_a_few_names(image_folder):
    good = (image_folder / "red" / "01.png").read_bytes()
    for number in range(500):
        (image_folder / "red" / f"empty{number:03}.png").write_bytes(b"")
        (image_folder / "red" / f"short{number:03}.png").write_bytes(good[:200])
    problems = refused(image_folder)
    assert {p.code: p.got.count(".png") for p in problems} == {"D401": 5, "D402": 5}
    assert all("and 495 more files" in p.got for p in problems)
    assert {p.do for p in problems} == {"replace the file, or remove it"}


def test_a_flipped_bit_is_found(image_folder):
    file = image_folder / "red" / "01.png"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    (problem,) = refused(image_folder)
    assert problem.code == "D402"


def test_an_image_with_too_many_pixels_is_not_decoded(image_folder):
    Image.new("1", (3000, 3000)).save(image_folder / "red" / "bomb.png")
    (problem,) = refused(image_folder, max_pixels=1_000_000)
    assert problem.code == "D403"
    assert "3000x3000 pixels, more than 1,000,000" in problem.got
    assert "data.max_pixels" in problem.do


def break_two(image_folder):
    """Make one file that is no image, and one that ends too early."""
    (image_folder / "red" / "page.jpg").write_bytes(b"<html><body>")
    good = (image_folder / "blue" / "01.png").read_bytes()
    (image_folder / "blue" / "01.png").write_bytes(good[:200])


def got_by_code(problems):
    return {problem.code: problem.got for problem in problems}


@pytest.mark.parametrize(
    ("rows", "task", "code"),
    [
        (["red/none.png,x", "red/02.png,y"], "auto", "D408"),
        (["red/02.png,x", "red/03.png,y"], "regression", "D202"),
        ([f"red/{k:02}.png,class {k}" for k in range(20)], "classification", "D204"),
    ],
)
def test_faults_of_labels_and_of_the_files_are_told_at_once(
    image_folder, tmp_path, rows, task, code
):
    break_two(image_folder)
    lines = ["file,label", "red/page.jpg,x", "blue/01.png,y", *rows]
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    with pytest.raises(DataError) as caught:
        ImageSource(image_folder, labels=tmp_path / "labels.csv", task=task).read()
    assert set(got_by_code(caught.value.problems)) == {"D401", "D402", code}


def test_digits_are_grey_images_from_black_to_white():
    raw = DigitsSource().read()
    assert raw.x.shape == (1797, 1, 8, 8)
    assert (raw.x.min(), raw.x.max()) == (0, 255)
