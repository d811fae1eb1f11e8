"""The page for a person, driven in a real browser: forms, files, images, errors, keyboard."""

import csv
import io
import re
from pathlib import Path

import pytest

from kindling import load
from tests.kindling.images.test_npy_source import made
from tests.kindling.serve.asking import (
    CATEGORIES,
    CLASSES,
    PENGUIN,
    QUOTES,
    SHOUT,
    TABLE,
    npy,
    png,
    serving,
)

STYLE = Path("src/kindling/serve/page/style.css")
SIZES = [1280, 390]  # desktop and phone, in pixels
SHOWN = 5000  # ms; the browser waits for it itself


@pytest.fixture(scope="module")
def penguins(penguins_run):
    with serving(penguins_run) as (_, address):
        yield address


@pytest.fixture(scope="module")
def digits(digits_run):
    with serving(digits_run) as (_, address):
        yield address


@pytest.fixture(scope="module")
def odd(odd_run):
    with serving(odd_run) as (_, address):
        yield address


@pytest.fixture(scope="module")
def arrays(arrays_run):
    with serving(arrays_run) as (_, address):
        yield address


@pytest.fixture
def visit(open_page):
    """Open a page that must not complain, ask elsewhere, or stick out of its window."""
    visits = []

    def go(address, **how):
        seen = open_page(address, **how)
        seen.page.set_default_timeout(SHOWN)
        seen.page.wait_for_selector("[data-ready]")
        visits.append((seen, address))
        return seen.page

    yield go
    for seen, address in visits:
        # A browser tells of every refused request by itself.
        assert [text for text in seen.errors if "status of 4" not in text] == []
        assert [url for url in seen.requests if not url.startswith((address, "blob:"))] == []
        assert seen.overflow_px == 0


def fill(page, row):
    for name, value in row.items():
        field = page.get_by_label(name, exact=True)
        if isinstance(value, str):
            field.select_option(value)
        else:
            field.fill("" if value is None else str(value))


def result(page):
    page.wait_for_selector("#form-result .label")
    return page.inner_text("#form-result .label")


@pytest.mark.slow
@pytest.mark.parametrize("width", SIZES)
def test_a_filled_form_shows_what_the_model_predicts(visit, penguins, penguins_run, width):
    page = visit(penguins, width=width)
    fill(page, PENGUIN)
    page.get_by_role("button", name="Predict").click()
    model = load(penguins_run)
    assert result(page) == model.predict([PENGUIN])[0]
    best = max(model.predict_proba([PENGUIN])[0])
    assert page.locator(".bars li span:nth-child(2)").first.inner_text() == f"{100 * best:.0f} %"
    page.get_by_role("button", name="Clear").click()
    assert page.locator("#form-result .label").count() == 0


@pytest.mark.slow
def test_what_the_train_rows_were_not_like_is_said_below_a_prediction(visit, penguins):
    page = visit(penguins)
    fill(page, PENGUIN | {"bill_length_mm": 400})
    page.get_by_role("button", name="Predict").click()
    result(page)
    assert "bill_length_mm: 1 row outside" in page.inner_text("#form-result")
    content = TABLE.head().assign(hue="red").to_csv(index=False).encode()
    page.set_input_files("#file", {"name": "n.csv", "mimeType": "text/csv", "buffer": content})
    page.wait_for_selector("tbody tr")
    assert "not used: hue" in page.inner_text("#file-result")


@pytest.mark.slow
@pytest.mark.parametrize("width", SIZES)
def test_an_error_stands_beside_its_field_and_has_the_focus(visit, penguins, width):
    page = visit(penguins, width=width)
    field = page.get_by_label("bill_length_mm")
    field.fill("forty")
    page.keyboard.press("Enter")
    page.wait_for_selector("[aria-invalid]")
    assert page.evaluate("document.activeElement.id") == field.get_attribute("id")
    ids = field.get_attribute("aria-describedby").split()
    notes = [page.inner_text(f"#{note}") for note in ids]
    assert any(note.startswith("must be a number; got 'forty'") for note in notes)
    field.fill("40")
    page.keyboard.press("Enter")
    result(page)
    assert page.locator("[aria-invalid]").count() == 0


@pytest.mark.slow
@pytest.mark.parametrize("width", SIZES)
def test_an_uploaded_table_is_shown_and_can_be_kept(visit, penguins, penguins_run, width):
    page = visit(penguins, width=width)
    page.set_input_files("#file", "data/penguins.csv")
    page.wait_for_selector("tbody tr")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text("utf-8"))))
    assert [row["prediction"] for row in rows] == load(penguins_run).predict(TABLE).tolist()
    assert f"{len(TABLE)} rows" in page.inner_text("#file-status")


@pytest.mark.slow
def test_a_file_that_does_not_fit_is_answered_with_its_column(visit, penguins):
    page = visit(penguins)
    content = TABLE.head().rename(columns={"island": "iland"}).to_csv(index=False).encode()
    page.set_input_files("#file", {"name": "n.csv", "mimeType": "text/csv", "buffer": content})
    page.wait_for_selector("#file-errors .error")
    assert "did you mean 'iland'?" in page.inner_text("#file-errors")


@pytest.mark.slow
@pytest.mark.parametrize("width", SIZES)
def test_images_are_shown_with_their_predictions(visit, digits, digits_run, width):
    page = visit(digits, width=width)
    files = [
        {"name": f"{level}.png", "mimeType": "image/png", "buffer": png(level)}
        for level in (0, 255)
    ]
    page.set_input_files("#file", files)
    page.wait_for_selector(".images .label")
    wanted = load(digits_run).predict([png(0), png(255)])
    assert page.locator(".images .label").all_inner_texts() == [str(label) for label in wanted]
    page.wait_for_function("[...document.images].every((image) => image.naturalWidth === 8)")
    page.set_input_files(
        "#file", {"name": "torn.png", "mimeType": "image/png", "buffer": png(0)[:40]}
    )
    page.wait_for_selector("#file-errors .error")
    assert page.inner_text("#file-errors").startswith("torn.png: ")


@pytest.mark.slow
def test_arrays_are_predicted_without_being_shown(visit, arrays, arrays_run):
    page = visit(arrays)
    assert "float32 (4, 10, 12)" in page.inner_text("#file-hint")
    images = made("float32", 4)[:2]
    files = [
        {"name": f"{k}.npy", "mimeType": "", "buffer": npy(image)} for k, image in enumerate(images)
    ]
    page.set_input_files("#file", files)
    page.wait_for_selector(".images .label")
    wanted = load(arrays_run).predict([npy(image) for image in images])
    assert page.locator(".images .label").all_inner_texts() == wanted.tolist()
    assert page.locator("img").count() == 0


@pytest.mark.slow
def test_an_image_can_be_dropped(visit, digits):
    page = visit(digits)
    dropped = page.evaluate_handle(
        """(bytes) => {
          const held = new DataTransfer();
          held.items.add(new File([new Uint8Array(bytes)], "a.png", { type: "image/png" }));
          return held;
        }""",
        list(png(9)),
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": dropped})
    page.wait_for_selector(".images .label")


@pytest.mark.slow
def test_the_form_is_used_with_the_keyboard_alone(visit, odd):
    page = visit(odd)
    press = page.keyboard.press
    press("Tab")
    page.keyboard.type("60.5")
    press("Tab")
    press("ArrowDown")  # from "unknown" to the first category
    press("Tab")
    press("ArrowUp")  # from "unknown" to "no"
    press("Tab")
    page.keyboard.type("31.03.2024")
    press("Enter")
    assert result(page) in CLASSES
    press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Predict"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


@pytest.mark.slow
def test_names_with_marks_of_html_are_text(visit, odd):
    page = visit(odd)
    fill(page, {SHOUT: 60.5, QUOTES: sorted(CATEGORIES)[0], "day": 0})
    page.get_by_label("day").fill("31.03.2024")
    page.get_by_role("group", name="is, or not").get_by_label("yes").check()
    page.get_by_role("button", name="Predict").click()
    assert result(page) in CLASSES
    assert page.title() == "Predict answer"
    assert page.locator("main b, main i, main img").count() == 0
    page.get_by_label(QUOTES, exact=True).select_option("another …")
    page.get_by_label(f"{QUOTES}: another").fill("<script>")
    page.get_by_role("button", name="Predict").click()
    assert result(page) in CLASSES


@pytest.mark.slow
@pytest.mark.parametrize("is_dark", [False, True])
def test_every_control_has_a_name_and_every_id_is_its_own(visit, odd, is_dark):
    page = visit(odd, is_dark=is_dark)
    names = page.evaluate(
        """[...document.querySelectorAll("input, select, button")].map((control) =>
          control.labels?.[0]?.textContent || control.ariaLabel || control.textContent)"""
    )
    assert all(names)
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((element) => element.id)")
    assert len(set(ids)) == len(ids)
    assert page.get_by_role("status").count() == 2


@pytest.mark.slow
def test_a_server_that_is_gone_is_said(open_page, penguins):
    page = open_page(penguins).page
    page.wait_for_selector("[data-ready]")
    page.context.set_offline(True)
    page.get_by_role("button", name="Predict").click()
    page.wait_for_selector("#form-errors .error")
    assert "does not answer" in page.inner_text("#form-errors")


def brightness(colour):
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("part", [0, 1], ids=["light", "dark"])
def test_text_stands_out_from_its_ground(part):
    block = STYLE.read_text("utf-8").split(":root {")[1 + part].partition("}")[0]
    colours = dict(re.findall(r"--([\w-]+): (#\w{6})", block))
    pairs = [
        (ink, paper) for ink in ("ink", "soft", "ember", "wrong") for paper in ("paper", "card")
    ]
    for front, behind in [*pairs, ("on-ember", "ember")]:
        light, dark = sorted((brightness(colours[front]), brightness(colours[behind])))[::-1]
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (front, behind)
