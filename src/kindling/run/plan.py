"""Say in a few lines what a run will do, before it is done, and what it leaves out and why."""

from collections import Counter
from typing import Any

import torch
from lightning import Trainer
from omegaconf import DictConfig

from kindling.codes import CODES
from kindling.contract import DescribedData, DescribedTask
from kindling.fixes import interface
from kindling.formatting import count, first_few, printable, short_path
from kindling.run.console import show_plan
from kindling.run.expected_time import expect_seconds
from kindling.run.freezing import describe_trained
from kindling.runs import PREDICTIONS_FILE, REPORT_FILE
from kindling.tables.column import USED
from kindling.tables.left_out import take_in
from kindling.tables.schema import TableSchema

TYPE_WORDS = {"category": "categories", "number": "numbers", "boolean": "booleans", "date": "dates"}
MAX_WARNINGS = 4  # beside those that are always told, see codes.py
LEFT_OUT = "D417"
MAX_CLASSES = 6  # that are named with their counts


def print_plan(cfg: DictConfig, data: Any, task: Any, trainer: Trainer) -> None:
    """Show the plan on the console, with the time that the training may take."""
    lines = plan_lines(cfg, data, task, trainer)
    if seconds := expect_seconds(data, task, trainer):  # the report has the time that it took
        time = f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
        lines["device"] += f", about {time} in all"
    show_plan(lines)


def plan_lines(cfg: DictConfig, data: Any, task: Any, trainer: Trainer) -> dict[str, str]:
    """Say what is read, learnt, split and trained, and on which device."""
    is_described = isinstance(data, DescribedData)
    lines = describe_data(cfg, data) if is_described else {"data": type(data).__name__}
    lines["model"] = describe_model(cfg, task)
    lines |= describe_start(cfg, task)
    if overruled := getattr(task, "overruled", ""):  # a module of its own brings its scheduler
        lines["scheduler"] = overruled
    lines["device"] = describe_device(cfg, data, trainer)
    missing = describe_missing(cfg, data, task)
    if missing:
        lines["without"] = missing
    return lines | (describe_findings(data) if is_described else {})


def describe_data(cfg: DictConfig, data: Any) -> dict[str, str]:
    """Say what the rows are, which columns are left out, what is learnt, and how rows are split."""
    sizes = ", ".join(f"{len(rows):,} {split}" for split, rows in data.split.items())
    left_out = describe_left_out(data)
    return {
        "data": describe_rows(cfg, data),
        **({"left out": left_out} if left_out else {}),
        "task": describe_task(data),
        "split": f"{sizes} rows, {describe_split(cfg, data)}",
    }


def describe_model(cfg: DictConfig, task: Any) -> str:
    """Name the network and count what it can learn."""
    network = task.network if isinstance(task, DescribedTask) else task
    kind = "images" if isinstance(task, DescribedTask) and task.spec.image_shape else "tables"
    is_auto = str(cfg.model.get("_target_")).endswith(".auto")
    chosen = f" (model=auto, for {kind})" if is_auto else ""
    chosen = chosen if network is not task else " (the task brings its own model and optimizer)"
    members: Any = getattr(network, "num_members", None)
    several = [] if members is None else [count(members, "member")]
    notes = [note] if (note := getattr(network, "note", "")) else []
    told = [f"{type(network).__name__}{chosen}", *several, *notes, describe_trained(network)]
    return ", ".join(told)


def describe_start(cfg: DictConfig, task: Any) -> dict[str, str]:
    """Say which weights were taken from elsewhere, and what is frozen as it was drawn."""
    origin, start = cfg.init_from or cfg.weights, task.warm_start
    if cfg.resume is not None:
        own = f"those of its own checkpoint; it began with those of {origin}"
        return {"weights": own} if origin is not None else {}
    network = task.network if isinstance(task, DescribedTask) else task
    taken = set(start.taken) if start is not None else set()
    drawn = [n for n, p in network.named_parameters() if not p.requires_grad and n not in taken]
    return {
        **({"weights": start.told} if start is not None else {}),
        **({"frozen": f"as they were drawn: {first_few(drawn)}"} if drawn else {}),
    }


def describe_missing(cfg: DictConfig, data: Any, task: Any) -> str:
    """Name what is left out since data module or task do not declare what it needs."""
    asked = [name for name in ("checks", "baselines", "report", "bundle") if cfg.get(name)]
    is_data, is_task = isinstance(data, DescribedData), isinstance(task, DescribedTask)
    if is_data and is_task:
        if not cfg.bundle:
            return ""
        from kindling.bundle.save import no_bundle  # late: bundle=false does without that folder

        problem = no_bundle(data, task)
        return "" if problem is None else f"bundle: {problem.rule}; got {problem.got}; {problem.do}"
    without_task = [name for name in asked if name in ("report", "bundle")]
    names = [PREDICTIONS_FILE, "pre-flight", *(without_task if is_data else asked)]
    needs = [
        f"{type(part).__name__} to be a {wanted}"
        for part, wanted, is_so in (
            (data, "DescribedData", is_data),
            (task, "DescribedTask", is_task),
        )
        if not is_so
    ]
    return f"{', '.join(names)}: they need {' and '.join(needs)} (kindling/contract.py)"


def describe_device(cfg: DictConfig, data: Any, trainer: Trainer) -> str:
    """Say where the training runs, how exactly, and where its rows lie."""
    device = trainer.strategy.root_device
    many = trainer.world_size
    place = str(device) if many == 1 else f"{many} processes, each on {device.type}"
    words = [place, cfg.trainer.precision]
    if device.type == "cpu":
        words.insert(1, count(torch.get_num_threads(), "thread"))
    if device.type == "cuda" and cfg.matmul_precision != "highest":
        words.append(f"matmul_precision={cfg.matmul_precision}")
    if getattr(data, "placed", None) is not None:
        words.append(f"data set on it ({sum(t.nbytes for t in data.placed) / 1e6:,.2f} MB)")
    if many > 1 and cfg.trainer.strategy == "fsdp":
        words.append("the network in parts (fsdp; no pre-flight)")
    if cfg.compile != "off":
        words.append(f"compile={cfg.compile}")
    words.append(f"up to {cfg.trainer.max_epochs} epochs")
    return ", ".join(words)


def describe_findings(data: Any) -> dict[str, str]:
    """Show the first few warnings of the checks; the report and `kindling inspect` show all."""
    warnings = [problem for problem in data.findings if problem.severity == "warning"]
    told = [problem for problem in warnings if CODES[problem.code].always]
    told += [problem for problem in warnings if not CODES[problem.code].always][:MAX_WARNINGS]
    lines: dict[str, str] = {}
    for p in told:
        full = printable(f"{p.rule}: {p.got}; {p.do}")
        if p.code not in lines:
            lines[p.code] = full
        elif p.code == LEFT_OUT or not p.column:
            lines[p.code] += f"\n{full}"
        else:  # of many columns the first tells what to type
            lines[p.code] += "\n" + printable(f"likewise {p.column!r}: {p.got}")
    rest = len(data.findings) - len(told)
    if warnings and rest:
        lines["checks"] = f"{rest} more: {REPORT_FILE}, or kindling inspect"
    return lines


def describe_rows(cfg: DictConfig, data: Any) -> str:
    """Count rows, and columns of each type."""
    spec, rows = data.spec, f"{len(data.raw.y):,}"
    what = short_path(cfg.data.path) if "path" in cfg.data else cfg.name
    notes = "".join(f"; {note}" for note in data.raw.notes)
    if spec.image_shape is not None:
        _, height, width = spec.image_shape
        return f"{what}: {rows} {data.schema.colours} images of {height}x{width} pixels{notes}"
    ignored = f", {len(cfg.data.ignore)} ignored" if cfg.data.get("ignore") else ""
    assert isinstance(data.schema, TableSchema)
    types = Counter(column.column_type for column in data.schema.used)
    columns = ", ".join(count(n, name, TYPE_WORDS[name]) for name, n in types.items())
    return f"{what}: {rows} rows, {columns}{ignored}{notes}"


def describe_left_out(data: Any) -> str:
    """Name the columns that are not learnt from, each with the reason."""
    if not isinstance(data.schema, TableSchema):
        return ""
    rest = [column for column in data.schema.columns if column.column_type not in USED]
    told = "; ".join(f"{column.name} ({column.column_type}: {column.why})" for column in rest)
    numbers = [column for column in rest if column.column_type == "id" and column.low is not None]
    if numbers:
        told += f"; {interface().say(take_in(numbers[0]))}"
    return told


def describe_split(cfg: DictConfig, data: Any) -> str:
    """Say what decided where a row went."""
    is_drawn = data.raw.times is None and not {"val", "test"} <= set(data.raw.given)
    words = [f"drawn by seed {cfg.seed}"] if is_drawn else []
    if getattr(data, "fold", None) is not None:
        words.append(f"test is fold {data.fold} of 0 to {data.num_folds - 1}")
    if data.raw.groups is not None:
        words.append(f"rows of one {cfg.data.group} stay together")
    if data.raw.times is not None:
        words.append(f"the latest by {cfg.data.time} are test, the next val")
        if not cfg.data.get("learn_time", True):  # images have no such key
            words.append(f"{cfg.data.time} is not learnt from (data.learn_time=true)")
    return "; ".join([*words, *(f"{split} set as given" for split in data.raw.given)])


def describe_task(data: Any) -> str:
    """Name the task and why it was chosen, and the classes or the unit's size."""
    spec, reason = data.spec, data.raw.reason
    if spec.is_regression:
        mean, std = f"{spec.target_mean:.5g}", f"{spec.target_scale:.5g}"
        what = spec.target if spec.target_transform == "none" else f"log(1 + {spec.target})"
        return f"regression of {what}, {mean} +- {std} ({reason})"
    counted = sorted(zip(spec.class_counts, spec.classes, strict=True), reverse=True)
    named = ", ".join(f"{name} {count}" for count, name in counted[:MAX_CLASSES])
    more = ", ..." if len(counted) > MAX_CLASSES else ""
    return f"{spec.num_classes} classes of {spec.target}: {named}{more} ({reason})"
