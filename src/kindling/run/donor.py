"""Read weights that were learnt before: those of a run's bundle, or of a safetensors file.

Either is plain data, and checked before a number of it is used; a pickle is never read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from kindling.errors import ConfigError, Problem
from kindling.fixes import Command, Fix, Setting
from kindling.formatting import did_you_mean, first_few, printable, short_path
from kindling.runs import CONFIG_FILE, find_run
from kindling.types import DataSpec

NAMED = 3  # tensors in a message
PICKLES = (".ckpt", ".pt", ".pth", ".bin", ".pkl")
CONVERT = (
    "import torch; from safetensors.torch import save_file; "
    "d = torch.load({file!r}, map_location='cpu', weights_only=True); "
    "d = d.get('state_dict', d); save_file({{k: v.clone().contiguous() for k, v in d.items() "
    "if torch.is_tensor(v)}}, {new!r})"
)


@dataclass(frozen=True)
class Donor:
    """Weights that were learnt before.

    Args:
        words: what to call them.
        tensors: by their names.
        spec, schema: what they were learnt from; None where nobody knows.
        fix: what helps where none of them fits.
        run: the folder of a run.
    """

    words: str
    tensors: Mapping[str, Tensor]
    spec: DataSpec | None
    schema: Any
    fix: Fix
    run: Path | None = None

    @property
    def source(self) -> tuple[DataSpec, Any]:
        assert self.spec is not None
        return self.spec, self.schema


def read_run(word: str) -> Donor:
    """Read the best weights of a run from its bundle, every file checked."""
    from kindling.bundle.bundle import read_network  # late, as the next: most runs start anew
    from kindling.bundle.predictor import bundle_of

    run = find_run(word)
    spec, schema, network = read_network(bundle_of(run))
    name = type(network).__name__
    same = f"train the network of that run, {name}, as the section model of its {CONFIG_FILE} says"
    ways = (same, Setting("init_from", None, "to start anew"))
    words = f"{short_path(str(run))} ({name})"
    return Donor(words, network.state_dict(), spec, schema, ways, run)


def read_file(file: Path, network: nn.Module) -> Donor:
    """Read a safetensors file; what its names have in front of the network's is taken off."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not file.is_file():
        there = [str(path) for path in file.parent.glob("*.safetensors")]
        fix: Fix = did_you_mean(str(file), there) or Setting("weights")
        fix = Setting("init_from", str(file), "if it is a run") if file.is_dir() else fix
        raise ConfigError(Problem("weights must be a safetensors file", f"no file {file}", fix))
    if file.suffix.lower() in PICKLES:
        new = str(file.with_suffix(".safetensors"))
        code = CONVERT.format(file=str(file), new=new)
        rule = "weights must be a safetensors file: reading a pickle can run code"
        convert = Command("python", "-c", code, after=f"then weights={new}")
        raise ConfigError(Problem(rule, str(file), convert))
    try:
        tensors = load_file(file)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        got = printable(f"{file}: {error}")[:200]
        rule = "weights must be a safetensors file"
        raise ConfigError(
            Problem(rule, got, "copy the file again from where it was made")
        ) from error
    prefix = find_prefix(tensors, set(network.state_dict()))
    fitting = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    words = short_path(str(file)) + (f" (without {prefix!r} in front)" if prefix else "")
    names = f"give its tensors the network's names: {first_few(network.state_dict(), NAMED)}"
    ways = (names, Setting("weights", None, "to start anew"))
    return Donor(words, fitting, None, None, ways)


def find_prefix(names: Mapping[str, Tensor], known: set[str]) -> str:
    """Find what stands in front of most names that a network knows: "", "network.", "module."."""
    ends = {
        name.removesuffix(own)
        for name in names
        for own in known
        if name.endswith(f".{own}") or name == own
    }
    return max(
        sorted(ends | {""}), key=lambda prefix: sum(f"{prefix}{own}" in names for own in known)
    )
