"""Follow a page of docs/ as a reader does: write its files, type its commands, in order."""

import os
import re
import shlex
import shutil
import subprocess
import sys

from tests.conftest import ROOT

DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(
    r"(# @package \S+\n)?# ([\w/.-]+\.(?:py|yaml))\n"
)  # how a block begins that is a file
TYPED = re.compile(r"^(?:python|kindling) .*$", re.MULTILINE)
QUICK = ("trainer.max_epochs=1", "baselines=false", "report=false", "device=cpu")
KINDLING = "from kindling.cli.command_line import main; main()"
REFUSED = (2, 3)  # exit codes of a command that the page calls refused


def read_page(name):
    return (DOCS / name).read_text(encoding="utf-8")


def pages_of(name):
    """List a first page and those in the folder of its name."""
    return [DOCS / f"{name}.md", *sorted((DOCS / name).glob("*.md"))]


def read_pages(name):
    """Read them, one after the other."""
    return "\n".join(map(read_page, pages_of(name)))


def sections(text):
    """Return what stands below each title and subtitle; a comment in a block is none."""
    found, title, is_block = {}, "", False
    for line in text.splitlines(keepends=True):
        is_block ^= line.startswith("```")
        heading = None if is_block else re.match(r"##? (.*)\n", line)
        if heading:
            title = heading[1]
            assert title not in found, title
        found[title] = found.get(title, "") + ("" if heading else line)
    return found


def typed_lines(text):
    """List what a reader types: the lines of blocks without a language."""
    return [
        line for kind, block in BLOCK.findall(text) if not kind for line in TYPED.findall(block)
    ]


def make_clone(folder):
    """Lay into a folder what the commands of a page name; the sources stay where they are."""
    for name in ("conf", "data"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("local"))
    shutil.copy(ROOT / "train.py", folder)
    return folder


def run_python(words, folder):
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def type_line(line, folder, *more):
    """Run one line of a page; return what it printed. `more` is added to a training."""
    command, _, comment = line.partition("  #")
    first, *words = shlex.split(command)
    if words[0] == "train.py":
        script = folder / "train.py"
        at = next((k for k, word in enumerate(words) if k and word[0] != "-"), None)
        words[0] = str(script if script.exists() else ROOT / "train.py")
        if at is not None:
            words[at:at] = more  # in front: what the page types wins
    done = run_python(["-c", KINDLING, *words] if first == "kindling" else words, folder)
    told = f"{line}\n{done.stdout}\n{done.stderr}"
    expected = REFUSED if comment.strip().startswith("refused") else (0,)
    assert done.returncode in expected, told
    return told


def follow(text, folder, *more):
    """Go through a page from the top down; return all that was printed. Cells share one process."""
    told, cells = "", []
    for kind, block in BLOCK.findall(text):
        place = FILE.match(block)
        if place:
            file = folder / place[2]
            assert not file.exists(), file
            file.parent.mkdir(exist_ok=True)
            file.write_text(block, encoding="utf-8")
        elif kind == "python":
            cells.append(block)
        elif not kind:
            told += "".join(type_line(line, folder, *more) for line in TYPED.findall(block))
    if cells:
        done = run_python(["-c", "\n".join(cells)], folder)
        assert done.returncode == 0, done.stderr
        told += done.stdout
    return told
