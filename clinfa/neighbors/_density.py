"""Kernels around points: what they weigh at a distance, and what makes their integral one."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["COMPACT", "KERNELS", "log_kernel", "log_norm"]

COMPACT = ("tophat", "epanechnikov", "linear", "cosine")  # zero beyond the bandwidth
KERNELS = ("gaussian", "tophat", "epanechnikov", "exponential", "linear", "cosine")


def log_kernel(kernel: str, u: np.ndarray) -> np.ndarray:
    """The logarithm of a kernel at distances in units of the bandwidth."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if kernel == "gaussian":
            return -0.5 * u * u
        if kernel == "exponential":
            return -u
        inside = {
            "tophat": lambda: np.zeros_like(u),
            "epanechnikov": lambda: np.log1p(-u * u),
            "linear": lambda: np.log1p(-u),
            "cosine": lambda: np.log(np.cos(0.5 * np.pi * u)),
        }[kernel]()
        return np.where(u <= 1 if kernel == "tophat" else u < 1, inside, -np.inf)


def log_norm(kernel: str, h: float, d: int) -> float:
    """The logarithm of one by the integral of a kernel: the unit sphere's surface times a radial integral."""
    surface = math.log(2) + 0.5 * d * math.log(math.pi) - math.lgamma(0.5 * d)
    radial = {
        "gaussian": lambda: (0.5 * d - 1) * math.log(2) + math.lgamma(0.5 * d),
        "tophat": lambda: -math.log(d),
        "epanechnikov": lambda: math.log(2 / (d * (d + 2))),
        "exponential": lambda: math.lgamma(d),
        "linear": lambda: -math.log(d * (d + 1)),
        "cosine": lambda: math.log(_cosine_moment(d)),
    }[kernel]()
    return -surface - radial - d * math.log(h)


def _cosine_moment(d: int) -> float:
    """The integral of u^(d - 1) cos(pi u / 2) from 0 to 1, by the cosine's series."""
    term, total = 1.0, 0.0
    for m in range(20):
        total += term / (d + 2 * m)
        term *= -((math.pi / 2) ** 2) / ((2 * m + 1) * (2 * m + 2))
    return total
