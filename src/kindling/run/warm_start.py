"""Start from weights that were learnt before: of an earlier run, or of a safetensors file.

A tensor is taken where name and shape fit and it means the same (data_dependence.py). Of other
classes, categories and numbers the rows are taken that have the same name. All else is left as it
was drawn, and named in the plan.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from kindling.contract import DescribedData
from kindling.errors import ConfigError, Problem
from kindling.fixes import Setting
from kindling.formatting import first_few, printable
from kindling.run.data_dependence import (
    WORDS,
    Part,
    Shape,
    computed_buffers,
    find_dependence,
    labels_of,
    parts_of,
    row_axis,
)
from kindling.run.donor import NAMED, Donor, read_file, read_run
from kindling.run.seen_rows import find_seen_rows
from kindling.types import DataSpec

UNNAMED = "of classes that the file does not name"


@dataclass
class WarmStart:
    """What was taken, and why the rest was not.

    Args:
        words: where it is from.
        size: tensors of the network.
        taken: names of tensors that were taken whole.
        rows: name -> how many rows were taken of how many.
        left: reason -> names.
        note: what a person should know.
    """

    words: str
    size: int
    taken: list[str] = field(default_factory=list)
    rows: dict[str, tuple[int, int]] = field(default_factory=dict)
    left: dict[str, list[str]] = field(default_factory=dict)
    note: str = ""

    def leave(self, reason: str, name: str) -> None:
        """Note a tensor that was not taken."""
        self.left.setdefault(reason, []).append(name)

    @property
    def told(self) -> str:
        """Say it in a line of the plan."""
        words = [f"{len(self.taken)} of {self.size} tensors of {self.words}"]
        words += [f"{name}: {some} of {whole} rows" for name, (some, whole) in self.rows.items()]
        if self.left:
            words.append("not taken: " + self.told_left)
        return printable("; ".join([*words, *([self.note] if self.note else [])]))

    @property
    def told_left(self) -> str:
        """Say which tensors were not taken, by reason."""
        groups = (f"{first_few(names, NAMED)} ({reason})" for reason, names in self.left.items())
        return ", ".join(groups)


def warm_start(cfg: DictConfig, data: Any, network: nn.Module) -> WarmStart | None:
    """Give a network the weights that init_from or weights names; most often there are none.

    A run that is resumed has its own, in its checkpoint.

    Raises:
        ConfigError: nothing of them fits, or they cannot be read.
    """
    if cfg.resume is not None or (cfg.init_from is None and cfg.weights is None):
        return None
    if cfg.init_from is not None and cfg.weights is not None:
        rule, got = "a training starts from one set of weights", "init_from and weights"
        ways = (Setting("init_from", None), Setting("weights", None))
        raise ConfigError(Problem(rule, got, ways))
    if cfg.init_from is not None and not isinstance(data, DescribedData):
        rule = "init_from needs a network and data that are described (kindling/contract.py)"
        fix = Setting("weights", ..., "with a safetensors file of the network's names")
        raise ConfigError(Problem(rule, f"init_from={cfg.init_from}", fix))
    if cfg.init_from is None:
        donor = read_file(Path(str(cfg.weights)).expanduser(), network)
    else:
        donor = read_run(str(cfg.init_from))
    start = take(donor, network, data, lambda spec: instantiate(cfg.model)(spec))
    shapes = {name: tensor.ndim for name, tensor in network.state_dict().items()}
    # A bias alone is no knowledge: its shape fits that of any network for as many classes.
    if not any(shapes[name] > 1 for name in (*start.taken, *start.rows)):
        rule = f"weights to start from must fit the network, {type(network).__name__}"
        raise ConfigError(Problem(rule, start.told, donor.fix))
    if donor.run is not None:
        notes = (find_seen_rows(donor.run, data), other_pixels(donor, data.spec))
        start.note = "; ".join(note for note in notes if note)
    return start


def other_pixels(donor: Donor, spec: DataSpec) -> str:
    """Say where the pixels are standardised otherwise than those that were learnt from."""
    before, now = ((s.pixel_mean, s.pixel_scale) for s in (donor.source[0], spec))
    return "" if before == now else "pixels are standardised by the train images of this run"


def take(
    donor: Donor, network: nn.Module, data: Any, make: Callable[[DataSpec], nn.Module]
) -> WarmStart:
    """Copy what fits into the network, in place.

    Args:
        donor: has the weights.
        network: as it was drawn.
        data: that it was built for; where it is not described, names and shapes have to do.
        make: builds the network for any data.
    """
    tensors, other = network.state_dict(), other_parts(donor, data)
    # Where its bins differ, the axis of the numbers is asked for too: see `same_rows`.
    asked: set[Part] = {*other, "numbers"} if "edges" in other else {*other}
    all_parts = find_dependence(make, network, data.spec, asked) if other else {}
    computed = computed_of(donor, network, data, make) if other else set()
    start = WarmStart(donor.words, len(tensors))
    for name, tensor in tensors.items():
        given, shapes = donor.tensors.get(name), all_parts.get(name, {})
        parts = {part for part in shapes if part in other}
        if donor.spec is None:  # of a network that cannot be built again, too, shapes have to do
            parts = {part for part in parts if shapes[part] is not None}
        if given is None:
            start.leave("not in it", name)
        elif rows := same_rows(donor, data, tensor, given, parts, shapes):
            ours, theirs, axis = rows
            tensor.index_copy_(axis, ours, given.index_select(axis, theirs))
            start.rows[name] = len(ours), tensor.shape[axis]
        elif reason := why_not(donor, tensor, given, parts):
            start.leave(reason, name)
        elif name in computed:
            start.leave("computed from the data", name)
        else:
            tensor.copy_(given)
            start.taken.append(name)
    for name in [name for name in donor.tensors if name not in tensors]:
        start.leave("not in this network", name)
    return start


def why_not(donor: Donor, tensor: Tensor, given: Tensor, parts: set[Part]) -> str:
    """Say why a tensor is not taken as a whole; "" where it is."""
    if parts:
        return (
            " and ".join(WORDS[part] for part in WORDS if part in parts)
            if donor.spec is not None
            else UNNAMED
        )
    if given.shape != tensor.shape:
        return f"shape {_sizes(tensor)}, there {_sizes(given)}"
    if given.is_floating_point() != tensor.is_floating_point():
        return f"{tensor.dtype}, there {given.dtype}"
    return "" if bool(given.float().isfinite().all()) else "numbers that are not finite"


def other_parts(donor: Donor, data: Any) -> list[Part]:
    """List the parts of the data that are others than those that the weights were learnt from."""
    if not isinstance(data, DescribedData):
        return []
    if donor.spec is None:
        # Whose classes a file's last layer tells nobody knows; for its columns its user answers.
        return ["outputs"]
    before, now = parts_of(donor.spec, donor.schema), parts_of(data.spec, data.schema)
    return [part for part, own in now.items() if before.get(part) != own]


def computed_of(
    donor: Donor, network: nn.Module, data: Any, make: Callable[[DataSpec], nn.Module]
) -> set[str]:
    """Name the buffers that belong to this network's data; running statistics are learnt."""
    if donor.spec is None:
        return set()
    norms = {path for path, module in network.named_modules() if isinstance(module, _NormBase)}
    names = {name for name, _ in network.named_buffers() if name in donor.tensors}
    names = {name for name in names if name.rpartition(".")[0] not in norms}
    return computed_buffers(make, data.spec, donor.spec, names)


def same_rows(
    donor: Donor,
    data: Any,
    tensor: Tensor,
    given: Tensor,
    parts: set[Part],
    shapes: Mapping[Part, Shape | None],
) -> tuple[Tensor, Tensor, int] | None:
    """Return which rows are which of the donor's by name, and their axis; None where none are."""
    # Codes and bins are named by their column too: of another column they have other names.
    about = parts - ({"categories"} if "codes" in parts else set())
    about -= {"numbers"} if "edges" in parts else set()
    if len(about) != 1 or donor.spec is None:
        return None
    part = next(iter(about))
    ours, theirs = (labels_of(part, *each) for each in ((data.spec, data.schema), donor.source))
    places = {name: k for k, name in enumerate(theirs)}
    more = len(data.spec.categories) if part == "codes" else 1  # see `enlarged`
    larger = shapes.get("numbers") if part == "edges" else shapes[part]
    axis = row_axis(tuple(tensor.shape), larger, len(ours), more)
    pairs = [(k, places[name]) for k, name in enumerate(ours) if name in places]
    if axis is None or not pairs:
        return None
    wanted = [*tensor.shape]
    wanted[axis] = len(theirs)
    rows = torch.tensor(pairs)  # (rows, 2)
    return (rows[:, 0], rows[:, 1], axis) if [*given.shape] == wanted else None


def _sizes(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "of one number"
