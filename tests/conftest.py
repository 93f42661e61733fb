"""Before anything imports SciPy: its array-API mode, without which scikit-learn skips a check."""

import os

os.environ["SCIPY_ARRAY_API"] = "1"
