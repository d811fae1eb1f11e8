"""`make new` and `make mine`: a project of one's own, whole and of its own name."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from kindling import __version__
from kindling.rooms import ROOMS, entry
from kindling.template import own_project
from kindling.template.names import LIMIT
from kindling.template.usage import keys_read
from tests.kindling.template.clones import ROOT, call, environment, lost_imports, make
from tests.kindling.thinning import thin

LONG = "x" * LIMIT


@pytest.fixture(scope="module")
def leafnet(tmp_path_factory):
    return make(tmp_path_factory.mktemp("new") / "leafnet")


def texts(project):
    ends = {".py", ".yaml", ".toml", ".md", ".json"}
    kept = (file for file in project.rglob("*") if file.suffix in ends)
    return {f: f.read_text() for f in kept if not f.is_relative_to(project / "src" / "kindling")}


def test_nothing_names_the_package_of_the_template(leafnet):
    left = r"\bproject\.(data|models|training|baselines)|(src|tests)/project|import project\b"
    assert [str(file) for file, text in texts(leafnet).items() if re.search(left, text)] == []
    assert not (leafnet / "src/project").exists()
    assert {each.name for each in (leafnet / "tests").iterdir()} == {"conftest.py", "leafnet"}


def test_the_schemas_of_its_files_name_its_package_and_wandb_keeps_its_key_project(leafnet):
    known = json.loads((leafnet / "conf/.schema.json").read_text())["definitions"]
    assert "leafnet.models.mlp.MLP" in known
    assert "project" in known["lightning.pytorch.loggers.WandbLogger"]["properties"]


def test_what_is_the_templates_own_stays_there(leafnet):
    tops = {each.name for each in leafnet.iterdir() if each.name[0] != "."}
    known = {"conf", "data", "docs", "src", "tests", "train.py", "pyproject.toml", "README.md"}
    assert tops == known | {"LICENSE", "Makefile", "constraints.txt"}
    targets = set(re.findall(r"^([a-z-]+):", (leafnet / "Makefile").read_text(), re.MULTILINE))
    assert {"train", "test", "lint"} <= targets
    assert not targets & {"new", "mine", "bench", "chaos", "test-nightly"}


def test_it_is_packaged_under_its_own_name(leafnet):
    pyproject = tomllib.loads((leafnet / "pyproject.toml").read_text())
    project = pyproject["project"]
    assert (project["name"], project["version"]) == ("leafnet", "0.1.0")
    points = project["entry-points"]
    assert {name for group in points.values() for name in group} == {"leafnet"}
    assert points["kindling.networks"]["leafnet"] == "leafnet.models"
    assert project["scripts"] == {"kindling": "kindling.cli.command_line:main"}
    extras = project["optional-dependencies"]
    assert set(extras) == {"dev", "images", "onnx", "serve", "slurm", "sweep"}
    assert "leafnet[images,onnx,serve,slurm,sweep]" in extras["dev"]
    pinned = (leafnet / "constraints.txt").read_text()
    assert "torch==" in pinned
    assert "catboost==" not in pinned


def test_both_licences_and_the_changelog_of_the_toolkit_are_there(leafnet):
    own, toolkit = (leafnet / "LICENSE").read_text(), leafnet / "src" / "kindling"
    assert re.search(r"^Copyright \(c\) 20\d\d A\. Person$", own, re.MULTILINE)
    assert (toolkit / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    assert (toolkit / "CHANGELOG.md").read_text() == (ROOT / "CHANGELOG.md").read_text()
    assert f"Kindling {__version__}" in (leafnet / "README.md").read_text()
    workflow = yaml.safe_load((leafnet / ".github/workflows/ci.yml").read_text())
    assert workflow["jobs"]


def test_every_link_leads_to_a_file(leafnet):
    for page in (leafnet / "README.md", *leafnet.glob("docs/**/*.md")):
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
            assert "://" in target or (page.parent / target).exists(), (page.name, target)


@pytest.mark.parametrize("without", [(), tuple(ROOMS)], ids=["whole", "without all"])
def test_the_index_leads_to_every_page_and_to_no_other(tmp_path, without):
    docs = make(tmp_path / "leafnet", without=without) / "docs"
    text = (docs / "README.md").read_text()
    named = {(docs / target).resolve() for target in re.findall(r"\]\(([^)#]+)", text)}
    assert [str(page) for page in named if not page.exists()] == []
    assert {*docs.glob("*.md")} - {docs / "README.md"} <= named
    assert text.count("\n## ") == text.count("|---|---|")


@pytest.mark.parametrize("without", [(), tuple(ROOMS)], ids=["whole", "without all"])
def test_every_page_that_the_toolkit_names_is_there(tmp_path, without):
    project = make(tmp_path / "leafnet", without=without)
    files = {*project.glob("src/**/*.py"), *project.glob("conf/**/*.yaml")}
    listing = {"rooms.py", "codes.py"}  # what belongs to a room, and what makes the page
    for file in (file for file in files if file.name not in listing):
        for page in re.findall(r"\bdocs/[\w/-]+\.md\b", file.read_text()):
            assert (project / page).exists() or not (ROOT / page).exists(), (file, page)


@pytest.mark.parametrize("without", [(), tuple(ROOMS)], ids=["whole", "without all"])
@pytest.mark.parametrize("name", thin([LONG, "a"], 2))
def test_its_lines_are_in_order_whatever_its_name_is(tmp_path, name, without):
    """Imports stay sorted, and lines as long as the formatter would have them."""
    project = make(tmp_path / name, name, without)
    for check in (["check"], ["format", "--check"]):
        words = [sys.executable, "-m", "ruff", *check, "--no-cache", "."]
        done = subprocess.run(words, cwd=project, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("without", [*((name,) for name in ROOMS), tuple(ROOMS)], ids=",".join)
def test_nothing_is_left_of_a_room_that_is_left_out(tmp_path, without):
    project = make(tmp_path / "leafnet", without=without)
    assert lost_imports(project) == []
    pyproject = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    required = str([pyproject["dependencies"], pyproject["optional-dependencies"]])
    keys = yaml.safe_load((project / "conf/train.yaml").read_text())
    offered = json.dumps(json.loads((project / "conf/.schema.json").read_text())["properties"])
    readme = (project / "README.md").read_text()
    pages = [page.read_text() for page in project.glob("docs/**/*.md")]
    confs = [file.read_text() for file in project.glob("conf/**/*.yaml")]
    for room in map(ROOMS.get, without):
        assert not [name for name in room.files if (project / name).exists()]
        assert room.extra not in {*pyproject["optional-dependencies"]}
        assert not [package for package in room.packages if package in required]
        assert room.key not in keys
        assert not [name for name in (room.key, room.group) if name and f'"{name}": ' in offered]
        assert room.key not in keys_read(project / "src" / "kindling") - {""}
        assert not [each for each in keys["defaults"] if room.group and room.group in each]
        commands = [Path(name).stem for name in room.files if "/cli/" in name]
        assert not [name for name in commands if f"kindling {name}" in readme]
        typed = "|".join([*(f"^kindling {name}" for name in commands), f"{room.key or '-'}=false"])
        assert not [page for page in pages if re.search(typed, page, re.MULTILINE)]
        assert not [
            text for text in confs if room.key and re.search(rf"^ *{room.key}:", text, re.M)
        ]


def test_every_file_of_a_room_is_here():
    assert [f for room in ROOMS.values() for f in room.files if not (ROOT / f).exists()] == []


def count_lines(folder):
    return sum(len(file.read_text().splitlines()) for file in folder.rglob("*.py"))


def test_the_page_lists_every_room_and_what_remains(tmp_path):
    page = (ROOT / "docs" / "own-project.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == set(ROOMS)
    told = re.search(r"about ([\d,]+) lines of Python, of ([\d,]+)", page).groups()
    remains, whole = (int(number.replace(",", "")) for number in told)
    assert whole == pytest.approx(count_lines(ROOT / "src" / "kindling"), rel=0.15)
    stripped = make(tmp_path / "leafnet", without=tuple(ROOMS))
    assert remains == pytest.approx(count_lines(stripped / "src" / "kindling"), rel=0.15)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("leaf-net", "got leaf-net; type NAME=leaf_net"),
        ("Leaf Net", "type NAME=leaf_net"),
        ("2leaves", "got 2leaves"),
        ("", "got nothing"),
        ("leaf_", "type NAME=leaf"),
        ("class", "which is a word of Python's"),
        ("match", "which is a word of Python's"),
        ("json", "which is a module of Python's"),
        ("kindling", "which is used here"),
        ("project", "which is used here"),
        ("torch", "which is a package that is installed beside it"),
        ("scikit_learn", "which is a package that is installed beside it"),
        ("sklearn", "which is a package that is installed beside it"),
        ("a" * (LIMIT + 1), "type a shorter NAME"),
    ],
)
def test_a_name_that_cannot_be_a_package_is_refused(tmp_path, capsys, name, said):
    told = refused(capsys, name, "--dest", str(tmp_path / "new"))
    assert "NAME must be a package's" in told
    assert said in told
    assert not (tmp_path / "new").exists()


def refused(capsys, *words):
    with pytest.raises(SystemExit) as stop:
        own_project.main([*words, "--holder", "A. Person"])
    assert stop.value.code == 2
    return capsys.readouterr().err


def test_a_place_that_is_taken_and_a_room_that_is_not_there_are_refused(tmp_path, capsys):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    told = refused(capsys, "leafnet", "--dest", str(tmp_path / "full"))
    assert "DEST must be a folder that is not there, or empty" in told
    (tmp_path / "file").touch()
    assert "or empty" in refused(capsys, "leafnet", "--dest", str(tmp_path / "file"))
    told = refused(capsys, "leafnet", "--dest", str(ROOT / "docs" / "leafnet"))
    assert "DEST must lie outside of the template" in told
    told = refused(capsys, "leafnet", "--without", "serv", "--dest", str(tmp_path / "new"))
    assert "got serv; did you mean serve?" in told


def test_a_project_has_one_commit_and_no_file_beside_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(tmp_path / "none"))
    dest = tmp_path / "leafnet"
    dest.mkdir()  # empty: that will do
    own_project.main(["leafnet", "--dest", str(dest), "--holder", "A. Person"])
    told = capsys.readouterr()
    assert told.out == f"leafnet is in {dest}. Next: cd {dest} && make test, then README.md\n"
    assert told.err == ""
    log = own_project.git("log", "--format=%an: %s", folder=dest)
    assert log == f"A. Person: Begin leafnet on Kindling {__version__}\n"
    assert own_project.git("status", "--porcelain", folder=dest) == ""


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """What "Use this template" gives: all files of the template in one commit."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    folder = tmp_path / "leafnet"
    skip = shutil.ignore_patterns(
        *("__pycache__", "*.egg-info", ".*cache"), *(".git", ".venv", ".hypothesis", "runs")
    )
    shutil.copytree(ROOT, folder, ignore=skip)
    own_project.commit(folder, "template", "A. Person")
    return folder


def mine(repository, *words):
    """Run the script that lies in a repository, as its Makefile does."""
    command = [sys.executable, "-m", "kindling.template.own_project", *words, "--in-place"]
    return subprocess.run(
        command,
        cwd=repository,
        env={"PYTHONPATH": str(repository / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_in_place_it_is_the_same_project_and_what_git_does_not_know_stays(tmp_path, repository):
    (repository / "runs").mkdir()
    (repository / "runs" / "mine.txt").touch()
    stale = repository / "src" / "kindling.egg-info"
    stale.mkdir()
    done = mine(repository, "leafnet", "--holder", "A. Person", "--without", "serve")
    assert done.returncode == 0, done.stderr
    wanted = make(tmp_path / "wanted", without=["serve"])
    assert (repository / "runs" / "mine.txt").exists()
    shutil.rmtree(repository / "runs")
    shutil.rmtree(repository / ".git")
    assert files(repository) == files(wanted)
    again = mine(repository, "leafnet", "--holder", "A. Person")
    assert again.returncode != 0  # the script is the template's own


def files(folder):
    return {
        f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*") if f.is_file()
    }


@pytest.mark.slow
def test_in_place_nothing_is_moved_that_git_could_not_bring_back(repository):
    (repository / "train.py").write_text("mine")
    (repository / "src" / "project" / "models" / "mine.py").touch()
    before = files(repository)
    done = mine(repository, "leafnet", "--holder", "A. Person")
    assert done.returncode == 2
    assert "all files must be committed before they are moved" in done.stderr
    assert files(repository) == before


@pytest.mark.nightly
@pytest.mark.slow
def test_a_network_and_data_of_ones_own_take_what_the_readme_says(tmp_path):
    """The README of the project, followed: new data, a new network, and what comes after."""
    project = make(tmp_path / "leafnet")
    env = environment(tmp_path / "env", project)
    readme = (project / "README.md").read_text()
    block = r"^   ```(\w+)\n(.*?)^   ```$"
    data, network, model = (
        re.sub("^   ", "", text, flags=re.MULTILINE)
        for _, text in re.findall(block, readme, re.MULTILINE | re.DOTALL)
    )
    (project / "conf/data/mine.yaml").write_text(data.replace("price", "body_mass_g"))
    (project / "src/leafnet/models/mine.py").write_text(network)
    (project / "conf/model/mine.yaml").write_text(model)
    rows = (ROOT / "data/penguins.csv").read_text().splitlines(keepends=True)
    (project / "data/mine.csv").write_text("".join(row for row in rows if ",NA," not in row))
    for check in (["check"], ["format", "--check"]):
        call(env, project, "python", "-m", "ruff", *check, ".")
    words = ["data=mine", "model=mine", "trainer.max_epochs=2", "data.drop_missing_target=true"]
    told = call(env, project, "python", "train.py", *words)
    assert "Mine" in told
    (run,) = project.glob("runs/*/*")
    config = (run / "bundle" / "config.json").read_text()
    assert '"project": "leafnet"' in config
    call(env, project, "kindling", "predict", "latest", "data/mine.csv", "-o", "new.csv")
    assert len((project / "new.csv").read_text().splitlines()) > 300


def test_an_entry_is_there_where_its_room_is_and_its_key_is_true():
    for name in (name for room in ROOMS.values() for name in room.entries):
        assert entry(name).__name__ == name
    assert entry("write_report", {"report": True}) is entry("write_report")
    assert entry("write_report", {"report": False}) is None
