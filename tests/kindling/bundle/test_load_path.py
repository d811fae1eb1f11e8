"""What lies between a bundle's files and a prediction cannot run what its author wrote."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from kindling.rooms import ROOMS

SRC = Path(__file__).parents[3] / "src"
START = "kindling.bundle.predictor"
FORBIDDEN = {
    *("pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "runpy", "code"),
    *("yaml", "hydra", "omegaconf", "lightning", "subprocess", "ctypes", "imp", "pkgutil"),
}
CALLS = {"eval", "exec", "compile", "__import__", "instantiate", "get_class", "get_object", "open"}
ATTRIBUTES = {
    *("system", "popen", "read_pickle", "read_hdf", "unsafe_load", "load_module", "exec_module"),
    *("load_from_checkpoint", "jit", "hub", "literal_eval", "get_untrusted_types"),
}


def file_of(module):
    path = SRC / Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def load_path():
    """Follow the imports of our own modules from where a model is loaded."""
    found, waiting = {}, [START, *ROOMS["images"].entries.values()]
    while waiting:
        file = file_of(waiting.pop())
        if file.is_file() and file not in found:
            found[file] = ast.parse(file.read_text(encoding="utf-8"))
            waiting += [name for name in imports(found[file]) if name.startswith("kindling.")]
    return found


PATH = load_path()
WAYS = pytest.mark.parametrize("file", PATH, ids=lambda file: str(file.relative_to(SRC)))


def test_the_load_path_is_the_rooms_that_are_meant():
    rooms = {file.relative_to(SRC / "kindling").parts[0] for file in PATH}
    assert not rooms & {"run", "callbacks", "report", "cli"}
    assert {f"{name}.py" for name in ("bundle", "manifest", "model_config", "weights")} <= {
        file.name for file in PATH
    }


@WAYS
def test_nothing_that_runs_code_is_imported(file):
    assert not {name.partition(".")[0] for name in imports(PATH[file])} & FORBIDDEN


@WAYS
def test_nothing_that_runs_code_is_called(file):
    for node in ast.walk(PATH[file]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in CALLS
        if isinstance(node, ast.Attribute):
            assert node.attr not in ATTRIBUTES


def calls_of(name):
    for file, tree in PATH.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == name:
                yield file.name, ast.unparse(node)


def test_what_loads_is_safetensors_skops_with_its_list_and_numpy_without_pickle():
    loads = {call for name in ("load", "loads") for _, call in calls_of(name)}
    assert loads == {
        "json.loads(content.decode('utf-8'), object_pairs_hook=_no_key_twice, "
        "parse_float=_finite, parse_constant=_refuse)",
        "load(content)",  # of safetensors
        "load(NETWORKS, project)",
        "load(PREPROCESSING, project)",
        "point.load()",
        "np.load(stream, allow_pickle=False)",
        "np.load(folder / name, allow_pickle=False)",  # of an own source, see `stack_npy`
        "image.load()",  # of Pillow
        "tags.load(stream)",  # of Pillow: the tags of a TIFF
        "np.load(io.BytesIO(own), allow_pickle=False)",
        "skops.io.loads(write_zip(files), trusted=TRUSTED)",
    }


def test_what_is_imported_by_name_is_a_name_of_ours():
    assert sorted(calls_of("import_module")) == [
        ("registry.py", "import_module(f'{package.__name__}.{found}')"),
        ("rooms.py", "import_module(room.entries[name])"),  # of a list in that file
    ]


@pytest.mark.slow
def test_loading_needs_neither_the_trainer_nor_a_configuration(penguins_run):
    code = (
        "import sys; from kindling import load; load(sys.argv[1]); "
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    command = [sys.executable, "-c", code, str(penguins_run)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not {"lightning", "hydra", "omegaconf", "yaml", "matplotlib"} & set(done.stdout.split())
