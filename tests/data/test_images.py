import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kindling.data.digits import DigitsSource
from kindling.data.images import ImageSource
from kindling.data.pictures.album import Options
from kindling.errors import DataError


def read(path, **options):
    labels = options.pop("labels", None)
    more = {
        name: options.pop(name) for name in ("task", "follow_links", "cache") if name in options
    }
    return ImageSource(path, Options(**options), labels, **more).read()


def noted(raw):
    return " | ".join([*raw.notes, *(f"{p.rule} {p.got}" for p in raw.findings)])


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


def test_auto_size_is_what_most_have_and_says_what_it_resized(image_folder):
    file = image_folder / "red" / "00.png"
    Image.open(file).resize((50, 40)).save(file)
    raw = read(image_folder)
    assert raw.x.shape == (40, 3, 12, 10)
    assert "1 images resized (padded) to 12x10 pixels" in noted(raw)


def test_folders_named_for_stages_fix_the_split(image_folder, tmp_path):
    for stage in ("train", "test"):
        shutil.copytree(image_folder, tmp_path / "split" / stage)
    raw = read(tmp_path / "split")
    assert set(raw.given) == {"test"}
    assert len(raw.given["test"]) == 40
    assert raw.names[raw.given["test"][0]].startswith("test/blue")
    assert "40 images are in several stages" in noted(raw)


def test_folders_may_have_any_name_and_two_spellings_of_it_are_one(image_folder):
    (image_folder / "red").rename(image_folder / "Ma\u0308use \N{MOUSE FACE}")  # as a Mac writes it
    assert set(read(image_folder).y) == {"blue", "M\u00e4use \N{MOUSE FACE}"}


def test_a_wrong_ending_and_several_frames_are_said_and_hidden_files_ignored(image_folder):
    red = image_folder / "red"
    frames = [Image.new("RGB", (10, 12), colour) for colour in ("red", "green")]
    frames[0].save(red / "moving.gif", save_all=True, append_images=frames[1:])
    (red / "00.png").rename(red / "is_png.jpg")
    (red / ".hidden.png").write_bytes(b"none")
    (red / "notes.txt").write_text("none")
    (image_folder / "empty").mkdir()
    words = noted(read(image_folder))
    assert "1 images hold several frames, the first is taken: red/moving.gif" in words
    assert "is_png.jpg (PNG)" in words
    assert "1 files that are no images by name: 1 .txt" in words
    assert "folders without images: empty" in words
    assert "hidden" not in words


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


def test_a_hundred_bad_files_are_one_problem_with_a_few_names(image_folder):
    for number in range(100):
        (image_folder / "red" / f"bad{number:03}.png").write_bytes(b"")
    (problem,) = refused(image_folder)
    assert "(100 files in all)" in problem.got
    assert problem.got.count(".png") == 5


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


def test_folders_from_which_nothing_can_be_learnt_are_refused(image_folder, tmp_path):
    (nothing,) = refused(tmp_path / "images" / "red")
    assert nothing.code == "D406"  # images in the root
    shutil.rmtree(image_folder / "red")
    (one,) = refused(image_folder)
    assert (one.code, one.got) == ("D407", "only blue")
    shutil.rmtree(image_folder / "blue")
    (none,) = refused(image_folder)
    assert none.code == "D407"
    assert ImageSource(tmp_path / "nowhere").missing()[0].code == "D001"


def test_a_link_out_of_the_folder_is_refused_unless_it_is_trusted(image_folder, tmp_path):
    outside = tmp_path / "outside.png"
    (image_folder / "red" / "00.png").rename(outside)
    (image_folder / "red" / "00.png").symlink_to(outside)
    (problem,) = refused(image_folder)
    assert (problem.code, problem.got) == ("D405", "red/00.png")
    assert len(read(image_folder, follow_links=True).x) == 40


def test_a_table_may_name_the_labels(image_folder, tmp_path):
    names = [f"red/{k:02}.png" for k in range(10)] + [f"blue/{k:02}" for k in range(10)]
    frame = pd.DataFrame({"file": names, "label": ["x", "y"] * 10})
    frame.to_csv(tmp_path / "labels.csv", index=False)
    raw = read(image_folder, labels=tmp_path / "labels.csv")
    assert raw.y.tolist() == ["x", "y"] * 10
    assert "20 images that no row names left out" in noted(raw)
    frame.assign(label=np.arange(20) / 7).to_csv(tmp_path / "labels.csv", index=False)
    assert read(image_folder, labels=tmp_path / "labels.csv").is_regression
    frame.assign(file="red/none.png").to_csv(tmp_path / "labels.csv", index=False)
    (problem,) = refused(image_folder, labels=tmp_path / "labels.csv")
    assert problem.code == "D408"


@pytest.mark.slow
def test_numbers_for_pictures_are_a_regression_from_end_to_end(run, image_folder, tmp_path):
    files = sorted(image_folder.rglob("*.png"))
    value = [float(np.asarray(Image.open(f))[..., 0].mean()) for f in files]
    names = [f.relative_to(image_folder).as_posix() for f in files]
    pd.DataFrame({"file": names, "brightness": value}).to_csv(tmp_path / "l.csv", index=False)
    words = ["data=images", f"data.path={image_folder}", f"data.labels={tmp_path / 'l.csv'}"]
    folder = run(*words, "trainer.max_epochs=30", "data.batch_size=8")
    predicted = pd.read_csv(folder / "predictions.csv")
    assert np.corrcoef(predicted.truth, predicted.prediction)[0, 1] > 0.9


def test_digits_are_grey_images_of_all_levels():
    raw = DigitsSource().read()
    assert raw.x.shape == (1797, 1, 8, 8)
    assert (raw.x.min(), raw.x.max()) == (0, 255)
