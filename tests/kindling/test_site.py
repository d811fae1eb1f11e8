"""`make docs`: the pages as a site."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOADED = re.compile(r'<(?:script|img|iframe)[^>]* src="https?:|<link[^>]* href="https?:')
LOCAL = re.compile(r'(?:href|src)="(?!#|[a-z]+:)([^"#?]+)')


@pytest.mark.slow
def test_the_site_is_whole_and_needs_no_network(tmp_path):
    words = ["--quiet", "--fail-on-warning", "--keep-going", "-c", "docs", ".", str(tmp_path)]
    subprocess.run([sys.executable, "-m", "sphinx", *words], cwd=ROOT, check=True)
    pages = list(tmp_path.rglob("*.html"))
    assert {"index.html", "docs/faq.html", "src/project/models/mlp.py.html"} <= {
        str(page.relative_to(tmp_path)) for page in pages
    }
    for page in pages:
        text = page.read_text(encoding="utf-8")
        dead = [link for link in LOCAL.findall(text) if not (page.parent / link).is_file()]
        assert dead == [], page
        assert LOADED.findall(text) == []
