"""The most memory that a piece of work took, in MiB; torch is asked only where it is loaded already."""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

MIB = 2**20
RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""What ``ru_maxrss`` counts in, in bytes."""


class Peak:
    """``mib``, once the work is done: on CUDA the most that tensors held at once on any device, weights among them.

    Elsewhere by how much the work raised the largest resident size the process ever had: 0 where it stayed below an earlier one
    (on Linux also below that of the program which started this one).
    """

    mib: float = 0.0


@contextmanager
def peak_memory() -> Iterator[Peak]:
    """Measure what runs inside; of work within other work, the inner starts CUDA's count anew."""
    peak, before = Peak(), _resident()
    for device in _devices():
        _cuda().reset_peak_memory_stats(device)
    yield peak
    held = [_cuda().max_memory_allocated(device) for device in _devices()]
    peak.mib = (max(held) if held else _resident() - before) / MIB


def _cuda() -> Any:
    """``torch.cuda``, or None where torch is not loaded."""
    torch = sys.modules.get("torch")
    return None if torch is None else torch.cuda


def _devices() -> range:
    """The CUDA devices of this process: none before the first tensor is there."""
    cuda = _cuda()
    return range(cuda.device_count() if cuda is not None and cuda.is_initialized() else 0)


def _resident() -> int:
    """The largest resident size of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT
