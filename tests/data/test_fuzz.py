"""Random tables: each trains an epoch, or is refused by problems with a code.

KINDLING_FUZZ=300 tries so many of them; here and in CI there are a few, always the same.
"""

import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kindling.errors import ConfigError, DataError

EXAMPLES = int(os.environ.get("KINDLING_FUZZ", "30"))

names = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\n\x00"), min_size=1, max_size=12
)
words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
missing = st.sampled_from([None, "", "NA", "?", "-", "nan"])
cells = st.one_of(
    st.just(st.integers(-5, 5)),
    st.just(st.integers(-(2**62), 2**62)),
    st.just(st.floats(allow_nan=True, allow_infinity=True)),
    st.just(st.floats(-1e3, 1e3)),
    st.just(st.booleans()),
    st.just(words),
    st.just(st.sampled_from(["a", "b", "c"])),
    st.just(st.sampled_from(["007", "1,5", "1,234", "12.5%", "1e400", "0x1f"])),
    st.just(st.datetimes(min_value=pd.Timestamp(1950, 1, 1).to_pydatetime())),
    st.just(st.none()),
)


@st.composite
def tables(draw):
    """Draw a table of 0 to 60 rows and 1 to 6 columns of whatever people put into cells."""
    num_rows = draw(st.one_of(st.integers(0, 5), st.integers(20, 60)))
    columns = draw(st.lists(names, min_size=1, max_size=6, unique=True))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    made = {}
    for name in columns:
        kind = draw(cells)
        few = draw(st.lists(st.one_of(kind, missing), min_size=1, max_size=8))
        column = [few[k] for k in rng.integers(0, len(few), num_rows)]
        if draw(st.booleans()):
            column = [draw(kind) if k < 12 else cell for k, cell in enumerate(column)]
        made[name] = column
    target = draw(st.sampled_from(columns))
    return made, target, draw(st.sampled_from(["csv", "parquet", "semicolon"]))


def write(made, form, folder):
    frame = pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in made.items()})
    file = folder / ("table.parquet" if form == "parquet" else "table.csv")
    if form == "parquet":
        for name in frame:
            frame[name] = frame[name].map(lambda cell: None if cell is None else str(cell))
        frame.to_parquet(file)
    else:
        frame.to_csv(file, index=False, sep=";" if form == "semicolon" else ",")
    return file


@pytest.mark.slow
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    phases=(Phase.generate,),  # each example is a training: shrinking one takes minutes
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
@given(tables())
def test_a_random_table_trains_or_is_refused_with_a_code(build, tmp_path, drawn):
    made, target, form = drawn
    file = write(made, form, tmp_path)
    quoted = target.replace("\\", "\\\\").replace("'", "\\'")
    quick = ["trainer.max_epochs=1", "data.batch_size=16", "model=mlp", "model.width=4"]
    try:
        words = ["data=table", f"data.path={file}", f"data.target='{quoted}'"]
        data, task, trainer = build(*words, *quick)
        trainer.fit(task, data)
    except DataError as error:
        assert all(problem.code for problem in error.problems), error  # noqa: PT017
    except ConfigError as error:
        assert all(problem.fix for problem in error.problems), error  # noqa: PT017
    else:
        assert np.isfinite(trainer.callback_metrics["val/loss"].item())
