"""Preprocessing."""

from clinfa.preprocessing.kernel_centerer import KernelCenterer
from clinfa.preprocessing.whitening import Whitener

__all__ = ["KernelCenterer", "Whitener"]
