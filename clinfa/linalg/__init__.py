"""Linear algebra: arrays in, arrays out."""

from clinfa.linalg._eigen import lobpcg, truncated_eigh
from clinfa.linalg._iterated import TruncatedEig
from clinfa.linalg._result import EigResult
from clinfa.linalg._svd import SvdResult, svds, truncated_svd

__all__ = ["EigResult", "SvdResult", "TruncatedEig", "lobpcg", "svds", "truncated_eigh", "truncated_svd"]
