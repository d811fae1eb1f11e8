"""Tell whether the name of a folder, or a word in a column, means train, val or test.

The words are those of Hugging Face's datasets: train and training; validation, valid, val and dev;
test, testing, eval and evaluation. A name may hold other words beside: training_set, TestImages.
"""

import re
from typing import NamedTuple

from kindling.types import Split

WORDS: dict[str, Split] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
# Words that say nothing of which split or class is meant.
FILLERS = (
    "sets?|data|datasets?|images?|imgs?|photos?|pictures?|pics?|samples?|split|files?|folder|"
    "class|classes|the|of|a"
)
FILLER = re.compile(FILLERS)
TOKEN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
GLUED = re.compile(rf"({'|'.join(WORDS)})({FILLERS})")


class SplitName(NamedTuple):
    """What a name says: the split, and which other words it holds ("seg" of seg_train)."""

    split: Split
    rest: str

    @property
    def is_plain(self) -> bool:
        """Whether it names the split and nothing else."""
        return not self.rest


def split_name(name: str) -> SplitName | None:
    """Read the split in a name; None where it names none, or several."""
    tokens = [token.lower() for token in TOKEN.findall(name)]
    glued = [GLUED.fullmatch(token) for token in tokens]  # trainset
    tokens = [match[1] if match else token for match, token in zip(glued, tokens, strict=True)]
    splits = {WORDS[token] for token in tokens if token in WORDS}
    if len(splits) != 1:
        return None
    rest = (token for token in tokens if token not in WORDS and not FILLER.fullmatch(token))
    return SplitName(splits.pop(), " ".join(rest))


def plain_split(name: object) -> Split | None:
    """Read a name or a cell that means a split and nothing else."""
    found = split_name(str(name))
    return found.split if found is not None and found.is_plain else None


def is_filler(name: str) -> bool:
    """Say whether a name, such as images or data, tells nothing of what lies in the folder."""
    tokens = [token.lower() for token in TOKEN.findall(name)]
    return bool(tokens) and all(map(FILLER.fullmatch, tokens))
