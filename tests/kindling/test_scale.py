"""Every command of docs/scale.md, on this CPU: device=cuda is device=cpu here, a cluster is not."""

import re
import shlex

import pytest

from tests.conftest import ROOT
from tests.kindling.pages import read_page, run_python

PAGE = read_page("scale.md")
TYPED = re.findall(r"^(python train.py|torchrun .* train.py) (.*?) *(?:#.*)?$", PAGE, re.MULTILINE)
QUICK = ["trainer.max_epochs=1", "baselines=false", "report=false", "threads=1"]
NODES = "--nnodes=N"  # a line that is to be filled in


def words_of(starter, typed):
    """Return what is typed here in place of a line of the page."""
    words = [word for word in shlex.split(typed) if word not in ("device=cuda", "threads=1")]
    fewer = [re.sub(r"(trainer\.devices)=\d+", r"\1=2", word) for word in words]
    start = []
    if starter.startswith("torchrun"):
        start += ["-m", "torch.distributed.run", "--nproc-per-node", "2"]
    look = []
    if "hydra/launcher=slurm" in typed:  # what would be handed in
        look, fewer = ["--cfg", "hydra"], [word for word in fewer if word != "-m"]
    device = [] if any(word.startswith("device=") for word in fewer) else ["device=cpu"]
    return [*start, str(ROOT / "train.py"), *fewer, *QUICK, *device, *look]


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("starter", "typed"), [line for line in TYPED if NODES not in line[0]], ids=str
)
def test_every_command_of_the_page_runs(tmp_path, starter, typed):
    done = run_python(words_of(starter, typed), tmp_path)
    assert done.returncode == 0, done.stderr
    if "slurm" in typed:
        assert "SlurmLauncher" in done.stdout
    else:
        runs = list(tmp_path.glob("runs/*/*/metrics.json"))
        assert len(runs) == (2 if "seed=0,1" in typed else 1)


def test_the_page_has_commands():
    assert len(TYPED) == 8
