"""CPU seconds of calls in one process, on one thread: what every ratio is made of (torch only, so that the peer's process has it, too)."""

import time
from collections.abc import Callable, Sequence

import torch

Call = Callable[[], object]


def seconds(call: Call) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def fastest(calls: Sequence[Call], rounds: int = 7) -> list[float]:
    """CPU seconds of each call on one thread: rounds interleaved after one to warm up, the least of each."""
    torch.set_num_threads(1)
    for call in calls:
        call()
    return [min(column) for column in zip(*([seconds(call) for call in calls] for _ in range(rounds)), strict=True)]
