import subprocess
import sys
from pathlib import Path

import pytest

from roicg.core.errors import ServerError
from roicg.server.filelock import file_lock

HOLD = """
import sys, time
from pathlib import Path
from roicg.server.filelock import file_lock
with file_lock(Path(sys.argv[1]), 1, "holding"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_holder_gives_up_by_name_and_gets_it_when_the_first_dies(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(ServerError, match="another process is starting things"), file_lock(path, 0.3, "starting things"):
            pytest.fail("held twice")
        holder.kill()
    with file_lock(path, 0.3, "starting things"):
        assert path.stat().st_mode & 0o777 == 0o600


def test_the_lock_is_free_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="x"), file_lock(tmp_path / "lock", 0.3, "failing"):
        raise ValueError("x")
    with file_lock(tmp_path / "lock", 0.3, "going on"):
        pass
