"""Linear algebra: arrays in, arrays out."""

from clinfa.linalg._eigen import lobpcg, truncated_eigh
from clinfa.linalg._result import EigResult

__all__ = ["EigResult", "lobpcg", "truncated_eigh"]
