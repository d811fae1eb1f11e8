"""A pretended GPU that computes: its tensors have numbers, kept where no CPU tensor meets them.

Importing it registers the device for good, so it is for a process of its own. What a GPU refuses
is refused: an operation on tensors of both devices. What makes the CPU wait for a GPU is noted in
WAITS: reading a number, copying back, looking for true elements, a copy that is not non-blocking.
"""

import traceback
from pathlib import Path

import torch
from lightning.pytorch.accelerators import Accelerator
from lightning.pytorch.strategies import SingleDeviceStrategy
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

# Their results have a size, or a number, that the CPU must know before it can go on.
READS = {"_local_scalar_dense", "equal", "nonzero", "masked_select", "bincount"}
READS |= {"_unique2", "unique_dim", "unique_consecutive", "is_nonzero", "_linalg_check_errors"}
SRC = str(Path(__file__).parents[3] / "src")
COPIES = {"_to_copy", "copy_"}
WAITS: list[tuple[str, str]] = []  # what had to wait, and the line of Kindling's it stands in
CROSSINGS: list[str] = []  # copies from one device to the other, waited for or not


class Module:
    """What torch.fakegpu is: the part of torch.cuda that is asked for here."""

    free = 10**9  # bytes

    def is_initialized(self):
        return True

    is_available = is_initialized

    def _is_in_bad_fork(self):
        return False

    def device_count(self):
        return 1

    def current_device(self):
        return 0

    def manual_seed(self, seed):
        torch.default_generator.manual_seed(seed)

    def manual_seed_all(self, seed):
        """Nothing: `torch.manual_seed` has seeded the CPU, which draws for this device."""

    def mem_get_info(self, device):
        return self.free, 2 * self.free


class FarTensor(torch.Tensor):
    """A tensor on the device; `near` has its numbers."""

    @staticmethod
    def __new__(cls, near):
        return torch.Tensor._make_wrapper_subclass(
            cls,
            near.size(),
            strides=near.stride(),
            storage_offset=near.storage_offset(),
            dtype=near.dtype,
            device=GPU,
        )

    def __init__(self, near):
        self.near = near

    def __format__(self, spec):
        return format(self.item(), spec) if self.ndim == 0 else super().__format__(spec)

    def tolist(self):
        return self.cpu().tolist()  # torch would, but for subclasses it refuses

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return compute(func, args, kwargs or {})


class Pretend(TorchDispatchMode):
    """Sees also what makes a tensor on the device out of none."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return compute(func, args, kwargs or {})


class New(TorchFunctionMode):
    """Lets `torch.tensor` make its numbers on the CPU, and wait for the copy, as on any GPU."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        device = kwargs.pop("device", None) if func is torch.tensor else None
        made = func(*args, **kwargs)
        return made if device is None else made.to(device)


def compute(func, args, kwargs):
    name = func.overloadpacket.__name__
    tensors = [t for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)]
    is_far = any(isinstance(t, FarTensor) for t in tensors)
    to_far = torch.device(kwargs["device"]).type != "cpu" if kwargs.get("device") else is_far
    if name == "copy_":
        to_far = isinstance(args[0], FarTensor)
    if not is_far and not to_far:
        return func(*args, **kwargs)
    if crosses(name, args, is_far=is_far, to_far=to_far):
        CROSSINGS.append(name)
    if must_wait(name, args, kwargs, is_far=is_far, to_far=to_far):
        frames = [f for f in traceback.extract_stack() if f.filename.startswith(SRC)]
        WAITS.append((name, f"{frames[-1].name}: {frames[-1].line}" if frames else "elsewhere"))
    strays = [t for t in tensors if not isinstance(t, FarTensor) and t.ndim > 0]
    if name not in COPIES and strays:
        raise RuntimeError(f"{func} on two devices: {strays[0].shape} is on the CPU")
    near_args, near_kwargs = tree_map_only(FarTensor, lambda t: t.near, (args, kwargs))
    if near_kwargs.get("device"):
        near_kwargs["device"] = "cpu"
    out = func(*near_args, **near_kwargs)
    if not to_far:
        # A copy even where the pretended one would be the tensor itself.
        return tree_map_only(torch.Tensor, torch.clone, out)
    out = tree_map_only(torch.Tensor, FarTensor, out)
    return return_and_correct_aliasing(func, args, kwargs, out) if is_far else out


def crosses(name, args, *, is_far, to_far):
    if name not in COPIES:
        return False
    return not (is_far and to_far) or not all(
        isinstance(t, FarTensor) for t in args[:2] if isinstance(t, torch.Tensor)
    )


def must_wait(name, args, kwargs, *, is_far, to_far):
    if name in READS:
        return True
    if crosses(name, args, is_far=is_far, to_far=to_far):
        return not (to_far and (kwargs.get("non_blocking") or (len(args) > 2 and args[2])))
    if name in ("index", "index_put", "index_put_", "_index_put_impl_"):
        return any(t is not None and t.dtype in (torch.bool, torch.uint8) for t in args[1])
    return name == "repeat_interleave" and kwargs.get("output_size") is None


class PretendedAccelerator(Accelerator):
    """What Lightning asks of a device."""

    def setup_device(self, device):
        pass

    def teardown(self):
        pass

    @staticmethod
    def parse_devices(devices):
        return devices

    @staticmethod
    def get_parallel_devices(devices):
        return [GPU] * devices

    @staticmethod
    def auto_device_count():
        return 1

    @staticmethod
    def is_available():
        return True

    @staticmethod
    def name():
        return "fakegpu"


def find_pretended(*_):
    """What `find_device` says on a machine with such a device."""
    return {"strategy": SingleDeviceStrategy(GPU, accelerator=PretendedAccelerator())}


_setup_privateuseone_for_python_backend("fakegpu", backend_module=Module())
GPU = torch.device("fakegpu:0")
# Without a kernel of the device's own torch takes a formula of several operations, which rounds
# otherwise; GPUs have one. This one is never called, as `compute` sees the call before it.
KERNELS = torch.library.Library("aten", "IMPL")
KERNELS.impl("mish_backward", torch.library.fallthrough_kernel, "PrivateUse1")
New().__enter__()
Pretend().__enter__()
