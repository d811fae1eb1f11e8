"""Data that were read, split and fitted in; everything worth knowing of them, by code, out.

What makes reading impossible is refused where it is read; what can be judged afterwards is here,
found in one pass over at most MAX_ROWS rows.
"""

from kindling.checks.columns import column_findings
from kindling.checks.images import repeated_images
from kindling.checks.labels import label_findings, target_findings
from kindling.checks.leaks import leak_findings
from kindling.checks.names import name_findings
from kindling.checks.rows import row_findings
from kindling.checks.sample import take_sample
from kindling.errors import Problem
from kindling.tables.schema import TableSchema
from project.data.datamodule import DataModule

ORDER = {"error": 0, "warning": 1, "info": 2}


def check_data(data: DataModule) -> list[Problem]:
    """Return all findings, the gravest first; `data` is set up."""
    found = list(data.raw.findings)
    if isinstance(data.schema, TableSchema):
        sample = take_sample(data)
        found += name_findings(data.raw)
        found += column_findings(sample, data.schema)
        found += target_findings(data.raw)
        found += row_findings(data)
    if data.raw.content_hashes is not None:
        found += repeated_images(data.raw, data.split)
    if not data.spec.is_regression:
        found += label_findings(data.spec)
    if isinstance(data.schema, TableSchema):
        found += leak_findings(data)
    return sorted(found, key=lambda problem: (ORDER[problem.severity], problem.code))
