"""The lesson's pages against the code: names, printed results, nothing left out."""

import ast
import contextlib
import io
import re
from itertools import chain
from pathlib import Path

import pytest

from project.training.task import SupervisedTask
from tests.kindling.pages import ROOT, pages_of, read_page, read_pages, sections

LESSON, ROAD = "lesson", "from-cnns-to-transformers"
PAGES = [*pages_of(LESSON), *pages_of(ROAD)]
LINK = re.compile(r"\[`([^\]]+)`\]\(([^)]+)\)")
NAMED = sorted(
    {
        (name, str((page.parent / place).resolve().relative_to(ROOT)))
        for page in PAGES
        for name, place in LINK.findall(page.read_text(encoding="utf-8"))
    }
)


def examples_of(page):
    """Return each block of Python behind what can be pasted before it, with what it prints."""
    text = page.read_text(encoding="utf-8")
    head, *blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL) or [""]
    printed = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    return [(head + code, said) for code, said in zip(blocks, printed, strict=True)]


def numbered(name, number):
    """Return the sections of some pages whose titles begin with a number, in their order."""
    found = sections(read_pages(name)).items()
    return {title.split()[0]: text for title, text in sorted(found) if re.match(number, title)}


SECTIONS, STEPS = numbered(LESSON, r"L\d "), numbered(ROAD, r"\d ")
STATEMENTS = [
    (section, statement)
    for section, text in SECTIONS.items()
    for statement in re.findall(r"^- (.*?)(?=^- |^$)", text, re.MULTILINE | re.DOTALL)
]
CODE = r"\[`[\w.]+`\]\([./]+/src/(?:project|kindling)/[\w/]+\.py\)"
ANSWER = "<details><summary>Answer</summary>"
TEST = r"\[`test_\w+`\]\([./]+/tests/kindling/lesson/test_\w+\.py\)"


def names_in(file):
    """Return the names of functions, classes and methods; or the keys of a YAML file."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".yaml":
        return set(re.findall(r"^(\w+):", text, re.MULTILINE))
    named = (ast.FunctionDef, ast.ClassDef)
    names = set()
    for node in ast.parse(text).body:
        if isinstance(node, named):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {
                f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, named)
            }
    return names


@pytest.mark.parametrize(("name", "file"), NAMED)
def test_every_linked_name_is_in_its_file(name, file):
    assert name in names_in(ROOT / file)


@pytest.mark.parametrize(("code", "printed"), [*chain(*map(examples_of, PAGES))])
def test_every_example_prints_what_the_page_says(code, printed):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "an example", "exec", dont_inherit=True), {})
    assert out.getvalue() == printed


def test_every_test_of_the_lesson_is_on_its_pages():
    files = set((ROOT / "tests" / "kindling" / "lesson").glob("test_*.py")) - {Path(__file__)}
    written = {name for file in files for name in names_in(file) if name.startswith("test_")}
    assert written - {name for name, _ in NAMED} == set()


def test_every_section_of_the_lesson_has_an_example():
    assert list(SECTIONS) == [f"L{number}" for number in range(1, 10)]
    assert all("```python" in text and "```text" in text for text in SECTIONS.values())


def test_every_step_to_transformers_has_an_exercise_and_its_answer():
    assert list(STEPS) == [f"{number}" for number in range(1, 9)]
    for text in STEPS.values():
        question, _, answer = text.partition(f"\n{ANSWER}\n\n")
        assert "**Exercise.**" in question
        answer, closed, _ = answer.partition("```\n\n</details>\n")
        assert closed
        assert "```python" in answer
        assert "```text" in answer


@pytest.mark.parametrize(("section", "statement"), STATEMENTS)
def test_every_statement_has_its_place_and_its_test(section, statement):
    here, _, proof = statement.partition("\n  Test: ")
    assert re.search(TEST, proof), section
    place = here.partition("\n  Here: ")[2]
    assert re.search(CODE, place) or "Not used here, because" in here, section


def test_every_row_of_the_table_has_its_place_and_its_test():
    table = read_page("lesson/in-the-code.md").partition("| pattern |")[2]
    rows = re.findall(r"^\| (?!-)(.+) \| (.+) \| (.+) \|$", table, re.MULTILINE)
    assert len(rows) > 20
    for pattern, place, proof in rows:
        assert re.search(CODE, place), pattern
        assert re.search(TEST, proof), pattern


def test_the_five_lines_are_calls_of_the_training_step_in_this_order():
    told = sections(read_page("lesson.md"))["The five lines of a training step"]
    calls = re.findall(r"^\| `(?:\w+ = )?([\w.]+)\(", told, re.MULTILINE)
    assert len(calls) == 5
    file = ROOT / "src" / "project" / "training" / "task.py"
    (step,) = [
        node
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name == SupervisedTask.training_step.__name__
    ]
    made = [node for node in ast.walk(step) if isinstance(node, ast.Call)]
    made.sort(key=lambda node: (node.lineno, node.col_offset))
    assert [call for call in map(ast.unparse, (n.func for n in made)) if call in calls] == calls


def test_the_wrong_gradient_is_corrected_openly():
    assert "[4, 8, 12]. **That is wrong: it is 8x = [8, 16, 24].**" in SECTIONS["L5"]
