"""Runs the benchmarks one after the other and writes their tables into the pages of docs/.

python benchmarks/bench.py                # all: under ten minutes; make bench
python benchmarks/bench.py --quick        # fewer turns and rows, written nowhere; make bench-quick

Each benchmark is a script of its own that prints one Markdown table, for docs/performance.md or
docs/performance/size.md. docs/performance.json holds the same numbers with the versions and the
machine.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "docs" / "performance.json"
PAGES = (ROOT / "docs" / "performance.md", ROOT / "docs" / "performance" / "size.md")
PACKAGES = ("torch", "lightning", "numpy", "scikit-learn", "pyarrow", "skorch")
# Name of the table in a page: the script's words, and those of a quick look.
SETS: dict[str, tuple[str, str]] = {
    "loop": ("loop.py --repeats 7", "loop.py --repeats 1 --share 0.5"),
    "epochs": ("epochs.py", "epochs.py --repeats 2"),
    "start": ("start.py", "start.py --repeats 1"),
    "preprocess": ("preprocess.py --repeats 3", "preprocess.py --rows 50000 --repeats 1"),
    "growth": ("growth.py", "growth.py 100_000"),
}


def main() -> None:
    """Run every benchmark; put its table into its place."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a quick look; writes nothing")
    parser.add_argument("--only", nargs="+", choices=SETS, default=list(SETS))
    arguments = parser.parse_args()
    tables = {}
    for name in arguments.only:
        start = time.perf_counter()
        tables[name] = run(SETS[name][arguments.quick])
        print(f"{name}, {time.perf_counter() - start:.0f} s\n\n{tables[name]}", flush=True)
    if not arguments.quick:
        write(tables)


def run(words: str) -> str:
    """Run one script and return what it printed: its table."""
    script, *options = words.split()
    command = [sys.executable, str(ROOT / "benchmarks" / script), *options]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return "".join(line + "\n" for line in done.stdout.splitlines() if line.startswith("|"))


def write(tables: dict[str, str]) -> None:
    """Replace the tables of the pages between their marks, and keep the numbers beside them."""
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    for name, table in tables.items():
        marks = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        pattern = re.compile(f"(?<={marks[0]}).*?(?={marks[1]})", re.DOTALL)
        count = sum(len(pattern.findall(text)) for text in texts)
        if count != 1:
            sys.exit(f"the pages have {count} places for {name}")
        texts = [pattern.sub(lambda _, table=table: table, text) for text in texts]
        record[name] = {"measured": machine(), "rows": parse(table)}
    for page, text in zip(PAGES, texts, strict=True):
        page.write_text(text, encoding="utf-8")
    RECORD.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def machine() -> dict[str, str]:
    """Say what the numbers were measured on."""
    facts = {"python": platform.python_version(), "system": platform.system()}
    facts |= {"machine": platform.machine(), "cores": str(os.cpu_count())}
    return facts | {name: version(name) for name in PACKAGES}


def parse(table: str) -> list[dict[str, str]]:
    """Turn a Markdown table into a list of rows."""
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in table.splitlines()]
    return [dict(zip(rows[0], row, strict=True)) for row in rows[2:]]


if __name__ == "__main__":
    main()
