"""The page of a run: everything in it, nothing from elsewhere, every word escaped."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from kindling.report.page import write_report
from kindling.run.run_files import describe_metrics
from kindling.scoring import Metric

pytestmark = pytest.mark.slow  # whole reports

KAPPA = Metric(
    name="kappa",
    label="Cohen's kappa",
    meaning="agreement beyond chance",
    direction="max",
    range=(-1, 1),
    problem_types=("multiclass",),
    function=lambda truth, probs: cohen_kappa_score(truth, probs.argmax(1)),
    every_epoch=True,
)
LOADS = {"src", "href", "data", "poster", "action"}


class Loaded(HTMLParser):
    """Collects what a page would load, and what its tags are."""

    def __init__(self, text):
        super().__init__()
        self.addresses, self.tags = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.addresses += [value for name, value in attrs if name.split(":")[-1] in LOADS]


def page_of(folder):
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture
def odd_csv(tmp_path):
    """Write 80 rows with a class and columns that are no plain words."""
    rng = np.random.default_rng(0)
    size = rng.normal(size=80)
    names = np.array(["<script>alert(1)</script>", "b & c", "\N{SNOWMAN} $x_1$ very long " * 5])
    frame = pd.DataFrame({'<img src="x">': size, "$a$": rng.choice(["<b>", "ü"], 80)})
    frame["y"] = names[np.digitize(size, [-0.4, 0.4])]
    frame.to_csv(tmp_path / "odd.csv", index=False)
    return ["data=table", f"data.path={tmp_path / 'odd.csv'}", "data.target=y"]


@pytest.mark.parametrize(
    "words",
    [[], pytest.param(["data.target=body_mass_g"], marks=pytest.mark.nightly), ["data=digits"]],
)
def test_a_page_loads_nothing_and_holds_every_part(run, words):
    text = page_of(run(*words, "report=true", "baselines=true", "trainer.max_epochs=2"))
    page = Loaded(text)
    assert all(a.startswith(("#", "data:")) for a in page.addresses)
    assert "script" not in page.tags
    assert not re.search(r"https?://", text.replace("http-equiv", ""))
    parts = {"plan", "scores", "training", "test", "weak", "repeat"}
    parts.add("images" if words == ["data=digits"] else "columns")
    assert parts <= set(re.findall(r'<section id="(\w+)"', text))
    assert "95 % interval" in text
    assert "epoch 2" in text or "epoch 1" in text


def test_names_are_words_and_no_markup(run, odd_csv):
    text = page_of(run(*odd_csv, "report=true"))
    page = Loaded(text)
    assert "script" not in page.tags
    assert "x" not in page.addresses
    assert "&lt;script&gt;" in text
    assert "&lt;img" in text


def test_an_own_metric_is_in_the_table_with_an_interval_and_drawn(build, compose):
    data, task, trainer = build("report=true")
    task.metrics = (KAPPA, *task.metrics)  # as if it were registered first
    trainer.fit(task, data)
    trainer.test(task, data, ckpt_path="best", weights_only=True, verbose=False)
    cfg = compose("report=true")
    metrics = describe_metrics(task, trainer, {"dummy": {"kappa": 0.0, "accuracy": 0.5}})
    text = write_report(cfg, data, task, trainer, metrics, {}).read_text(encoding="utf-8")
    assert re.search(r"Cohen&#39;s kappa</th><td[^>]*>0\.\d+</td><td[^>]*>0\.\d+ to ", text)
    assert "Cohen&#39;s kappa on test rows" in text  # the first card
    assert "(dummy): Cohen&#39;s kappa" in text  # the finding
    assert '<figure id="kappa">' in text  # a curve


@pytest.mark.nightly
@pytest.mark.slow
def test_a_hundred_classes_and_a_handful_of_test_rows_are_no_obstacle(run, tmp_path):
    rng = np.random.default_rng(0)
    label = np.arange(400) % 100
    frame = pd.DataFrame({"x": label + rng.normal(size=400), "y": [f"class {k}" for k in label]})
    frame.to_csv(tmp_path / "many.csv", index=False)
    frame.head(5).to_csv(tmp_path / "test.csv", index=False)
    words = ["data=table", f"data.path={tmp_path / 'many.csv'}", "data.target=y", "report=true"]
    text = page_of(run(*words, f"data.test_path={tmp_path / 'test.csv'}"))
    assert "Not in the test rows" in text


@pytest.mark.slow
@pytest.mark.parametrize("data", ["penguins", "digits"])
def test_the_page_in_a_browser_asks_for_nothing_and_fits(run, open_page, data):
    folder = run(f"data={data}", "report=true", "baselines=true")
    for width, is_dark in ((1280, False), (390, True)):
        visit = open_page(folder / "report.html", width=width, is_dark=is_dark)
        assert visit.errors == []
        assert [r for r in visit.requests if not r.startswith("data:")] == [
            (folder / "report.html").as_uri()
        ]
        assert visit.overflow_px <= 0


@pytest.mark.nightly
def test_pictures_of_a_value_get_a_page_too(run, tmp_path):
    from PIL import Image

    (tmp_path / "grey").mkdir()
    levels = np.random.default_rng(0).integers(0, 255, 30)
    for number, level in enumerate(levels):
        Image.new("L", (12, 10), int(level)).save(tmp_path / "grey" / f"{number}.png")
    table = pd.DataFrame({"file": [f"{k}.png" for k in range(30)], "label": levels + 0.5})
    table.to_csv(tmp_path / "labels.csv", index=False)
    words = ["data=images", f"data.path={tmp_path / 'grey'}", f"data.labels={tmp_path}/labels.csv"]
    text = page_of(run(*words, "data.cache=none", "report=true", "trainer.max_epochs=1"))
    assert "Largest errors" in text
    assert "What the network looks at" in text
    assert text.count("<img ") >= 4


@pytest.mark.slow
def test_no_figure_shows_markup_in_place_of_numbers(run):
    text = page_of(run("report=true", "trainer.max_epochs=30"))
    assert "mathdefault" not in text
