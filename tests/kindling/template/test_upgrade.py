"""`make upgrade`: a newer toolkit takes the place of a project's, and tells what it asks for."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from kindling.errors import ConfigError
from kindling.rooms import ROOMS
from kindling.template.changelog import (
    new_entries,
    read_entries,
    read_section,
    release_text,
    touching,
)
from kindling.template.toolkit_files import edited
from kindling.template.upgrade import main, opened, upgrade
from kindling.template.usage import gone, used_names
from tests.kindling.template.clones import ROOT, call, call_make, environment, make

ENTRIES = """
## 0.2.0

### Upgrading

- Type `pip install -e .` once more.

### Changed

- `derive_seed(seed, *words)` is `derive_number`,
  and takes any words.
- `task.clip_norm=auto` is new.
- `kindling.plotting.palette` has other colours, and `sum` is as before.

## Unreleased
"""


@pytest.fixture(scope="module")
def newer(tmp_path_factory):
    """This Kindling, one version later: a name is gone, another dependency, another key."""
    folder = tmp_path_factory.mktemp("newer") / "kindling"
    skip = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", folder / "src", ignore=skip)
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, folder)
    toolkit = folder / "src" / "kindling"
    (toolkit / "version.py").write_text('__version__ = "0.2.0"\n')
    rng = (toolkit / "rng.py").read_text()
    (toolkit / "rng.py").write_text(rng.replace("derive_seed(", "derive_number("))
    (toolkit / "run" / "added.py").write_text("def show(cfg):\n    return cfg.added_key\n")
    pyproject = (folder / "pyproject.toml").read_text()
    pyproject = pyproject.replace('"numpy>=2.0",', '"numpy>=2.1",\n  "polars>=1.0",')
    (folder / "pyproject.toml").write_text(pyproject)
    changelog = (ROOT / "CHANGELOG.md").read_text()
    (folder / "CHANGELOG.md").write_text(changelog.replace("\n## Unreleased\n", ENTRIES, 1))
    return folder


@pytest.fixture
def leafnet(tmp_path):
    return make(tmp_path / "leafnet", without=["serve"])


def told_by(project, source, **options):
    with opened(source) as new:
        return upgrade(project, new, **options)


def test_what_an_owner_has_to_do_is_told(leafnet, newer):
    told = told_by(leafnet, newer)
    assert re.fullmatch(r"Kindling \S+ -> 0\.2\.0 in src/kindling", told[0])
    (lost,) = (line for line in told if line.startswith("gone"))
    assert re.match(r"gone: kindling\.rng\.derive_seed, used in src/leafnet/\S+\.py", lost)
    entries = [line for line in told if line.startswith("0.2.0")]
    assert entries == [
        "0.2.0, Upgrading: Type `pip install -e .` once more.",
        "0.2.0, Changed (kindling.rng.derive_seed): `derive_seed(seed, *words)` is "
        "`derive_number`, and takes any words.",
        "0.2.0, Changed (task.clip_norm): `task.clip_norm=auto` is new.",
    ]
    assert "pyproject.toml must require numpy>=2.1, it has numpy>=2.0" in told
    assert "pyproject.toml must require polars>=1.0" in told
    assert "conf/train.yaml must have a key added_key" in told
    assert len([line for line in told if "must" in line]) == 3


def test_the_toolkit_is_replaced_and_nothing_else(leafnet, newer):
    own = files(leafnet)
    told_by(leafnet, newer)
    now = files(leafnet)
    assert {f: t for f, t in now.items() if not f.startswith("src/kindling/")} == {
        f: t for f, t in own.items() if not f.startswith("src/kindling/")
    }
    toolkit = leafnet / "src" / "kindling"
    assert (toolkit / "run" / "added.py").exists()
    assert not (toolkit / "serve").exists()  # it was left out
    assert not (toolkit / "template" / "own_project.py").exists()
    assert edited(leafnet) == []
    assert ENTRIES in (toolkit / "CHANGELOG.md").read_text()
    assert not list(leafnet.glob(".upgrade*"))


def files(folder):
    found = (file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in found}


def test_an_upgrade_to_the_same_asks_for_nothing(leafnet):
    before = files(leafnet)
    told = told_by(leafnet, ROOT)
    assert len(told) == 2  # from which version to which, and what is next
    assert files(leafnet) == before


def test_an_edited_toolkit_is_not_overwritten(leafnet, newer):
    formats = leafnet / "src" / "kindling" / "tables" / "formats.py"
    formats.write_text(formats.read_text() + "# mine\n")
    (formats.parent / "mine.py").touch()
    before = files(leafnet)
    with pytest.raises(ConfigError, match=r"got src/kindling/tables/formats.py, src/.*/mine.py;"):
        told_by(leafnet, newer)
    assert files(leafnet) == before
    told_by(leafnet, newer, force=True)
    assert edited(leafnet) == []


@pytest.mark.slow
def test_an_older_one_and_one_without_the_rooms_are_refused(tmp_path, leafnet, newer):
    told_by(leafnet, newer)
    with pytest.raises(ConfigError, match=r"goes to a newer version; got \S+, which is older"):
        told_by(leafnet, ROOT)
    poor = make(tmp_path / "poor", without=list(ROOMS))
    rich = make(tmp_path / "rich")
    with pytest.raises(ConfigError, match=r"got none of checks, images,"):
        told_by(rich, poor)
    told_by(poor, rich)  # a project is a source as well as the template
    assert not (poor / "src" / "kindling" / "report").exists()


def test_what_is_no_toolkit_and_what_is_no_project_are_refused(tmp_path, newer, capsys):
    for source, got in ((tmp_path, str(tmp_path)), (tmp_path / "x.whl", "nothing at")):
        with pytest.raises(ConfigError, match=rf"FROM must be .*got {got}"), opened(source):
            pass
    with pytest.raises(SystemExit) as stop:
        main([str(newer)])  # the template itself
    assert stop.value.code == 2
    assert "a project that make new has made is upgraded" in capsys.readouterr().err


def test_names_and_keys_that_a_project_uses_are_found(leafnet):
    used = used_names(leafnet)
    assert used["kindling.types.DataSpec"] >= {"src/leafnet/models/mlp.py"}
    assert used["kindling.run.command.main"] == {"train.py"}
    assert used["kindling.tables.source.TableSource"] == {"conf/data/table.yaml"}
    assert used["data.csv.decimal"] == {"conf/data/csv.yaml"}
    assert used["callbacks.checkpoint.keep"] == {"conf/callbacks/default.yaml"}
    assert used["trainer.max_epochs"] >= {"conf/trainer/default.yaml", "conf/experiment/smoke.yaml"}
    assert gone(used, leafnet / "src") == {}  # all of them are there
    assert "0.1.0" not in used


def test_entries_are_compared_by_what_they_say():
    before = "## Unreleased\n\n### Added\n\n- `a` is\n  new.\n"
    after = "## [1.0.0] - 2026-12-01\n\n### Added\n\n- `a` is new.\n- `b=1` is, too.\n"
    (entry,) = new_entries(before, after)
    assert (entry.version, entry.section, entry.names) == ("1.0.0", "Added", {"b"})
    assert touching([entry], {"b": {"conf/x.yaml"}}) == [(entry, {"b"})]
    assert touching([entry], {"a": {"conf/x.yaml"}}) == []
    assert touching([replace(entry, section="Upgrading")], {}) != []


def test_the_changelog_of_this_version_is_read():
    entries = read_entries((ROOT / "CHANGELOG.md").read_text())
    assert len(entries) > 50
    assert {entry.section for entry in entries} <= {
        *("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Upgrading"),
    }


SECTIONS = """## Unreleased

- `a`

## [0.2.0] - 2026-12-01

- `b`

  c

## 0.2.0.1
## 0.1.10
- d"""


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("0.2.0", "- `b`\n\n  c"),
        ("Unreleased", "- `a`"),
        ("0.1.10", "- d"),
        ("0.1.1", ""),
        ("0", ""),
    ],
)
def test_what_is_new_in_a_release_is_its_own_section(version, said):
    assert read_section(SECTIONS, version) == said


def test_a_release_is_of_its_tag_and_has_a_text():
    assert release_text("v0.2.0", SECTIONS, "0.2.0") == "- `b`\n\n  c"
    with pytest.raises(ConfigError, match=r"v0\.2\.1, and version 0\.2\.0"):
        release_text("v0.2.1", SECTIONS, "0.2.0")
    with pytest.raises(ConfigError, match=r"must have a section ## 0\.2\.0\.1"):
        release_text("v0.2.0.1", SECTIONS, "0.2.0.1")


@pytest.mark.slow
def test_a_wheel_does_what_a_folder_does(tmp_path, newer):
    """Two versions that were built: the toolkit of one is replaced by that of the other."""
    words = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    command = [sys.executable, "-m", "pip", *words, str(tmp_path), str(newer)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("kindling-0.2.0-*.whl")
    one, other = (make(tmp_path / name / "leafnet") for name in ("one", "other"))
    env = environment(tmp_path / "env", one)
    told = call_make(one, "upgrade", f"FROM={wheel}", f"PYTHON={env}/bin/python")
    assert told.splitlines() == told_by(other, newer)
    assert files(one / "src" / "kindling") == files(other / "src" / "kindling")
    assert "kindling 0.2.0" in call(env, one, "kindling", "--version")


def test_a_room_that_was_left_out_is_brought_back(leafnet, newer):
    told = told_by(leafnet, newer, back=["serve"])
    assert (leafnet / "src" / "kindling" / "serve" / "app.py").exists()
    assert "pyproject.toml must have an extra serve" in told
    assert "docs/deploy.md belongs to it: copy it" in told


def test_what_a_room_brings_outside_of_the_toolkits_folder_is_taken_back_too(tmp_path, newer):
    told = told_by(make(tmp_path / "leafnet", without=["search"]), newer, back=["search"])
    both = "src/hydra_plugins src/kindling"
    assert f"git checkout src/kindling && git clean -fdq {both} takes it back" in told[-1]


def test_requirements_of_a_room_that_stays_out_are_not_asked_for(tmp_path, newer):
    told = told_by(make(tmp_path / "leafnet", without=["report"]), newer)
    assert [line for line in told if "jinja2" in line] == []


def test_a_room_that_is_not_there_cannot_be_brought_back(leafnet, newer):
    with pytest.raises(ConfigError, match=r"WITH takes checks, .*; got serv;"):
        told_by(leafnet, newer, back=["serv"])
