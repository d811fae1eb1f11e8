"""Every text of docs/extend/, put into a clone as the pages say, and its command run there."""

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.kindling.pages import BLOCK, ROOT, read_pages, sections

SECTIONS = sections(read_pages("extend"))
TYPED = [name for name, text in SECTIONS.items() if "" in dict(BLOCK.findall(text))]
# To others; the nightly tests have them.
ALIKE = ("A scheduler", "A logger", "An optimizer", "A metric", "A loss", "A callback", "A split")
# Hydra reads `# @package` in the first line alone, so there the name of the file comes second.
PLACE = re.compile(r"(# @package \S+\n)?# ((?:src|conf)/[\w/.]+|pyproject.toml)(, at the end)?\n")
QUICK = ["trainer.max_epochs=2", "device=cpu"]
RUN = "from kindling.cli.command_line import main; main()"
# What a section promises, beside that its commands end well.
PROMISES = {
    "A network": ("model", "ResidualMLP"),
    "A metric": ("metrics", "kappa"),
    "A callback": ("epochs.csv", "epoch,train/loss"),
    "A logger": ("log.jsonl", "val/loss"),
    "A LightningModule and a LightningDataModule of any kind": ("metrics.json", "test_accuracy"),
}


def blocks(text):
    """Yield (file, how, content) of what goes into a file: new, append or change."""
    for kind, content in BLOCK.findall(text):
        place = PLACE.match(content)
        if place is None:
            continue
        how = "change" if kind == "diff" else "append" if place[3] else "new"
        yield place[2], how, (place[1] or "") + content[place.end() :]


def put(clone, text):
    """Put a section's blocks into a clone."""
    for name, how, content in blocks(text):
        file = clone / name
        if how == "new":
            assert not file.exists(), name
            file.write_text(content)
        elif how == "append":
            file.write_text(file.read_text() + content)
        else:
            old, new = (
                "".join(f"{line[1:]}\n" for line in content.splitlines() if line[:1] in sign)
                for sign in ("-", "+")
            )
            before = file.read_text()
            # A last line may end within a line of the file, such as before a comment.
            old, new = old.rstrip("\n"), new.rstrip("\n")
            assert before.count(old) == 1, (name, old)
            file.write_text(before.replace(old, new))


def defined(text):
    """Name the classes and functions at the top of a file."""
    kinds = ast.ClassDef | ast.FunctionDef
    return {node.name for node in ast.parse(text).body if isinstance(node, kinds)}


def why_followed(root, text):
    """Say what of a section an owner has put into the clone already; "" for nothing."""
    sources = {file: file.read_text() for file in (root / "src").rglob("*.py")}
    for name, how, content in blocks(text):
        if how == "new" and (root / name).exists():
            return f"{name} is in this clone already"
        added = content.strip()
        if how == "change":
            added = "\n".join(line[1:] for line in content.splitlines() if line[:1] == "+")
        if (root / name).exists() and added in (root / name).read_text():
            return f"{name} has been changed so in this clone already"
        for wanted in defined(content) if how != "change" and name.endswith(".py") else ():
            for file, source in sources.items():
                # The text first: parsing every file for every name would take seconds.
                if re.search(rf"^(class|def) {wanted}\b", source, re.MULTILINE):
                    return f"{wanted} is in this clone already: {file.relative_to(root)}"
    return ""


def skip_if_followed(text):
    """An owner who has followed the page keeps these tests: what stands cannot be put in again."""
    reason = why_followed(ROOT, text)
    if reason:
        pytest.skip(reason)


@pytest.fixture
def clone(tmp_path):
    """A copy of what a person clones, with the data that the page's commands name."""
    for name in ("src", "conf", "data"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*.egg-info"))
    for name in ("train.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    pd.read_csv(ROOT / "data/penguins.csv").to_feather(tmp_path / "penguins.feather")
    folder, rng = tmp_path / "arrays", np.random.default_rng(0)
    folder.mkdir()
    labels = {f"{k:03}": "ab"[k % 2] for k in range(60)}
    for name, label in labels.items():
        np.save(folder / f"{name}.npy", rng.normal(label == "b", 1, (5, 8, 9)).astype("float32"))
    (folder / "labels.json").write_text(json.dumps(labels))
    return tmp_path


def run(clone, words):
    environment = {**os.environ, "PYTHONPATH": str(clone / "src"), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, *words]
    done = subprocess.run(
        command, cwd=clone, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (words, done.stdout[-2000:], done.stderr[-3000:])
    return done.stdout


def type_lines(clone, lines, quick):
    """Type what a section says; return what the training printed. `quick` is added to that."""
    told = ""
    for line in lines.splitlines():
        first, *words = shlex.split(line)
        if first == "pip":
            register(clone)
        elif first == "python":
            told = run(clone, [*words, *quick])
        else:
            run(clone, ["-c", RUN, *words])
    return told


def register(clone):
    """Let the entry points of a clone be found on its path, as `pip install -e .` does."""
    project = tomllib.loads((clone / "pyproject.toml").read_text())["project"]
    folder = clone / "src" / f"{project['name']}-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1\n"
    )
    points = ConfigParser()
    points.read_dict(project["entry-points"])
    with (folder / "entry_points.txt").open("w") as file:
        points.write(file)


@pytest.mark.slow
@pytest.mark.parametrize(
    "section", [pytest.param(s, marks=pytest.mark.nightly) if s in ALIKE else s for s in TYPED]
)
def test_a_text_works_in_a_clone(clone, section):
    skip_if_followed(SECTIONS[section])
    put(clone, SECTIONS[section])
    for check in (["check"], ["format", "--check"]):
        run(clone, ["-m", "ruff", *check, "src"])
    typed = [content for kind, content in BLOCK.findall(SECTIONS[section]) if not kind]
    is_complete = "LightningModule" not in section
    # What is left out of a data module of any kind is left out without being told to.
    quick = [*QUICK, "baselines=false"] if is_complete else QUICK
    if "model=" not in typed[0] and "data=npy" not in typed[0] and is_complete:
        quick = [*quick, "model=mlp"]  # a quick one
    told = type_lines(clone, typed[0], quick)
    (folder,) = (clone / "runs").glob("*/*")
    name, wanted = PROMISES.get(section, ("model", ""))
    if name == "model":
        assert wanted in told
    elif name == "metrics":
        found = json.loads((folder / "metrics.json").read_text())
        assert wanted in found["test"]
        assert "Cohen's kappa" in (folder / "report.html").read_text()
    else:
        assert wanted in (folder / name).read_text()
    assert (folder / "bundle").exists() is is_complete
    assert (folder / "report.html").exists() is is_complete
    if section in ("A scheduler", "A metric") or not is_complete:
        run(clone, ["train.py", f"resume={folder}", "trainer.max_epochs=3"])


@pytest.mark.slow
def test_the_network_of_the_readme_can_be_pasted(clone):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## Your own network")[2].partition("\n## ")[0]
    files = re.findall(r"`((?:src|conf)/[\w/.]+)`", section)
    texts = [content for _, content in BLOCK.findall(section)]
    assert [Path(name).suffix for name in files] == [".py", ".yaml"]
    if any((ROOT / name).exists() for name in files):
        pytest.skip(f"one of {', '.join(files)} is in this clone already")
    for name, content in zip(files, texts, strict=True):
        (clone / name).write_text(content)
    assert "Mine" in run(clone, ["train.py", "model=mine", *QUICK])
    run(clone, ["-c", RUN, "predict", "latest", "data/penguins.csv"])


@pytest.mark.slow
def test_the_lines_of_the_notebook_run_from_anywhere(clone, tmp_path_factory):
    (code,) = (text for kind, text in BLOCK.findall(SECTIONS["A notebook"]) if kind == "python")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    lines = f"import sys; sys.path[:0] = [{str(clone)!r}, {str(clone / 'src')!r}]"
    done = subprocess.run(
        [sys.executable, "-c", f"{lines}\n{code}\nprint(best, model.spec.target)"],
        cwd=elsewhere,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("digit")


@pytest.mark.parametrize("section", TYPED)
def test_a_section_that_was_followed_is_known_by_each_of_its_parts(tmp_path, section):
    """Also where the owner took only one of its two files, or another name for the file."""
    for number, block in enumerate(BLOCK.finditer(SECTIONS[section])):
        root, text = tmp_path / str(number), block.group()
        for name, how, content in blocks(text):
            file = root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if how == "change":
                lines = content.splitlines()
                content = "\n".join(line[1:] for line in lines if line[:1] == "+")
            elif name.endswith(".py"):
                file = file.with_name("of_my_own.py")
            assert how == "change" or why_followed(root, text) == ""
            file.write_text(content)
            assert "already" in why_followed(root, text)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_text_takes_at_most_two_files(section):
    files = {name for name, _, _ in blocks(SECTIONS[section])}
    is_tutorial = "LightningModule" in section  # a task, its data, and a YAML for each
    assert len(files) <= (4 if is_tutorial else 2)
    assert not [name for name in files if name.startswith("src/kindling")]
