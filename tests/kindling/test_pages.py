"""The pages of docs/: no link is dead, the index has each, and each does what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kindling.pages import BLOCK, DOCS, QUICK, ROOT, follow, make_clone, read_page

LENGTH = 150  # lines of a page
DOCUMENTS = sorted(DOCS.rglob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "data/README.md", *DOCUMENTS]
LINK = re.compile(r"\]\(([^)\s]+)\)")


def without_blocks(page):
    return BLOCK.sub("", page.read_text(encoding="utf-8"))


def anchors(page):
    """Name the places of a page as GitHub and Sphinx do."""
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


def linked(page):
    """List the pages that a page leads to."""
    places = (link.partition("#")[0] for link in LINK.findall(without_blocks(page)))
    return {(page.parent / place).resolve() for place in places if place.endswith(".md")}


def test_every_page_is_in_the_index_or_on_the_first_page_of_its_folder():
    root = DOCS / "README.md"
    index = {root, *linked(root)}
    for page in DOCUMENTS:
        first = DOCS / f"{page.parent.name}.md"
        assert page in index or (first in index and page in linked(first)), page


def test_no_page_is_longer_than_one_reads_at_a_time():
    lines = {page: page.read_text(encoding="utf-8").count("\n") for page in DOCUMENTS}
    assert {page: count for page, count in lines.items() if count > LENGTH} == {}


def test_the_readme_has_the_figures_of_the_results():
    *_, ranks, seconds = re.findall(r"^\| m.* \|$", read_page("../README.md"), re.MULTILINE)
    rows = zip(ranks.split("|")[2:-1], seconds.split("|")[2:-1], strict=True)
    told = [tuple(cell.strip() for cell in row) for row in rows]
    table = read_page("results.md").partition("mean rank on")[2].partition("\n\n")[0]
    measured = re.findall(r"^\| .* \| (.*) \| (.*) \|$", table, re.MULTILINE)
    assert len(told) == 5
    assert told == measured


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_file_on_a_page_can_be_pasted_as_it_stands(page):
    for _, block in BLOCK.findall(page.read_text(encoding="utf-8")):
        assert "# @package" not in block[1:]  # Hydra reads it on the first line only


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


COMPLETED = """
COMP_LINE="python train.py model=mlp model.w" COMP_POINT=32 COMP_CWORD=3
export COMP_LINE COMP_POINT
complete -p python
hydra_bash_completion
echo "${COMPREPLY[@]}"
"""


@pytest.mark.nightly
def test_the_shell_completes_what_is_typed(tmp_path):
    (line,) = re.findall(r"^eval .*$", read_page("configuration.md"), re.MULTILINE)
    here = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", f"{line}\n{COMPLETED}"],
        cwd=make_clone(tmp_path),
        env={**here, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "complete -o default -o nospace -F hydra_bash_completion python",
        "model.width=",
    ]
