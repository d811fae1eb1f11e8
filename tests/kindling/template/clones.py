"""Projects made of this template, and an environment in which one of them alone is installed."""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

from kindling.template.own_project import make_project

ROOT = Path(__file__).parents[3]


def make(folder, name="leafnet", without=()):
    """Make a project; it has no history."""
    make_project(ROOT, folder, name, without, "A. Person")
    return folder


def environment(folder, project):
    """Make a virtual environment of what is installed here, but with the project for Kindling."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    for place in Path(sysconfig.get_path("purelib")).iterdir():
        if "kindling" not in place.name:
            (packages / place.name).symlink_to(place)
    for command in ("ruff", "mypy"):
        (folder / "bin" / command).symlink_to(Path(sys.executable).with_name(command))
    words = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "-e", "."]
    call(folder, project, "python", *words, "--disable-pip-version-check")
    for stamp in ("train.stamp", "dev.stamp"):  # for make: it is set up
        (folder / stamp).touch()
    return folder


def shell_environment():
    """Return what a person's own shell has set: nothing of these tests' paths and of their make."""
    ours = ("MAKE", "PYTHONPATH", "PYTEST")
    return {name: text for name, text in os.environ.items() if not name.startswith(ours)}


def call(env, project, command, *words, code=0):
    """Run a command of an environment in the project's folder; return what it says."""
    done = subprocess.run(
        [str(env / "bin" / command), *words],
        cwd=project,
        env=shell_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, (words, done.stdout[-3000:], done.stderr[-3000:])
    return done.stdout


def call_make(project, *words):
    """Run `make` in the project's folder as a person would."""
    done = subprocess.run(
        ["make", *words],
        cwd=project,
        env=shell_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (words, done.stdout[-30_000:], done.stderr[-3000:])
    return done.stdout


def lost_imports(project):
    """Name what a project's code imports of its own packages that is not there."""
    src, lost = project / "src", []
    own = "|".join(folder.name for folder in src.iterdir())
    imported = re.compile(rf"^ *(?:from|import) ((?:{own})(?:\.\w+)*)\b", re.MULTILINE)
    for file in project.rglob("*.py"):
        for module in imported.findall(file.read_text(encoding="utf-8")):
            place = src / module.replace(".", "/")
            if not (place.with_suffix(".py").exists() or (place / "__init__.py").exists()):
                lost.append(f"{file.relative_to(project)}: {module}")
    return lost
