"""Find which tensors of a network are about the classes, columns or pixels of its data, and how.

Two data sets of three columns make weights of one shape, whatever the columns are. So the network
is built again for data with one class, column, category or pixel more: a tensor whose shape then
changes is about those, and none of its rows may be taken over to others. Nothing is computed for
that: torch's meta device has shapes only.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from kindling.tables.schema import TableSchema
from kindling.types import DataSpec

Part = Literal["outputs", "numbers", "edges", "categories", "codes", "channels", "size"]
Shape = tuple[int, ...]
Make = Callable[[DataSpec], nn.Module]
# Of each tensor: the parts of the data that its shape depends on, and the shape that it has where
# the part is larger; None where the network cannot be built for that, and nobody knows.
Dependence = Mapping[str, Mapping[Part, Shape | None]]
NEW = "\0new"  # a name that no column and no class has
WORDS: dict[Part, str] = {
    "outputs": "other classes, or another target",
    "numbers": "other numbers, or in another order",
    "edges": "other bins of the numbers",
    "categories": "other columns of categories, or in another order",
    "codes": "other categories",
    "channels": "other channels",
    "size": "images of another size",
}


def parts_of(spec: DataSpec, schema: Any) -> dict[Part, Any]:
    """Return what each part of the data is; the tensors of two networks mean it alike if equal."""
    target = (spec.is_regression, spec.target, spec.target_transform, spec.classes)
    parts: dict[Part, Any] = {"outputs": target}
    if spec.image_shape is not None:
        bands = getattr(schema, "bands", None)
        parts |= {"channels": (spec.image_shape[0], bands), "size": spec.image_shape[1:]}
    else:
        parts |= {"numbers": spec.numbers, "edges": spec.edges, "categories": spec.categories}
        parts["codes"] = labels_of("codes", spec, schema)
    return parts


def labels_of(part: Part, spec: DataSpec, schema: Any) -> list[Any]:
    """Name what the rows of a tensor stand for; none where they have no names."""
    if part == "outputs":
        return [(spec.target, name) for name in spec.classes]
    if part == "numbers":
        return list(spec.numbers)
    if part == "edges":  # a row of a number's bends is another one where its bins are
        return list(zip(spec.numbers, spec.edges, strict=True)) if spec.edges else []
    if part == "categories":
        return list(spec.categories)
    if part != "codes" or not isinstance(schema, TableSchema):
        return []
    values = {column.name: column.categories for column in schema.used}
    # Codes 0 and 1, unknown and missing, are numbers here: no category's name is one.
    return [(name, value) for name in spec.categories for value in (0, 1, *values.get(name, ()))]


def enlarged(spec: DataSpec) -> dict[Part, DataSpec]:
    """Describe the same data with one of each part more; a part that it has none of is left out."""
    classes = (*(spec.classes or ("a", "b")), NEW)
    several = replace(spec, problem_type="multiclass", classes=classes)
    found: dict[Part, DataSpec] = {"outputs": replace(several, class_counts=(1,) * len(classes))}
    if spec.image_shape is not None:
        channels, height, width = spec.image_shape
        mean, scale = (*spec.pixel_mean, 0.0), (*spec.pixel_scale, 1.0)
        more = (channels + 1, height, width)
        found["channels"] = replace(spec, image_shape=more, pixel_mean=mean, pixel_scale=scale)
        # Twice the size, which can be cut into patches if the size can.
        found["size"] = replace(spec, image_shape=(channels, 2 * height, 2 * width))
        return found
    counts = spec.cardinalities
    columns = (*spec.categories, NEW)
    found["categories"] = replace(spec, categories=columns, cardinalities=(*counts, 3))
    if spec.numbers:
        edges = spec.edges + spec.edges[-1:]
        found["numbers"] = replace(spec, numbers=(*spec.numbers, NEW), edges=edges)
    if spec.edges:
        more_edges = tuple((*some, some[-1] + 1.0) for some in spec.edges)
        found["edges"] = replace(spec, edges=more_edges)
    if spec.categories:
        found["codes"] = replace(spec, cardinalities=tuple(count + 1 for count in counts))
    return found


def find_dependence(
    make: Make, network: nn.Module, spec: DataSpec, parts: Iterable[Part]
) -> Dependence:
    """Map each tensor to the parts, of those that are asked for, which its shape depends on."""
    shapes, larger = shapes_of(network), enlarged(spec)
    found: dict[str, dict[Part, Shape | None]] = {name: {} for name in shapes}
    is_known = shapes_for(make, spec) == shapes
    for part in parts:
        if part not in larger:
            continue
        others = shapes_for(make, larger[part]) if is_known else None
        for name, shape in shapes.items():
            if others is None:
                found[name][part] = None
            elif others.get(name) != shape:
                found[name][part] = others.get(name, ())
    return found


def shapes_for(make: Make, spec: DataSpec) -> dict[str, Shape] | None:
    """Return the shapes of a network for some data; None where it cannot be built for them."""
    try:
        with torch.random.fork_rng(devices=[]), torch.device("meta"):
            return shapes_of(make(spec))
    except Exception:  # a constructor of somebody's, given data that there are not
        return None


def shapes_of(network: nn.Module) -> dict[str, Shape]:
    """Return the shape of each tensor that is saved."""
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def row_axis(shape: Shape, larger: Shape | None, rows: int, more: int) -> int | None:
    """Return the axis of a tensor that has a row for each of so many things; None if none has.

    Args:
        shape: of the tensor.
        larger: what it is where there are `more` of these things.
        rows: how many there are.
        more: by how many `larger` has more of them.
    """
    if larger is None or len(larger) != len(shape):
        return None
    axes = [axis for axis, size in enumerate(shape) if larger[axis] != size]
    is_one = len(axes) == 1 and shape[axes[0]] == rows and larger[axes[0]] == rows + more
    return axes[0] if is_one else None


def computed_buffers(make: Make, spec: DataSpec, other: DataSpec, names: set[str]) -> set[str]:
    """Name those of some buffers that a network computes from its data, such as codes' offsets.

    They are those that differ where it is built for other data, from the same random numbers.
    """
    if not names:
        return set()
    ours, others = (_drawn(make, each) for each in (spec, other))
    return {name for name in names if not _is_same(ours.get(name), others.get(name))}


def _drawn(make: Make, spec: DataSpec) -> dict[str, Tensor]:
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return make(spec).state_dict()
    except Exception:  # as above: then nothing is known of any buffer
        return {}


def _is_same(one: Tensor | None, other: Tensor | None) -> bool:
    return one is not None and other is not None and torch.equal(one, other)
