"""The house in two parts: who may import whom, how large the owner's part is, and its words."""

import ast
import re
import subprocess
import sys
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
FILES = sorted(SRC.glob("*/**/*.py"))
PROJECT = [file for file in FILES if file.is_relative_to(SRC / "project")]
TOOLKIT = [file for file in FILES if file.is_relative_to(SRC / "kindling")]
# What Kindling ships of the owner's part. Sizes and words are held for these: what an owner adds is
# the owner's.
SHIPPED = [
    SRC / "project" / name
    for name in (
        "__init__.py",
        "baselines.py",
        *(
            f"data/{name}.py"
            for name in ("datamodule", "dataset", "edges", "preprocessing", "splits")
        ),
        *(f"models/{name}.py" for name in ("auto", "cnn", "mlp")),
        *(
            f"models/{name}.py"
            for name in ("embeddings", "members", "tabm", "realmlp", "ensemble", "resnet")
        ),
        *(f"models/{name}.py" for name in ("attention", "cct", "ft_transformer")),
        *(f"training/{name}.py" for name in ("epoch_metrics", "losses", "metrics")),
        *(f"training/{name}.py" for name in ("schedulers", "task", "coslog4")),
    )
]
# Networks beside the two that are kept plain, to read, and what only they need.
FURTHER = {
    *("edges.py", "embeddings.py", "members.py", "resnet.py", "tabm.py"),
    *("attention.py", "cct.py", "ft_transformer.py"),
    *("realmlp.py", "coslog4.py", "ensemble.py"),
}
OURS = [*TOOLKIT, *SHIPPED]
NAMES = (ROOT / "docs" / "extend" / "toolkit-names.md").read_text(encoding="utf-8")
# What project may use, as that page lists it: | `kindling.types` | `Batch`, `DataSpec` | ... |
PUBLIC = {
    module: set(re.findall(r"`(\w+)`", names))
    for module, names in re.findall(r"^\| `(kindling[\w.]*)` \| ([^|]+) \|", NAMES, re.MULTILINE)
}


def module_of(file):
    parts = file.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(file): file for file in FILES}


def imports_of(file):
    """Every import of ours, wherever it stands: at the top, in a function, for the type checker."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield (whole, "") if whole in MODULES else (str(node.module), alias.name)


def graph(files, place=lambda module: module):
    """Map each place to those that it imports, beside itself."""
    found = {}
    for file in files:
        own = place(module_of(file))
        others = {place(module) for module, _ in imports_of(file) if module in MODULES}
        found.setdefault(own, set()).update(others - {own})
    return found


ROOMS = {
    folder.name for folder in (SRC / "kindling").iterdir() if (folder / "__init__.py").exists()
}


def room_of(module):
    """Name the room that a file of the toolkit lies in; files outside are one ground for all."""
    parts = module.split(".")
    return parts[1] if parts[0] == "kindling" and parts[1:] and parts[1] in ROOMS else parts[0]


@pytest.mark.parametrize("file", TOOLKIT, ids=lambda file: str(file.relative_to(SRC)))
def test_the_toolkit_never_imports_the_project(file):
    assert not [module for module, _ in imports_of(file) if module.split(".")[0] == "project"]


@pytest.mark.parametrize("file", PROJECT, ids=lambda file: str(file.relative_to(SRC)))
def test_the_project_uses_public_names_only(file):
    for module, name in imports_of(file):
        if module.split(".")[0] == "kindling":
            is_public = module in PUBLIC and name in {"", *PUBLIC[module]}
            assert is_public, f"{module}.{name} is not in docs/extend/toolkit-names.md"


def test_every_public_name_is_there():
    for module, names in PUBLIC.items():
        text = MODULES[module].read_text(encoding="utf-8")
        for name in names:
            assert re.search(rf"^(class|def) {name}\b|^{name}\b.* =", text, re.MULTILINE), name


def test_imports_go_in_no_circle():
    """Neither files nor rooms, wherever the import stands."""
    rooms = {
        room: others & ROOMS for room, others in graph(FILES, room_of).items() if room in ROOMS
    }
    for each in (graph(FILES), rooms):
        try:
            TopologicalSorter(each).prepare()
        except CycleError as error:
            pytest.fail(" -> ".join(error.args[1]))


def test_the_front_door_imports_nothing_heavy():
    code = "import sys, kindling; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "pandas", "hydra", "kindling.bundle"} & set(done.stdout.split())


def lines_of(file):
    return [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def test_the_project_can_be_read_in_an_afternoon():
    core = [file for file in SHIPPED if file.name not in FURTHER]
    assert sum(len(lines_of(file)) for file in core) <= 1500


@pytest.mark.parametrize("name", ["auto.py", "cnn.py", "mlp.py", *sorted(FURTHER)])
def test_a_network_is_a_page(name):
    (file,) = (file for file in SHIPPED if file.name == name)
    assert len(lines_of(file)) <= 120


STEP = ("training/task", "training/losses", "training/epoch_metrics", "models/mlp")


def test_following_one_training_step_takes_six_files():
    """From the chunk that the Trainer hands over to the moved weights and the running sums."""
    path = [SRC / "project" / f"{name}.py" for name in STEP]
    path += [SRC / "kindling" / "types.py", SRC / "kindling" / "rng.py"]
    assert sum(len(file.read_text(encoding="utf-8").splitlines()) for file in path) <= 700


def test_no_two_files_and_no_two_classes_have_the_same_name():
    names = Counter(file.name for file in OURS if file.name != "__init__.py")
    assert [name for name, count in names.items() if count > 1] == []
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in OURS]
    nodes = chain(*(tree.body for tree in trees))
    classes = Counter(node.name for node in nodes if isinstance(node, ast.ClassDef))
    assert [name for name, count in classes.items() if count > 1] == []


@pytest.mark.parametrize("word", ["utils", "common", "helpers", "base"])
def test_no_file_is_named_for_nothing(word):
    assert not [file for file in OURS if file.stem == word]


@pytest.mark.parametrize("file", OURS, ids=lambda file: str(file.relative_to(SRC)))
def test_a_docstring_says_what_a_module_does(file):
    text = file.read_text(encoding="utf-8")
    told = ast.get_docstring(ast.parse(text)) or ""
    assert told or not text.strip()
    assert not re.search(r" in[;,] .*\bout\b", told.partition("\n")[0])


# Words that a reader of the field would have to look up, and what is said instead.
PRIVATE = {
    "album": "image cache",
    "oddities": "drift",
    "misfit": "invalid cell",
    "remarks": "image warnings",
    "pay_less_often": "reduce_overhead",
    "keyed": "rng, derive_seed",
    "headline": "primary metric",
    "recipe": "model config",
    "HeldBack": "BufferedCheckpointIO",
    "STAGES": "SPLITS",
    "laps?": "span",
}


@pytest.mark.parametrize("word", PRIVATE)
def test_the_fields_words_are_used(word):
    def uses(file):
        return re.search(rf"\b{word}\b", file.read_text(encoding="utf-8"))

    used = [str(file.relative_to(SRC)) for file in OURS if uses(file)]
    assert used == [], f"say {PRIVATE[word]}"


@pytest.mark.parametrize("word", [".cuda(", 'to("cuda', "to('cuda", "pickle.load", "torchvision"])
def test_no_source_holds(word):
    assert not [file for file in FILES if word in file.read_text(encoding="utf-8")]
