"""What people who help and machines that build expect: each file has what its host demands."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from kindling import __version__
from tests.kindling.pages import ROOT
from tests.kindling.test_pages import dead_links

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = [file for file in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if file.stem != "config"]
PAGES = sorted(GITHUB.glob("*.md"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
TRAINING = (ROOT / ".devcontainer/Dockerfile").read_text("utf-8")


def read(file):
    return yaml.safe_load((ROOT / file).read_text("utf-8"))


def steps_of(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_workflow_has_what_runs_when_and_where(file):
    workflow = read(file)
    assert workflow[True]  # YAML reads the key `on` so
    assert workflow["permissions"] == {"contents": "read"}  # a job that needs more says it
    for job in workflow["jobs"].values():
        assert job["runs-on"]
        assert job["timeout-minutes"] <= 30
        assert {job.get("needs", "")} <= {"", *workflow["jobs"]}
        for step in job["steps"]:
            assert len({"uses", "run"} & {*step}) == 1, step
            assert re.fullmatch(r"actions/[\w-]+@v\d+", step.get("uses", "actions/checkout@v4"))


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_what_a_workflow_types_is_there(file):
    typed = "\n".join(step["run"] for step in steps_of(read(file)) if "run" in step)
    assert set(re.findall(r"^make ([\w-]+)", typed, re.MULTILINE)) <= TARGETS
    for place in re.findall(r"[\w/.-]+\.(?:py|txt)\b|tests/\w+", typed):
        assert (ROOT / place).exists(), place
    for module in re.findall(r"-m (kindling[\w.]+)", typed):
        assert (ROOT / "src" / module.replace(".", "/")).with_suffix(".py").exists()


def test_every_supported_python_and_system_is_tried():
    jobs = read(".github/workflows/ci.yml")["jobs"]
    lowest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert lowest == f">={jobs['smoke']['strategy']['matrix']['python'][0]}"
    systems = {jobs["smoke"]["runs-on"], *jobs["systems"]["strategy"]["matrix"]["system"]}
    assert systems == {"ubuntu-latest", "macos-latest", "windows-latest"}
    tried = {each["resolution"] for each in jobs["versions"]["strategy"]["matrix"]["include"]}
    assert tried == {"lowest-direct", "highest"}


def test_only_what_publishes_may_write_and_runs_nothing_of_others():
    jobs = read(".github/workflows/release.yml")["jobs"]
    assert [name for name, job in jobs.items() if "permissions" in job] == ["publish"]
    assert jobs["publish"]["needs"] == "build"
    assert not [step for step in jobs["publish"]["steps"] if "pip" in step.get("run", "")]
    (told,) = (step["run"] for step in jobs["build"]["steps"] if "changelog" in step.get("run", ""))
    assert '"$GITHUB_REF_NAME"' in told  # as a variable of the shell: a tag may hold anything


@pytest.mark.parametrize("file", FORMS, ids=lambda file: file.stem)
def test_a_form_asks_once_for_each_thing(file):
    form = read(file)
    assert form["name"]
    assert form["description"]
    asked = [field for field in form["body"] if field["type"] != "markdown"]
    ids = [field["id"] for field in asked]
    assert len(ids) == len(set(ids)) > 0
    for field in form["body"]:
        assert field["type"] in {"markdown", "textarea", "input", "dropdown", "checkboxes"}
        assert field["attributes"]["value" if field["type"] == "markdown" else "label"]


def test_the_report_of_a_fault_asks_for_what_finds_it():
    ids = {field.get("id") for field in read(".github/ISSUE_TEMPLATE/bug.yml")["body"]}
    assert ids >= {"command", "happened", "overrides", "inspect", "versions"}


def test_requests_for_newer_versions_come_together():
    updates = read(".github/dependabot.yml")["updates"]
    assert [each["package-ecosystem"] for each in updates] == ["pip", "github-actions"]
    for each in updates:
        assert each["schedule"] == {"interval": "monthly"}
        assert [group["patterns"] for group in each["groups"].values()] == [["*"]]


def test_it_can_be_cited_by_the_version_that_it_has():
    cited = read("CITATION.cff")
    assert cited["cff-version"] == "1.2.0"
    assert cited["version"] == __version__
    assert (
        cited["license"]
        == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"]
    )
    holder = re.search(r"Copyright \(c\) \d+ (.*)", (ROOT / "LICENSE").read_text())[1]
    assert cited["authors"] == [{"name": holder}]
    assert {"message", "title", "type", "abstract"} <= {*cited}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_link_of_a_page_is_dead(page):
    assert list(dead_links(page)) == []


def test_what_contributors_are_told_to_type_is_there():
    text = (GITHUB / "CONTRIBUTING.md").read_text("utf-8")
    assert set(re.findall(r"\bmake ([a-z-]+)", text)) <= TARGETS
    for place in re.findall(r"(?:src|tests|docs)/[\w/.]+\.(?:py|md)", text):
        assert (ROOT / place).exists(), place


def test_no_load_path_takes_a_pickle():
    """What SECURITY.md promises, in every call that could."""
    safe = {r"np\.load": "allow_pickle=False", r"torch\.load": "weights_only=True"}
    for file in (ROOT / "src").rglob("*.py"):
        text = file.read_text("utf-8")
        for call, word in safe.items():
            assert all(word in found for found in re.findall(rf"\b{call}\(.*", text)), file
        assert not re.search(
            r"\b(pickle\.(?!Unpick)\w|Unpickler|joblib\.load|unsafe_load)", text
        ), file


def test_the_container_is_made_of_files_that_are_here():
    copied = re.findall(r"^COPY --chown=\S+ (.*) \S+$", TRAINING, re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    assert names >= {"src", "conf", "data", "train.py", "pyproject.toml", "constraints.txt"}
    kept = (ROOT / ".devcontainer/Dockerfile.dockerignore").read_text().splitlines()
    assert {line[1:] for line in kept if line[0] == "!"} == names
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_the_container_takes_what_is_declared_and_is_nobodys_root():
    declared = set(re.findall(r"^(?:ARG|ENV) (\w+)=", TRAINING, re.MULTILINE))
    used = set(re.findall(r"\$\{?(\w+)", re.sub(r"^#.*", "", TRAINING, flags=re.MULTILINE)))
    assert used <= declared | {"PATH"}
    assert {"TORCH_INDEX", "VENV"} <= declared
    assert "VENV ?=" in (ROOT / "Makefile").read_text()  # or its ENV would say nothing
    user = TRAINING.index("\nUSER owner")
    assert user < TRAINING.index("make $VENV/dev.stamp")
    assert "USER root" not in TRAINING


def test_an_editor_opens_that_container():
    opened = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    assert Path(opened["build"]["dockerfile"]).name == "Dockerfile"
    for name, text in opened["build"]["args"].items():
        assert f"ARG {name}={text}\n" in TRAINING
    assert f"WORKDIR {opened['workspaceFolder']}\n" in TRAINING  # where the package is installed
    assert f"USER {opened['remoteUser']}\n" in TRAINING
    python = opened["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert python == f"{re.search(r'ENV VENV=(.*)', TRAINING)[1]}/bin/python"


def test_lines_end_alike_on_every_system():
    assert "* text=auto eol=lf" in (ROOT / ".gitattributes").read_text().splitlines()
