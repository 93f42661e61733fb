"""Kernels as objects: stored whole, over neighbours only, or never stored and applied tile by tile."""

from clinfa.kernels._kernel import Kernel, KernelParams
from clinfa.kernels._methods import (
    Cosine,
    Gaussian,
    Laplacian,
    Linear,
    Method,
    Polynomial,
    Sigmoid,
    Sparse,
)

__all__ = [
    "Cosine",
    "Gaussian",
    "Kernel",
    "KernelParams",
    "Laplacian",
    "Linear",
    "Method",
    "Polynomial",
    "Sigmoid",
    "Sparse",
]
