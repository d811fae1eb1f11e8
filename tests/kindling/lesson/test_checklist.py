"""The lesson's checklist, held against the pipeline itself while it trains on penguins."""

import pytest
import torch
from lightning.pytorch.callbacks import Callback


class Witness(Callback):
    """Writes down what the network sees in each forward pass of a run."""

    def __init__(self):
        self.batches, self.outputs, self.devices, self.first_gradients = {}, {}, set(), []

    def setup(self, trainer, pl_module, stage):
        def look(network, args, outputs):
            stage = trainer.state.stage.value  # "train" or "validate"
            (x,) = args
            tensors = [x, outputs, *network.parameters(), *network.buffers()]
            self.devices |= {tensor.device for tensor in tensors}
            self.batches.setdefault(stage, []).append(x)
            self.outputs.setdefault(stage, []).append(outputs)
            if stage == "train":
                gradients = [p.grad for p in network.parameters() if p.grad is not None]
                self.first_gradients.append(sum(g.abs().sum().item() for g in gradients))

        pl_module.network.register_forward_hook(look)


@pytest.fixture
def run(build):
    """Train for one epoch; return data, task and what the witness saw."""
    data, task, trainer = build("trainer.max_epochs=1", "device=cpu", "~callbacks.preflight")
    witness = Witness()
    trainer.callbacks.append(witness)
    trainer.fit(task, data)
    assert len(witness.batches["train"]) == 8
    assert len(witness.batches["validate"]) == 1
    return data, task, witness


def test_everything_that_is_learnt_from_is_float32(run):
    data, task, witness = run
    batches = [x for seen in witness.batches.values() for x in seen]
    assert {tensor.dtype for tensor in [*batches, *task.parameters()]} == {torch.float32}
    assert data.y.dtype == torch.int64


def test_only_parameters_require_a_gradient(run):
    _, task, witness = run
    assert all(parameter.requires_grad for parameter in task.network.parameters())
    assert not any(buffer.requires_grad for buffer in task.network.buffers())
    assert not any(x.requires_grad for seen in witness.batches.values() for x in seen)


def test_evaluation_keeps_no_graph_and_training_does(run):
    _, _, witness = run
    assert all(outputs.requires_grad for outputs in witness.outputs["train"])
    assert not any(outputs.requires_grad for outputs in witness.outputs["validate"])


def test_no_grad_keeps_nothing_in_memory_for_backward(build):
    data, task, _ = build("data=penguins")
    (batch,) = data.val_dataloader()
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        task.network(batch.x)
        assert len(kept) > 0
        kept.clear()
        task.evaluate(batch)
        assert kept == []


def test_every_step_starts_with_gradients_of_zero(run):
    _, _, witness = run
    assert witness.first_gradients == [0] * 8


def test_everything_lies_on_one_device(run):
    _, _, witness = run
    assert witness.devices == {torch.device("cpu")}
