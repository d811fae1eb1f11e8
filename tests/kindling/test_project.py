"""What surrounds the code: README, workflow, Makefile, licence."""

import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from kindling.config.overrides import check_overrides

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
COMMANDS = re.findall(r"^(?:\$ )?(python train\.py.*?)(?:\s+#.*)?$", README, re.MULTILINE)
QUICK = ["trainer.max_epochs=1", "+trainer.limit_train_batches=2", "baselines=false"]


def words_of(command):
    return shlex.split(command)[2:]


def needs_more(command):
    """Some commands name what only a reader has: a GPU, a file, a run."""
    return any(word in command for word in ("cuda", "my.csv", "photos/", "resume=", "model=mine"))


def test_readme_is_short_and_shows_its_commands():
    assert len(README.splitlines()) < 200
    assert len(COMMANDS) >= 10


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [c for c in COMMANDS if needs_more(c) and "resume" not in c],  # the others are run
)
def test_every_readme_command_is_understood(command):
    words = words_of(command)
    overrides = [word for word in words if word != "-m"]
    check_overrides(overrides, ROOT / "conf", is_sweep="-m" in words)


def is_tried_elsewhere(command):
    """Sweeps and experiments have tests of their own."""
    return any(word in command for word in (" -m ", "experiment=", "data.target="))


ALONE = [command for command in dict.fromkeys(COMMANDS) if not needs_more(command)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [pytest.param(c, marks=pytest.mark.nightly) if is_tried_elsewhere(c) else c for c in ALONE],
)
def test_readme_commands_run(tmp_path, command):
    words = words_of(command)
    quick = [] if "--help" in words else QUICK
    quick += ["hydra.sweeper.n_trials=2"] if "sweep=table" in words else []
    done = subprocess.run(
        [sys.executable, str(ROOT / "train.py"), *words, *quick],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


KINDLING = re.findall(r"^(kindling .*?)(?:\s+#.*)?$", README, re.MULTILINE)


@pytest.mark.slow
def test_kindling_commands_of_the_readme_run(tmp_path):
    smoke = [sys.executable, str(ROOT / "train.py"), "experiment=smoke", "report=false"]
    subprocess.run(smoke, cwd=tmp_path, check=True, capture_output=True)
    rows = (ROOT / "data/penguins.csv").read_text()
    for name in ("new.csv", "labelled.csv"):
        (tmp_path / name).write_text(rows)
    (tmp_path / "my.csv").write_text(rows.replace("body_mass_g", "weight").replace("year", "price"))
    ran = [command for command in KINDLING if "serve" not in command]
    assert len(ran) == 5
    for command in ran:
        code = f"from kindling.cli.command_line import main; main({shlex.split(command)[1:]!r})"
        words = [sys.executable, "-c", code]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (command, done.stdout, done.stderr)


def test_every_file_and_folder_in_the_readmes_tree_is_there():
    tree = README.partition("## The house")[2].partition("```\n")[2].partition("```")[0]
    parent, found = ROOT, 0
    for line in tree.splitlines():
        if line.startswith(" " * 20):
            continue  # the text of the line above goes on
        names = re.match(r"(?:[\w./]+(?:\.py|/) ?)+", line.strip())
        assert names, line
        for name in names.group().split():
            place = (parent if line.startswith("  ") else ROOT) / name
            assert place.exists(), name
            found += 1
        if not line.startswith("  "):
            parent = ROOT / names.group().split()[0]
    assert found > 25


def test_the_workflow_runs_what_the_makefile_has():
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"help", "train", "test", "test-all", "lint", "bench", "tensorboard", "clean"} <= targets
    steps = workflow["jobs"]["smoke"]["steps"]
    typed = [step["run"].split()[1] for step in steps if "run" in step]
    assert typed == ["lint", "test", "train"]
    assert set(typed) <= targets


def test_every_hook_is_one_of_six():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert sum(len(repo["hooks"]) for repo in hooks) <= 6


def test_every_dependency_is_pinned_for_those_who_want_what_was_tested():
    constraints = (ROOT / "constraints.txt").read_text().lower().replace("_", "-")
    pinned = set(re.findall(r"^([\w.-]+)==", constraints, re.MULTILINE))
    extras = PROJECT["project"]["optional-dependencies"].values()
    wanted = [*PROJECT["project"]["dependencies"], *(name for extra in extras for name in extra)]
    names = {re.match(r"[\w.-]+", name).group().lower() for name in wanted}
    assert names - {"kindling"} <= pinned
    assert "torchvision" not in pinned


@pytest.mark.parametrize(
    "word", ["--version", "--help", pytest.param("env", marks=pytest.mark.slow)]
)
def test_the_console_command_answers(word):
    code = "from kindling.cli.command_line import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, word], capture_output=True, text=True, check=True
    )
    assert done.stdout


@pytest.mark.parametrize("module", ["kindling", "kindling.cli.command_line"])
def test_a_module_answers_as_the_console_command_does(module):
    for words, code, told in ((["--version"], 0, "kindling 0."), (["prdict"], 2, "predict?")):
        command = [sys.executable, "-m", module, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == code
        assert told in done.stdout + done.stderr


def test_the_map_of_the_toolkit_has_a_line_for_each_file():
    docs = ROOT / "docs"
    made = runpy.run_path(str(docs / "make_toolkit.py"))["pages"]()
    names = {f"toolkit/{page.name}" for page in (docs / "toolkit").iterdir()}
    assert names | {"toolkit.md"} == set(made)
    for name, text in made.items():
        assert (docs / name).read_text(encoding="utf-8") == text, "type python docs/make_toolkit.py"
    files = [*(ROOT / "src" / "kindling").rglob("[!_]*.py")]
    assert sum(text.count("| [`") for text in made.values()) == len(files)
