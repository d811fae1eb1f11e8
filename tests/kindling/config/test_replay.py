import pytest

from kindling.config.replay import command_of, replay
from kindling.errors import ConfigError


def record(folder, *words):
    folder.mkdir(exist_ok=True)
    (folder / "overrides.txt").write_text(command_of(list(words)))
    return folder


def test_recorded_words_come_before_those_typed_now(tmp_path):
    run = record(tmp_path / "my run", "data=digits", "data.target='price in EUR'")
    assert replay([f"resume={run}", "trainer.max_epochs=9"]) == [
        "data=digits",
        "data.target='price in EUR'",
        "trainer.max_epochs=9",
        f"resume='{run}'",
        f"hydra.run.dir='{run}'",
    ]


def test_without_resume_nothing_changes():
    assert replay(["seed=1"]) == ["seed=1"]


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="resume must be the folder of a run"):
        replay([f"resume={tmp_path}"])


@pytest.mark.parametrize("word", ["+callbacks.x._target_=os.system", "hydra.searchpath=[evil]"])
def test_a_recorded_override_may_not_choose_code(tmp_path, word):
    with pytest.raises(ConfigError, match="may not choose what code is run"):
        replay([f"resume={record(tmp_path, word)}"])
