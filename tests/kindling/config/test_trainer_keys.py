"""Keys of Lightning's Trainer are typed alike, whether conf/trainer has them or not."""

from pathlib import Path

import pytest

import kindling
from kindling.config.overrides import with_trainer_keys
from kindling.errors import ConfigError

CONF = Path(__file__).parents[3] / "conf"


@pytest.mark.slow
def test_keys_of_the_trainer_need_no_plus():
    cfg = kindling.compose("trainer.max_steps=100", "trainer.limit_val_batches=0.5", conf=CONF)
    assert (cfg.trainer.max_steps, cfg.trainer.limit_val_batches) == (100, 0.5)


@pytest.mark.parametrize(
    "text",
    [
        "trainer.max_epochs=3",  # is in conf/trainer
        "+trainer.max_steps=100",
        "++trainer.max_steps=100",
        "~trainer.max_epochs",
        "trainer.max_stepz=100",
        "trainer.gradient_clip_val=1",  # is refused: task.clip_norm does it
        "trainer=fsdp",
        "max_steps=100",
        "optimizer.max_steps=100",
    ],
)
def test_other_words_are_left_as_they_are(text):
    assert with_trainer_keys([text], CONF) == [text]


@pytest.mark.slow
def test_a_key_may_be_typed_with_two_plus_signs_wherever_one_would_do():
    cfg = kindling.compose("++trainer.max_steps=100", "++model.width=7", "model=mlp", conf=CONF)
    assert (cfg.trainer.max_steps, cfg.model.width) == (100, 7)


@pytest.mark.slow
def test_a_misspelt_key_of_the_trainer_and_a_wrong_value_are_still_refused():
    with pytest.raises(ConfigError, match=r"there is no key trainer\.max_stepz"):
        kindling.compose("trainer.max_stepz=100", conf=CONF)
    with pytest.raises(ConfigError, match=r"trainer\.max_steps"):
        kindling.compose("trainer.max_steps=many", conf=CONF)
