import io
import re
import sys

import pytest
from lightning.pytorch.callbacks import Callback


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_bar_goes_to_its_end_and_shows_the_losses(build, monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    data, task, trainer = build("trainer.max_epochs=2", "callbacks.progress.refresh_s=0")
    trainer.fit(task, data)
    assert re.search(r"epoch 2/2: +100%", screen.getvalue())
    assert "val/" in screen.getvalue()


def test_nothing_is_drawn_where_nobody_looks(build, capsys):
    data, task, trainer = build("trainer.max_epochs=1")
    trainer.fit(task, data)
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_a_bar_is_closed_when_training_fails(build, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())

    class Fail(Callback):
        def on_train_batch_start(self, *args):
            raise ZeroDivisionError

    data, task, trainer = build()
    trainer.callbacks.append(Fail())
    bars = [callback for callback in trainer.callbacks if hasattr(callback, "refresh_s")]
    with pytest.raises(ZeroDivisionError):
        trainer.fit(task, data)
    assert bars[0].bar.disable  # what tqdm sets when it closes
