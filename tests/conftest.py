"""Before anything imports NumPy, SciPy or scikit-learn: what they read from the environment."""

import os

os.environ["SCIPY_ARRAY_API"] = "1"  # without which scikit-learn skips a check
# Idle threads of theirs sleep: where tests run side by side, spinning ones take half the time.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")
