"""The Dagster shell around ``roicg.stages``: thin assets, checks and a runner; no science happens here."""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before numpy or torch load: for models of this size two threads are many times slower
