"""What attribution costs beside the bare model on a CUDA device, at the shapes of GPT-2 small and of a 1B model with random weights.

Skipped without a device. Seconds are of the wall clock with the device waited for; memory is the device's peak over the weights.
"""

import time

import pytest
import torch

from tests.bench.bench_attribution import INPUTS, edges_call
from tests.bench.figures import Figure, keep
from tests.bench.shapes import STEPS, bare_and_lens, bare_call, questions, sizes
from tests.bench.timing import Call

SHAPES = {
    "GPT-2 small shape (12L d768, float32)": (sizes(12, 768, 12), 50257, torch.float32),
    "1B shape (16L d2048, bfloat16)": (sizes(16, 2048, 8), 50304, torch.bfloat16),
}


def waited(call: Call) -> float:
    """Seconds of one call, the device's work among them."""
    torch.cuda.synchronize()
    start = time.perf_counter()
    call()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def peak(call: Call) -> float:
    """MiB that a call adds to what the device holds."""
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    call()
    torch.cuda.synchronize()
    return (torch.cuda.max_memory_allocated() - before) / 2**20


def calls(config: dict[str, int], vocab: int, dtype: torch.dtype, device: str) -> tuple[Call, Call, Call]:
    """Bare once, bare ``STEPS`` times, ``inputs`` with ROI edges and ``se``."""
    (module, lens), prompts = bare_and_lens(config, vocab=vocab, device=device, dtype=dtype), questions()
    return bare_call(module, prompts, 1), bare_call(module, prompts), edges_call(lens, prompts, INPUTS)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_accelerator() -> None:
    figures = []
    for name, (config, vocab, dtype) in SHAPES.items():
        once, bare, ours = calls(config, vocab, dtype, "cuda")
        once(), bare(), ours()
        took = [min(waited(call) for _ in range(5)) for call in (bare, ours)]
        grew = [peak(call) for call in (once, ours)]
        note = f"{took[1]:.3f} s / {took[0]:.3f} s on {torch.cuda.get_device_name()}"
        figures.append(Figure(f"`inputs` m = {STEPS} / {STEPS} × bare forward + backward, {name}", took[1] / took[0], note=note))
        figures.append(Figure(f"peak memory growth of `inputs` / bare, {name}", grew[1] / grew[0], note=f"{grew[1]:.0f} MiB / {grew[0]:.0f} MiB"))
    keep("accelerator", figures, "make bench ARGS=tests/bench/bench_accelerator.py")
    assert all(figure.value > 0 for figure in figures)
