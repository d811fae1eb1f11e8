"""What a run folder says is data: settings are replayed as plain values, never as code."""

import json
import shlex

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kindling.config.compose import compose_config
from kindling.config.overrides import check_overrides, parse
from kindling.config.recorded import RecordedSetting, is_plain, read_settings, record
from kindling.config.replay import command_of, replay
from kindling.errors import ConfigError
from kindling.quoting import as_typed
from tests.conftest import CONF
from tests.kindling.thinning import thin

TABLE = ["data=table", "data.path=train.csv", "data.target=y"]


def begin(folder, *typed):
    """Record a run that was started with these overrides, as a run does."""
    folder.mkdir(parents=True, exist_ok=True)
    cfg = compose_config(CONF, [f"run_dir={as_typed(folder)}", *typed])
    cfg.overrides = list(typed)
    (folder / "settings.json").write_text(record(cfg), encoding="utf-8")
    return folder


def forge(folder, *entries, again=()):
    """Write the settings of a run folder that somebody else has made."""
    folder.mkdir(exist_ok=True)
    content = {"format": 1, "settings": list(entries), "typed_again": list(again)}
    (folder / "settings.json").write_text(json.dumps(content))
    return folder


def entry(key, value=None, operation="set"):
    return {"operation": operation, "key": key, "value": value}


def test_recorded_settings_come_before_those_typed_now(tmp_path):
    run = begin(tmp_path / "my run", "data=digits", "name='price in EUR'", "seed=3", "seed=4")
    assert replay([f"resume={run}", "trainer.max_epochs=9"]) == [
        *("data=digits", "name='price in EUR'", "seed=3", "seed=4", "trainer.max_epochs=9"),
        *(f"resume='{run}'", f"hydra.run.dir='{run}'"),
    ]


def test_what_is_typed_again_is_taken_once(tmp_path):
    run = begin(tmp_path / "run", "+trainer.max_steps=5", "~callbacks.early_stopping")
    typed = ["+trainer.max_steps=9", "~callbacks.early_stopping"]
    assert replay([f"resume={run}", *typed])[:-2] == typed


def test_without_resume_nothing_changes():
    assert replay(["seed=1"]) == ["seed=1"]
    assert replay(["resume=null", "seed=1"]) == ["resume=null", "seed=1"]


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="resume must be the folder of a run"):
        replay([f"resume={tmp_path}"])
    with pytest.raises(ConfigError, match="one run is resumed at a time"):
        replay([f"resume={begin(tmp_path / 'run')}"], is_sweep=True)


ODD_NAMES = ["Ann's work", "Gr\xf6\xdfe=\u65e5\u672c (1)", "~#\\x;"]


@pytest.mark.slow
@pytest.mark.parametrize("name", thin(["a,b [c] {d}", *ODD_NAMES], 4, pytest.mark.nightly))
def test_any_path_can_be_resumed_and_read(tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / name
    folder.mkdir()
    (folder / "train.csv").touch()
    # As a shell hands it over, without quotes of its own: it is there, so it is what was meant.
    typed = replay(["data=table", f"data.path={name}/train.csv", "data.target=y"])
    check_overrides(typed, CONF, is_sweep=False)
    assert compose_config(CONF, typed).data.path == f"{name}/train.csv"
    begin(folder / "run", *typed)
    again = replay([f"resume={name}/run"])
    check_overrides(again, CONF, is_sweep=False)
    cfg = compose_config(CONF, again)
    assert (cfg.resume, cfg.run_dir) == (str(folder / "run"), str(folder / "run"))
    assert (cfg.data.path, cfg.data.target) == (f"{name}/train.csv", "y")
    quoted = replay([f"resume={as_typed(f'{name}/run')}"])
    assert quoted == again


@pytest.mark.parametrize("name", ["Ann's run", "a,b", "[a]", "Gr\xf6\xdfe"])
def test_a_new_run_may_lie_anywhere(tmp_path, name):
    (typed,) = replay([f"hydra.run.dir={tmp_path}/{name}"])
    assert compose_config(CONF, [typed]).run_dir == f"{tmp_path}/{name}"


@pytest.mark.parametrize(
    "words",
    [
        ["data.target=is_target_reached"],  # a column like any other
        ["data.target='hydra_level'", "data.ignore=[_target_,'a b','it\\'s']"],
        ["data.kinds={year: category, 3: number}", "data.csv.separator=';'"],
        ["+trainer.max_steps=7", "optimizer=sgd", "++model.width=64", "~callbacks.progress"],
        [
            "experiment=smoke",
            "trainer.precision=bf16-mixed",
            "monitor=val/loss",
            "optimizer.lr=1e-5",
        ],
    ],
)
def test_a_legal_setting_comes_back_as_it_was(tmp_path, words):
    typed = [*TABLE, *words]
    settings, again = read_settings(begin(tmp_path / "run", *typed))
    assert again == []
    before, problems = parse(typed)
    after, more = parse([setting.typed() for setting in settings])
    assert problems == more == []
    assert [(o.key_or_group, o.type, o.value()) for o in before] == [
        (o.key_or_group, o.type, o.value()) for o in after
    ]


def test_an_interpolation_is_recorded_as_what_it_meant(tmp_path, monkeypatch):
    monkeypatch.setenv("PLACE", "/somewhere")
    typed = ["data=table", "data.path='${oc.env:PLACE}/x.csv'", "data.target=y", "seed=3"]
    settings, again = read_settings(begin(tmp_path / "run", *typed))
    assert RecordedSetting("set", "data.path", "/somewhere/x.csv") in settings
    assert again == []


EVIL = '${oc.create:${oc.decode:"{_tar${oc.decode:get}_: os.mkdir, path: marker}"}}'
HOSTILE = [
    entry("callbacks.x", EVIL, "add"),
    entry("callbacks.x", {"_target_": "os.mkdir", "path": "marker"}, "add"),
    entry("callbacks.x._target_", "os.mkdir", "add"),
    entry("callbacks.checkpoint.dirpath", "elsewhere"),
    entry("callbacks.checkpoint.filename", "../../elsewhere"),
    entry("model._target_", "os.mkdir"),
    entry("model.activation", "os.system"),
    entry("model.width", "${oc.env:HOME}"),
    entry("name", "${oc.env:HOME}"),
    entry("data.source", "os.mkdir"),
    entry("data.cache", "/elsewhere"),
    entry("data.path", "${oc.env:SECRET}"),
    entry("data.kinds", {"${oc.env:SECRET}": "number"}),
    entry("data.kinds", {"_target_": "os.mkdir"}),
    entry("data.ignore", [["${oc.env:SECRET}"]]),
    entry("data", "../../evil"),
    entry("data", "evil.yaml"),
    entry("logger.tensorboard.save_dir", "elsewhere"),
    entry("trainer.default_root_dir", "/elsewhere"),
    entry("trainer.plugins", [{"_target_": "os.mkdir"}], "add"),
    entry("hydra.searchpath", ["evil"]),
    entry("hydra/launcher", "evil"),
    entry("run_dir", "/elsewhere"),
    entry("data@hydra", "table"),
    entry("seed=1 +callbacks.x._target_", "os.mkdir"),
    entry("+callbacks.x._target_", "os.mkdir"),
    entry("~callbacks.x", "os.mkdir"),
]


@pytest.mark.parametrize("one", HOSTILE, ids=lambda one: one["key"])
def test_what_would_choose_code_or_a_place_is_not_replayed(tmp_path, one):
    run = forge(tmp_path / "run", entry("seed", 3), one)
    with pytest.raises(ConfigError, match="type it again, if you trust it") as caught:
        replay([f"resume={run}"])
    assert "which may choose" not in str(caught.value)
    assert not is_plain(RecordedSetting(**one))


@pytest.mark.parametrize(
    "content",
    [
        *(
            "",
            "[]",
            "{}",
            "null",
            '{"format": 2, "settings": [], "typed_again": []}',
            "[" * 100_000,
        ),
        '{"format": 1, "settings": [{"operation": "run", "key": "a", "value": 1}]}',
        '{"format": 1, "typed_again": [], "settings": [{"operation": "set", "key": 3}]}',
        '{"format": 1, "settings": [{"key": "a"}], "typed_again": []}',
        '{"format": 1, "settings": [3], "typed_again": []}',
        f'{{"format": 1, "settings": [], "typed_again": ["{"x" * 2**20}"]}}',
    ],
)
def test_a_damaged_file_is_told_in_words(tmp_path, content):
    (tmp_path / "settings.json").write_text(content)
    with pytest.raises(ConfigError, match=r"settings\.json must be what Kindling wrote"):
        replay([f"resume={tmp_path}"])


@pytest.mark.slow
def test_only_what_an_owner_types_again_may_choose_code(tmp_path):
    code = "+callbacks.x._target_=lightning.pytorch.callbacks.RichProgressBar"
    run = begin(tmp_path / "run", "seed=3", code, "+callbacks.x.leave=true")
    with pytest.raises(ConfigError) as caught:
        replay([f"resume={run}", "trainer.max_epochs=9"])
    (problem,) = caught.value.problems
    # What the message says to type does help, as it stands.
    typed = shlex.split(problem.fix.partition(": ")[2])
    assert typed == [code]
    words = replay([f"resume={run}", *typed])
    assert words[:-2] == ["seed=3", "+callbacks.x.leave=true", code]
    check_overrides(words, CONF, is_sweep=False)


def test_a_changed_overrides_txt_does_nothing(tmp_path):
    run = begin(tmp_path / "run", "seed=3")
    (run / "overrides.txt").write_text(command_of(["+callbacks.x._target_=os.mkdir"]))
    assert replay([f"resume={run}"])[:-2] == ["seed=3"]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.slow
@settings(deadline=None, max_examples=100, suppress_health_check=list(HealthCheck))
@given(VALUES)
def test_any_plain_value_is_typed_so_that_it_comes_back(value):
    (override,), problems = parse([f"key={as_typed(value)}"])
    assert not problems
    assert override.value() == value
    assert not override.is_sweep_override()


@settings(deadline=None, max_examples=100, suppress_health_check=list(HealthCheck))
@given(TEXT)
def test_no_text_of_a_recorded_setting_is_ever_resolved(text):
    for key in ("data.target", "data.path", "name"):
        setting = RecordedSetting("set", key, text)
        assert is_plain(setting) == ("${" not in text)
