"""Peak memory that a call adds to a process that holds the model: measured in a fresh process (Linux)."""

import subprocess
import sys
from pathlib import Path


def peak_growth(shape: str, what: str) -> float:
    """MiB by which the peak resident size exceeds that before the call; ``what`` is ``bare`` or ``inputs``."""
    done = subprocess.run([sys.executable, "-m", "tests.bench.memory", shape, what], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    return float(done.stdout.split()[-1])


def resident(field: str) -> float:
    """MiB of ``VmRSS`` (now) or ``VmHWM`` (peak)."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def measure(name: str, what: str) -> float:
    import torch

    from roicg.core.settings import AttributionSettings
    from tests.bench.bench_attribution import INPUTS, edges_call
    from tests.bench.shapes import bare_and_lens, bare_call, questions, shape

    torch.set_num_threads(1)
    module, lens = bare_and_lens(shape(name))
    settings: AttributionSettings = INPUTS
    small = questions(batch=1, length=4)
    for warm in (bare_call(module, small, 1), edges_call(lens, small, settings)):
        warm()
    call = bare_call(module, questions(), 1) if what == "bare" else edges_call(lens, questions(), settings)
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
    call()
    return resident("VmHWM") - before


if __name__ == "__main__":
    print(measure(*sys.argv[1:]))
