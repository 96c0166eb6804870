"""Peak memory: of the CUDA devices where there are any in use, else of the process."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from roicg.models.memory import peak_memory

WORK = """
import resource, sys
import numpy as np, psutil
from roicg.models.memory import peak_memory
def work(mib):
    with peak_memory() as peak:
        np.ones(mib << 17)
    return peak.mib
highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (2**20 if sys.platform == "darwin" else 2**10)
room = highest - psutil.Process().memory_info().rss // 2**20  # Linux gives a new process the largest size of the one that started it
print(work(room + 100), work(room + 50), work(room + 300))
"""


def test_without_cuda_it_is_what_the_work_raised_the_process_by() -> None:
    """Work that needs no more than earlier work adds nothing; what is freed again counts.

    Seen to fail with kibibytes taken for bytes, and with the whole resident size reported.
    """
    done = subprocess.run([sys.executable, "-c", WORK], capture_output=True, text=True, timeout=60, check=True)
    first, less, more = (float(word) for word in done.stdout.split())
    assert first == pytest.approx(100, abs=20)
    assert less < 20
    assert more == pytest.approx(200, abs=20)


def test_on_cuda_it_is_the_largest_device_since_the_work_began(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail without the reset, and with device 0 alone."""
    held = {0: 5 << 20, 1: 900 << 20}
    cuda = SimpleNamespace(
        is_initialized=lambda: True,
        device_count=lambda: 2,
        reset_peak_memory_stats=lambda device: held.update({device: 0}),
        max_memory_allocated=lambda device: held[device],
    )
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    with peak_memory() as peak:
        held.update({device: max(held[device], mib << 20) for device, mib in ((0, 3), (1, 7))})
    assert peak.mib == 7.0


def test_torch_is_not_loaded_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with ``import torch`` in ``_cuda``."""
    monkeypatch.setitem(sys.modules, "torch", None)
    with peak_memory() as peak:
        pass
    assert peak.mib >= 0
