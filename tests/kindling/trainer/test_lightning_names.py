"""Private names of Lightning that are leant on: another version may have renamed them."""

from lightning.pytorch.loops.training_epoch_loop import _TrainingEpochLoop
from lightning.pytorch.trainer.connectors.checkpoint_connector import _CheckpointConnector


def test_the_broadcast_in_each_call_is_where_it_is_taken_out():
    assert callable(_TrainingEpochLoop._broadcast_sigterm_tensor)


def test_a_checkpoint_is_made_by_the_connector():
    assert callable(_CheckpointConnector.dump_checkpoint)
