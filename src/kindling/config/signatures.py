"""Read which keys a `_target_` takes, and the ranges of their values, from its source file.

So a misspelt key or a value out of range is answered at once, without the seconds that importing
torch takes. What cannot be found so (a compiled module, a name that is made at run time) has no
signature and is left alone.
"""

import ast
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kindling.config import ranges
from kindling.config.definitions import (
    Definition,
    Module,
    find,
    imported,
    look_up,
    own_method,
    read_module,
    with_bases,
)
from kindling.config.ranges import Constraint, Keys, OneOf, Range, Rule, any_of
from kindling.errors import ConfigError, Problem

# Decorators that leave a function's parameters as they are.
PLAIN = {"classmethod", "staticmethod", "override", "typing.override", "torch.no_grad()"}


@dataclass(frozen=True)
class Signature:
    """What a class or function takes.

    Args:
        rules: the rule of each parameter; None where its annotation gives no range.
        is_open: whether it takes other names too (`**kwargs`), or may do so.
        positional: the parameters that may be given without their names, in their order.
        required: those that cannot be left out, for sure.
        inner: of a parameter that is a mapping with known keys, the rule of each key.
    """

    rules: Mapping[str, Rule | None]
    is_open: bool = False
    positional: tuple[str, ...] = ()
    required: frozenset[str] = frozenset()
    inner: Mapping[str, Mapping[str, Rule]] = field(default_factory=dict)

    def extended_by(self, other: "Signature | None") -> "Signature":
        """Add the parameters of what gets the rest of the keywords.

        None of them is required: what hands the keywords on may add to them.
        """
        if other is None:
            return self
        rules, inner = {**other.rules, **self.rules}, {**other.inner, **self.inner}
        return replace(self, rules=rules, inner=inner, is_open=other.is_open)


def section_signature(section: Mapping[str, Any]) -> Signature | None:
    """Read what a section of the configuration may hold: the parameters of its `_target_`.

    A target that takes the dotted name of a `source` hands the rest of its keywords to that.
    """
    signature, source = read_signature(str(section["_target_"])), section.get("source")
    if signature is None or "source" not in signature.rules or not isinstance(source, str):
        return signature
    theirs = read_signature(source)
    if theirs is None:
        return replace(signature, is_open=True)
    required = signature.required | (theirs.required - set(signature.rules))
    return replace(signature.extended_by(theirs), required=required)


@functools.cache
def read_signature(target: str) -> Signature | None:
    """Read the signature of a dotted name; None where its source cannot be found or understood."""
    found = find(target.split("."))
    if found is None:
        return None
    if isinstance(found.node, ast.ClassDef):
        return _of_constructor(found)
    return _of_function(found) if isinstance(found.node, ast.FunctionDef) else None


def forget() -> None:
    """Read files anew: in a notebook they may have been edited since the last time."""
    read_module.cache_clear()
    read_signature.cache_clear()


def _of_constructor(found: Definition) -> Signature | None:
    """Read what a class takes; `**kwargs` of its constructor go to that of the next base class."""
    signature: Signature | None = None
    is_sure = True
    for each in with_bases(found):
        if each is None:  # a base class that cannot be found may take anything
            return signature
        own = _own_constructor(each)
        is_sure = is_sure and _is_made_by_its_constructor(each)
        if own is not None and not is_sure:
            own = replace(own, required=frozenset())
        signature = signature.extended_by(own) if signature else own
        if signature is not None and not signature.is_open:
            return signature
    return signature or Signature({})


def _own_constructor(found: Definition) -> Signature | None:
    """Read the constructor that a class itself has: written out, or of a dataclass's fields."""
    module, node = found.module, found.node
    assert isinstance(node, ast.ClassDef)
    method = own_method(found, "__init__")
    if method is not None:
        return _of_function(method)
    if any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list):
        fields = [line for line in node.body if isinstance(line, ast.AnnAssign)]
        rules = {ast.unparse(line.target): rule_of(line.annotation, module) for line in fields}
        needed = [line for line in fields if line.value is None and not _is_no_field(line)]
        required = frozenset(ast.unparse(line.target) for line in needed)
        return Signature(rules, bool(node.bases), tuple(rules), required)
    return None


def _is_no_field(line: ast.AnnAssign) -> bool:
    return "ClassVar" in ast.unparse(line.annotation) or ast.unparse(line.target) == "_"


def _is_made_by_its_constructor(found: Definition) -> bool:
    """Say whether nothing but a class's constructor has a say in what it takes."""
    decorators = [ast.unparse(each) for each in getattr(found.node, "decorator_list", ())]
    is_plain = all("dataclass" in each and "init" not in each for each in decorators)
    return is_plain and own_method(found, "__new__") is None


def _of_function(found: Definition) -> Signature:
    """Read a function's parameters; `**kwargs` of a classmethod go to its class."""
    node, owner = found.node, found.owner
    assert isinstance(node, ast.FunctionDef)
    decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
    arguments = [*node.args.posonlyargs, *node.args.args]
    if owner is not None and "staticmethod" not in decorators:
        arguments = arguments[1:]  # without self or cls
    positional = tuple(argument.arg for argument in arguments)
    optional = len(node.args.defaults)
    required = {*positional[: len(positional) - optional]}
    pairs = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    required |= {argument.arg for argument, default in pairs if default is None}
    if not decorators <= PLAIN:  # it may fill in what is left out
        required = set()
    arguments += node.args.kwonlyargs
    rules = {argument.arg: rule_of(argument.annotation, found.module) for argument in arguments}
    is_open = node.args.kwarg is not None
    inner = {argument.arg: keys_of(argument.annotation, found.module) for argument in arguments}
    inner = {name: keys for name, keys in inner.items() if keys}
    signature = Signature(rules, is_open, positional, frozenset(required), inner)
    if signature.is_open and owner is not None and "classmethod" in decorators:
        return signature.extended_by(_of_constructor(owner))
    if signature.is_open and owner is None:
        return signature.extended_by(_handed_on(found))
    return signature


def _handed_on(found: Definition) -> Signature | None:
    """Read what a function's `**kwargs` are for, where it only hands them on, and only once."""
    node = found.node
    assert isinstance(node, ast.FunctionDef)
    assert node.args.kwarg is not None
    name = node.args.kwarg.arg
    uses = [n for n in ast.walk(node) if isinstance(n, ast.Name) and n.id == name]
    calls = [n for n in ast.walk(node) if isinstance(n, ast.Call)]
    given = [(call, key.value) for call in calls for key in call.keywords if key.arg is None]
    targets = [call for call, value in given if isinstance(value, ast.Name) and value.id == name]
    if len(uses) != 1 or len(targets) != 1:
        return None
    callee = look_up(found.module, ast.unparse(targets[0].func).split("."))
    if callee is None:
        return None
    if isinstance(callee.node, ast.ClassDef):
        return _of_constructor(callee)
    return _of_function(callee) if isinstance(callee.node, ast.FunctionDef) else None


def rule_of(annotation: ast.expr | None, module: Module) -> Rule | None:
    """Make the rule of an annotation, such as `Literal["auto"] | Annotated[int, Range(1, 8)]`.

    Returns None where it says no more than a type.
    """
    members = [] if annotation is None else list(_members(annotation, module))
    found = [member for member in members if not isinstance(member, str)]
    null = "None" in members
    if not found or len(found) + null < len(members):
        return None  # a type without a constraint allows any value of it
    lists = [constraint for constraint in found if isinstance(constraint, OneOf)]
    if len(lists) == len(found) and len(members) > 1:
        # One list for the message: "a or b or null", not "a or b, or null".
        choices = [choice for constraint in lists for choice in constraint.choices]
        return any_of(OneOf(*choices, *([None] if null else [])))
    return any_of(*found, null=null)


def keys_of(annotation: ast.expr | None, module: Module) -> Mapping[str, Rule]:
    """Return the rules of the keys of a mapping, where its annotation knows them."""
    is_plain = not isinstance(annotation, ast.Subscript)
    members = () if annotation is None or is_plain else _members(annotation, module)
    return next((member.rules for member in members if isinstance(member, Keys)), {})


def _members(node: ast.expr, module: Module) -> Iterator[Constraint | str]:
    """Give the members of a union: constraints, and the names of types that have none."""
    if isinstance(node, ast.BinOp):  # a | b
        yield from _members(node.left, module)
        yield from _members(node.right, module)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):  # in quotes
        try:
            yield from _members(ast.parse(node.value, mode="eval").body, module)
        except SyntaxError:
            yield node.value
    elif isinstance(node, ast.Subscript):
        yield from _members_of_subscript(node, module)
    else:
        alias = _alias(node, module)
        if alias is None:
            yield ast.unparse(node)
        else:
            assert isinstance(alias.node, ast.expr)
            yield from _members(alias.node, alias.module)


def _members_of_subscript(node: ast.Subscript, module: Module) -> Iterator[Constraint | str]:
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    name = ast.unparse(node.value).rpartition(".")[2]
    if name == "Literal":
        is_plain = all(isinstance(member, ast.Constant) for member in inner)  # not of an enum
        yield OneOf(*(member.value for member in inner)) if is_plain else name  # type: ignore[attr-defined]
    elif name == "Annotated":
        types = list(_members(inner[0], module))
        made = [_constraint(call, types, module) for call in inner[1:]]
        found = [constraint for constraint in made if constraint is not None]
        yield from found
        yield from (t for t in types if not found or t == "None")
    elif name in ("Optional", "Union"):
        for member in inner:
            yield from _members(member, module)
        yield from ["None"] * (name == "Optional")
    else:
        yield name


def _alias(node: ast.expr, module: Module) -> Definition | None:
    """Find the annotation that a name stands for; only names of our own packages may be one."""
    if not isinstance(node, ast.Name):
        return None
    top = module.name.partition(".")[0]
    for line in module.tree.body:
        for name, origin in imported(line, module):
            if name == node.id and origin[0] not in (top, "kindling"):
                return None  # it would have to be read from torch, or the like
    found = look_up(module, [node.id])
    return found if found is not None and isinstance(found.node, ast.expr) else None


def _constraint(node: ast.expr, types: list[Constraint | str], module: Module) -> Constraint | None:
    """Make the constraint that an annotation writes; None for metadata of something else."""
    if not isinstance(node, ast.Call):
        return None
    # By what the name was imported as, so that a class of another Range is not taken for ours.
    origins = dict(pair for line in module.tree.body for pair in imported(line, module))
    first, *rest = ast.unparse(node.func).split(".")
    *home, name = [*origins.get(first, [first]), *rest]
    if ".".join(home) != ranges.__name__:
        return None
    try:
        given = {k.arg or "": ast.literal_eval(k.value) for k in node.keywords}
        made = getattr(ranges, name)(*map(ast.literal_eval, node.args), **given)
    except (ValueError, TypeError, AttributeError) as error:
        rule = f"{name} in a signature must be written with plain values: it is read, not run"
        got = f"{ast.unparse(node)} in {module.file}, line {node.lineno}"
        raise ConfigError(Problem(rule, got, "write the numbers out there")) from error
    if not isinstance(made, Range):
        return made
    return replace(made, whole=made.whole or ("int" in types and "float" not in types))
