"""The errors on the lesson's pages: each is provoked, and its text compared; each cure cures."""

import re

import numpy as np
import pytest
import torch
from torch import nn

from tests.kindling.pages import read_page

PAGES = "".join(read_page(f"lesson/errors-of-{what}.md") for what in ("tensors", "gradients"))
SECTION = r"^## (.+?)\n\n```py\n(.*?)```\n\n```pytb\n(\w+): (.*?)\n```\n(.*?)(?=^## |^Test: )"
ERRORS = {
    title: (code, kind, text, prose)
    for title, code, kind, text, prose in re.findall(SECTION, PAGES, re.MULTILINE | re.DOTALL)
}
STABLE = {  # what has been said alike for years, and by which an error is found
    "Two devices": r"device",
    "Double and Float": r"mat1 and mat2 must have the same dtype.* Double and Float",
    "Labels that are no positions": r"Long.* got Float|scalar type Long but found Float",
    "Sizes that do not fit": r"mat1 and mat2 shapes cannot be multiplied \(5x4 and 3x1\)",
    "Backward twice": r"Trying to backward through the graph a second time .*retain_graph=True",
    "Changed in place": r"modified by an inplace operation: \[torch.FloatTensor \[3\]\].* version",
    "A parameter changed in place": r"a leaf Variable that requires grad .* in-place operation",
    "NumPy of a tensor that is learnt from": r"Can't call numpy\(\) on Tensor that requires grad",
    "Backward from many numbers": r"grad can be implicitly created only for scalar outputs",
    "A loss that nothing leads to": r"does not require grad and does not have a grad_fn",
}


def run(code):
    exec(
        compile(code, "an example", "exec", dont_inherit=True), {"np": np, "torch": torch, "nn": nn}
    )


def test_the_page_tells_what_beginners_meet():
    assert list(ERRORS) == list(STABLE)


@pytest.mark.parametrize("title", ERRORS)
def test_each_error_is_said_in_the_words_of_the_page(title):
    code, kind, text, prose = ERRORS[title]
    with pytest.raises(RuntimeError) as caught:
        run(code)
    said = str(caught.value)
    assert type(caught.value).__name__ == kind
    assert re.search(STABLE[title], text)
    assert re.search(STABLE[title], said)
    if title == "Two devices" and torch.cuda.is_available():
        (text,) = re.findall(r"it begins `(.+?)`", prose)
        assert said.startswith(text)
    elif torch.__version__.startswith("2.13."):
        assert said == text


@pytest.mark.parametrize("title", ERRORS)
def test_each_cure_cures(title):
    code, _, _, prose = ERRORS[title]
    assert "Cause: " in prose
    (cure,) = re.findall(r"write `([^`]+)` for `([^`]+)`", prose)
    good, bad = cure
    assert bad in code
    run(code.replace(bad, good))
