import subprocess
import sys
from pathlib import Path

LOSES_ONE = """
import os, signal, weakref
from pipelines.interrupt import note_interrupts, raise_if_lost

class Thing: pass

note_interrupts()
thing = Thing()
ref = weakref.ref(thing, lambda _: (os.kill(os.getpid(), signal.SIGINT), [None for _ in range(1000)]))
del thing
print("lost")
raise_if_lost()
"""


def test_an_interrupt_that_python_drops_is_raised_later() -> None:
    ended = subprocess.run([sys.executable, "-c", LOSES_ONE], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert ended.stdout == "lost\n"
    assert ended.returncode != 0
    assert ended.stderr.rstrip().endswith("KeyboardInterrupt")
