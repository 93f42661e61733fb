"""The deck's second case: rings within rings, through a sparse kernel and a diffusion map."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from clinfa.kernels import Gaussian, Kernel, Sparse
from clinfa.manifold import DiffusionMap

__all__ = ["RINGS", "Diffused", "diffuse", "told"]

RINGS = ((0, 3), (10, 13), (20, 23))  # inner and outer radii, as in the deck


@dataclass(frozen=True)
class Diffused:
    """Points of nested rings, and what a diffusion map makes of them."""

    points: np.ndarray  # (n, 2)
    ring: np.ndarray  # (n,)
    places: np.ndarray  # (n, 2)
    eigenvalues: np.ndarray  # (2,)
    seconds: float


def diffuse(n: int = 500) -> Diffused:
    """Points in rings at random radii and angles; the deck's kernel, the deck's map.

    Parameters
    ----------
    n : int
        Points, as many in each ring, but for what is left over.
    """
    rng = np.random.default_rng(42)
    ring = np.sort(np.arange(n) % len(RINGS))
    inner, outer = np.array(RINGS, float)[ring].T
    radius, angle = rng.uniform(inner, outer), rng.uniform(0, 2 * np.pi, n)
    points = np.c_[radius * np.cos(angle), radius * np.sin(angle)]
    start = time.perf_counter()
    kernel = Kernel(points, method=Gaussian(2.0), kind=Sparse(15))
    model = DiffusionMap(n_components=2, steps=1).fit(kernel)
    seconds = time.perf_counter() - start
    return Diffused(points, ring, model.embedding(), model.eigvals(), seconds)


def told(found: Diffused) -> Iterator[str]:
    """A diffusion map in words."""
    n = len(found.points)
    yield f"   {n} points in {len(RINGS)} rings; the affinity of neighbours is exp(-|x - y|^2 / 2)"
    yield f"   Two coordinates after one step of the walk, in {1000 * found.seconds:.1f} ms:"
    yield ""
    for j, (inner, outer) in enumerate(RINGS):
        mine = found.places[found.ring == j]
        middle, spread = mine.mean(axis=0), np.abs(mine - mine.mean(axis=0)).max()
        yield (
            f"     radius {inner:>2} to {outer:>2}   {middle[0]:>8.4f} {middle[1]:>8.4f}   "
            f"all within {spread:.0e} of there"
        )
    yield ""
    values = " and ".join(f"{value:.12g}" for value in found.eigenvalues)
    yield f"   No walk will go from ring to ring, so each comes to one place; eigenvalues {values}."
