"""Training steps on a pretended GPU, in a process of their own: it registers a device for good.

A fake tensor has a device and a shape but no numbers, so whatever was left on the CPU is refused
where it meets the rest. Prints each network and the devices of all that took part.
"""

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from kindling.model.auto import auto
from kindling.pixels import PixelScaler
from kindling.task.loss import Loss
from kindling.task.running import RunningMeans
from kindling.task.supervised import decay_groups
from kindling.types import Batch, DataSpec

GPU = "fakegpu:0"
CLASSES = {"task": "binary", "target": "y", "classes": ("a", "b"), "class_counts": (9, 1)}
SPECS = {
    "mlp": DataSpec(**CLASSES, numbers=("u", "v"), categories=("c",), cardinalities=(300,)),
    "cnn": DataSpec(**CLASSES, image_shape=(3, 12, 12), pixel_mean=(1,) * 3, pixel_scale=(2,) * 3),
    "value": DataSpec(task="regression", target="y", numbers=("u", "v")),
}


def move(module):
    """Put every parameter and buffer on the pretended GPU."""
    for part in module.modules():
        for name, parameter in part._parameters.items():
            if parameter is not None:
                moved = torch.empty(parameter.shape, device=GPU)
                part._parameters[name] = torch.nn.Parameter(moved)
        for name, buffer in part._buffers.items():
            if buffer is not None:
                part._buffers[name] = torch.empty(buffer.shape, dtype=buffer.dtype, device=GPU)
    return module


def batch_of(spec):
    dtype, size = (torch.uint8, spec.image_shape) if spec.image_shape else (torch.float32, None)
    size = size or (len(spec.numbers) + len(spec.categories),)
    y = torch.float32 if spec.is_regression else torch.int64
    return Batch(
        torch.empty(7, *size, dtype=dtype, device=GPU),
        torch.empty(7, dtype=y, device=GPU),
        torch.empty(7, dtype=torch.int64, device=GPU),
    )


def devices_of_a_step(spec):
    network, loss_of = auto(spec), Loss(spec, None if spec.is_regression else "balanced")
    scaler = PixelScaler(spec.pixel_mean, spec.pixel_scale)
    with FakeTensorMode(allow_non_fake_inputs=False):
        network, loss_of, scaler = move(network), move(loss_of), move(scaler)
        optimizer = torch.optim.AdamW(decay_groups(network), lr=0.1, foreach=False)
        batch, means = batch_of(spec), RunningMeans(spec, loss_of, torch.device(GPU))
        x = scaler(batch.x) if spec.image_shape else batch.x
        optimizer.zero_grad()
        outputs = network(x)
        loss = loss_of(outputs, batch.y)
        loss.backward()
        optimizer.step()
        means.add(loss.detach(), batch.y)
        means.judge(outputs.detach(), batch.y)
        with torch.no_grad():
            judged = network.eval()(x).float()
        tensors = [x, outputs, loss, judged, means.loss_sum, means.correct]
        tensors += [p.grad for p in network.parameters()]
        return sorted({str(tensor.device) for tensor in tensors})


if __name__ == "__main__":
    _setup_privateuseone_for_python_backend("fakegpu")
    for name, spec in SPECS.items():
        print(name, *devices_of_a_step(spec))  # noqa: T201
