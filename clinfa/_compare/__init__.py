"""``python -m clinfa compare``: an estimator here and in scikit-learn, on the same data."""

from clinfa._compare._run import Refusal, run

__all__ = ["Refusal", "run"]
