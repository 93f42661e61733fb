"""LOBPCG: the ten largest pairs of the Laplacian of a grid plus a random diagonal.

Quality is the greatest norm of A v - value v, recomputed for all. SciPy's lobpcg is asked for a thousandth
only, which is as far as it comes in a reasonable time; eigsh is asked for what ours is.
"""

from functools import partial

import numpy as np
import scipy.sparse as sp

from benchmarks.case import Case, Data

SEED = 0
TOL = 1e-6


def grid(scale: float, side: int, spread: float) -> Data:
    """A side x side grid; diagonals uniform in [0, spread]."""
    rng = np.random.default_rng(SEED)
    m = max(round(side * scale**0.5), 20)
    T, one = sp.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(m, m)), sp.eye_array(m)
    A = sp.kron(T, one) + sp.kron(one, T) + sp.diags_array(spread * rng.random(m * m))
    return {"A": A.tocsr(), "X": rng.standard_normal((m * m, 10))}


def clinfa(data: Data, case: Case):
    from clinfa.linalg import lobpcg

    return np.vstack(tuple(lobpcg(data["A"], data["X"], tol=TOL)))


def clinfa_1em3(data: Data, case: Case):
    from clinfa.linalg import lobpcg

    return np.vstack(tuple(lobpcg(data["A"], data["X"], tol=1e-3)))


def scipy_lobpcg_1em3(data: Data, case: Case):
    from scipy.sparse.linalg import lobpcg

    return np.vstack(lobpcg(data["A"], data["X"], tol=1e-3, maxiter=500, largest=True))


def scipy_eigsh(data: Data, case: Case):
    from scipy.sparse.linalg import eigsh

    return np.vstack(eigsh(data["A"], 10, which="LA", tol=TOL / 10))


def residual(data: Data, pairs: np.ndarray) -> float:
    values, vectors = pairs[0], pairs[1:]
    return float(np.linalg.norm(data["A"] @ vectors - vectors * values, axis=0).max())


CASES = tuple(
    Case(
        name=f"lobpcg-grid-{name}",
        group="Eigenpairs",
        make=partial(grid, side=300, spread=spread),
        contenders=(clinfa, clinfa_1em3, scipy_lobpcg_1em3, scipy_eigsh),
        quality=residual,
        note=f"300 x 300 grid Laplacian, random diagonal in [0, {spread:g}], 10 largest pairs",
    )
    for name, spread in (("1", 1.0), ("10", 10.0))
)
