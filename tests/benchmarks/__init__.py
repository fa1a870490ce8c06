"""Measures ours against every peer and against the limit: `python -m tests.benchmarks`, or `make bench`.

Before anything imports a numeric library: one thread, no hub. Then CPU seconds of two contenders can be compared.
"""

import os

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TQDM_DISABLE"] = "1"
