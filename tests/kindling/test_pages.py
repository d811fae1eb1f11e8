"""The pages of docs/: no link is dead, the index has each, and each does what it says."""

import re

import pytest

from tests.kindling.pages import BLOCK, DOCS, QUICK, ROOT, follow, make_clone, read_page

PAGES = [ROOT / "README.md", ROOT / "data/README.md", *sorted(DOCS.glob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")


def without_blocks(page):
    return BLOCK.sub("", page.read_text(encoding="utf-8"))


def anchors(page):
    """Name the places of a page as GitHub and MkDocs do."""
    titles = re.findall(r"^#+ (.*)$", without_blocks(page), re.MULTILINE)
    words = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower() for title in titles]
    return {re.sub(r"[^\w -]", "", title).replace(" ", "-") for title in words}


def dead_links(page):
    for link in LINK.findall(without_blocks(page)):
        place, _, anchor = link.partition("#")
        if ":" in place:
            continue
        target = page.parent / place if place else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_is_dead(page):
    assert list(dead_links(page)) == []


def test_a_dead_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A b\n[1](#a-b) [2](#a-c) [3](page.md#a-b) [4](none.md) [5](https://x.y)\n")
    assert list(dead_links(page)) == ["#a-c", "none.md"]


def test_every_page_is_in_the_index():
    linked = set(LINK.findall(read_page("README.md")))
    assert {page.name for page in DOCS.glob("*.md")} - {"README.md"} <= linked


# What a page promises, beside that its commands end well.
PROMISED = {
    "own-data.md": ["D201", "D103", "D105", "D209", "33 such cells", "flats.csv: 399 rows"],
    "configuration.md": ["did you mean model.width?", "_target_: project.models.mlp.MLP"],
    "debugging.md": ["loss", "learnt by heart", "NOT learnt", "step.png", "Traceback"],
    "faq.md": ["344 rows, "],
    "notebooks.md": ["val/loss", "Adelie", "torch.float32", "torch.Size([32, 3])"],
}


@pytest.mark.nightly
@pytest.mark.parametrize("name", PROMISED)
def test_a_page_can_be_followed(name, tmp_path):
    told = follow(read_page(name), make_clone(tmp_path), *QUICK)
    assert [word for word in PROMISED[name] if word not in told] == []
