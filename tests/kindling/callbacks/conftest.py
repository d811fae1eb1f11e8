"""A network on the embedded data, trained for two steps behind the pre-flight check."""

import pytest
from lightning.pytorch.callbacks import Callback

from kindling.callbacks.preflight import Preflight
from kindling.errors import UserError


class Spoil(Callback):
    """Breaks something once the Trainer has put everything in its place."""

    def __init__(self, change):
        self.change = change

    def on_train_start(self, trainer, pl_module):
        self.change(pl_module.network)

    def on_exception(self, trainer, pl_module, exception):
        pl_module.network.to_empty(device="cpu")  # Lightning's teardown could not move it


@pytest.fixture
def fly(build):
    """Return the error that refuses the run, or None where all is well."""

    def go(make_network, *overrides, spoil_data=None, spoil_network=None):
        data, task, trainer = build(
            "model=mlp", "trainer.max_epochs=1", "+trainer.limit_train_batches=2", *overrides
        )
        assert any(isinstance(callback, Preflight) for callback in trainer.callbacks)
        if make_network is not None:
            task.network = make_network(data.spec)
        if spoil_data is not None:
            spoil_data(data)
        if spoil_network is not None:
            trainer.callbacks.append(Spoil(spoil_network))
        try:
            trainer.fit(task, data)
        except UserError as error:
            return error
        assert trainer.global_step > 0
        return None

    return go
