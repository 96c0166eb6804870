"""One thread everywhere (two are slower for models of this size, and sums stay the same from run to run)."""

import os
import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a job in the background of a script: the children that tests interrupt would ignore it too
    signal.signal(signal.SIGINT, signal.default_int_handler)
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"

pytest_plugins = ["tests.server_fixtures"]  # one server for integration and pipeline tests of a session
