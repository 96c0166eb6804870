"""A device that stands in for an accelerator: it computes on the CPU and refuses what CUDA refuses.

A tensor that is :class:`Elsewhere` says that its device is ``meta``. An operation that mixes it with a tensor of the CPU is a
``MixedDevices``, except where CUDA allows that too: numbers (no dimensions), indices, and copies. It becomes a numpy array only by
way of ``.cpu()``. The numbers are computed by the CPU's own operations.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._device import _device_constructors
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

DEVICE = torch.device("meta")
MAY_MIX = {torch.ops.aten.index, torch.ops.aten.index_put, torch.ops.aten.index_put_, torch.ops.aten._index_put_impl_, torch.ops.aten.copy_}


class MixedDevices(RuntimeError):
    """An operation was given tensors of both devices."""


class Elsewhere(Tensor):
    """A tensor of the stand-in device; ``inner`` holds its numbers."""

    inner: Tensor

    @staticmethod
    def __new__(cls, inner: Tensor) -> "Elsewhere":
        made: Elsewhere = Tensor._make_wrapper_subclass(
            cls, inner.shape, strides=inner.stride(), storage_offset=inner.storage_offset(), dtype=inner.dtype, device=DEVICE
        )
        made.inner = inner
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _compute(func, args, kwargs or {})


class _Dispatch(TorchDispatchMode):
    """Operations that make a tensor there although none of their arguments is."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _compute(func, args, kwargs or {})


class _Functions(TorchFunctionMode):
    """What never reaches the dispatcher: tensors made from Python's numbers, addresses, and lists."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _device_constructors() and torch.device(kwargs.get("device") or "cpu") == DEVICE:
            return Elsewhere(func(*args, **{**kwargs, "device": "cpu"}))
        if func in (Tensor.data_ptr, Tensor.tolist) and isinstance(args[0], Elsewhere):
            return func(args[0].inner)
        if func in (Tensor.__getitem__, Tensor.__setitem__):
            args = (args[0], _indices(args[1]), *args[2:])
        return func(*args, **kwargs)


@contextmanager
def stand_in() -> Iterator[torch.device]:
    """While this is open the stand-in device can be computed on."""
    with _Functions(), _Dispatch():
        yield DEVICE


def _indices(index: Any) -> Any:
    """``index`` with its lists as tensors of the CPU: made by torch from a list, an index of the device ``meta`` would be empty."""
    if isinstance(index, tuple):
        return tuple(_indices(part) for part in index)
    return torch.tensor(index, dtype=torch.int64) if isinstance(index, list) else index


def _compute(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    there = [tensor for tensor in given if isinstance(tensor, Elsewhere)]
    wanted = kwargs.get("device")
    goes_there = bool(there) if wanted is None else torch.device(wanted) == DEVICE
    if there and func.overloadpacket not in MAY_MIX and any(tensor.ndim for tensor in given if not isinstance(tensor, Elsewhere)):
        raise MixedDevices(f"{func} was given tensors of both devices")
    own = {id(tensor.inner): tensor for tensor in there}
    inside, more = tree_map_only(Elsewhere, lambda tensor: tensor.inner, (args, kwargs))
    if wanted is not None:
        more["device"] = torch.device("cpu")
    result = func(*inside, **more)
    return tree_map_only(Tensor, lambda tensor: own[id(tensor)] if id(tensor) in own else Elsewhere(tensor), result) if goes_there else result
