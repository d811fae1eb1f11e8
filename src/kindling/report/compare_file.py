"""Tables of compared runs in; plain values for JSON, and the text of a CSV file, out."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from kindling.report.compare import Group, Table
from kindling.report.run import Run


def to_plain(tables: Sequence[Table]) -> list[dict[str, Any]]:
    """Write everything that is known of the runs, not only what a table shows."""
    return [
        {
            "data": table.data,
            "task": table.task,
            "sorted_by": table.sorted_by,
            "settings": list(table.settings),
            "groups": [_group(table, group) for group in table.groups],
        }
        for table in tables
    ]


def _group(table: Table, group: Group) -> dict[str, Any]:
    runs = [
        {
            "run": run.name,
            "folder": run.folder,
            "settings": _settings(table, run),
            "numbers": dict(run.numbers),
        }
        for run in group.runs
    ]
    return {"n": len(runs), "mean": dict(group.mean), "std": dict(group.spread), "runs": runs}


def _settings(table: Table, run: Run) -> dict[str, Any]:
    return {key: run.settings[key] for key in table.settings if key in run.settings}


def to_csv(tables: Sequence[Table]) -> str:
    """Write one line for each run, in the order of the tables; the group is a number."""
    rows: list[dict[str, Any]] = []
    for table in tables:
        for number, group in enumerate(table.groups, start=1):
            for run in group.runs:
                place = {"data": table.data, "task": table.task, "group": number}
                place |= {"run": run.name, "folder": run.folder}
                rows.append(place | _settings(table, run) | dict(run.numbers))
    names = ["data", "task", "group", "run", "folder"]
    names += dict.fromkeys(key for table in tables for key in table.settings)
    names += sorted({name for row in rows for name in row} - set(names))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
