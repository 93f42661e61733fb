"""Spectral embedding: a graph of nearest neighbours and its leading eigenvectors, neighbours included.

Quality is the greatest residual of the vectors in the normalised graph, which is the same for all contenders.
"clinfa" stops where scikit-learn's lobpcg and amg come to by their own tolerance, "clinfa-arpack" goes on to
1e-8. (scikit-learn's "arpack" inverts the Laplacian: where records do not lie on a
surface that takes minutes, and it is left out.)
"""

import importlib
from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.case import Case, Data

SEED = 0


def spectral(library: str, module: str, solver: str | None, tol: float | str = "auto") -> Callable:
    """An embedding by a library with scikit-learn's interface."""

    def run(data: Data, case: Case):
        home = importlib.import_module(module)
        model = home.SpectralEmbedding(
            n_neighbors=case.params["k"],
            n_components=case.params["vectors"],
            eigen_solver=solver,
            eigen_tol=tol,
            random_state=0,
            n_jobs=2,
        )
        return model.fit(data["X"]).embedding_

    run.__name__ = library if solver is None else f"{library}_{solver}"
    return run


def clusters(library: str, module: str) -> Callable:
    def run(data: Data, case: Case):
        home = importlib.import_module(module)
        return home.SpectralClustering(
            3, affinity="nearest_neighbors", n_neighbors=30, random_state=0
        ).fit_predict(data["X"])

    run.__name__ = library
    return run


def cube(scale: float, n: int) -> Data:
    """Uniform in ten dimensions: nothing to find."""
    return {"X": np.random.default_rng(SEED).random((max(round(n * scale), 500), 10))}


def blobs(scale: float, n: int, apart: float) -> Data:
    """Ten Gaussian blobs of deviation 1 in ten dimensions."""
    rng = np.random.default_rng(SEED)
    n, centres = max(round(n * scale), 500), rng.normal(0, apart, (10, 10))
    return {"X": centres[rng.integers(0, 10, n)] + rng.standard_normal((n, 10))}


def roll(scale: float, n: int) -> Data:
    """A Swiss roll turned into ten dimensions, with noise."""
    rng = np.random.default_rng(SEED)
    n = max(round(n * scale), 500)
    t = 1.5 * np.pi * (1 + 2 * rng.random(n))
    X = np.c_[t * np.cos(t), 21 * rng.random(n), t * np.sin(t)]
    turn = np.linalg.qr(rng.standard_normal((10, 10)))[0][:3]
    return {"X": X @ turn + 0.05 * rng.standard_normal((n, 10))}


def iris(scale: float) -> Data:
    from clinfa.datasets import load_iris

    data = load_iris()
    return {"X": data.records, "y": np.asarray(data.targets).ravel()}


def residual(data: Data, embedding: np.ndarray, k: int) -> float:
    """The greatest norm of P-residuals, in the units of unit vectors of the normalised graph."""
    from sklearn.neighbors import kneighbors_graph

    graph = kneighbors_graph(data["X"], k, include_self=True, n_jobs=2)
    graph = (0.5 * (graph + graph.T)).tocsr()
    graph.setdiag(0)
    degrees = np.asarray(graph.sum(axis=1)).ravel()
    roots = np.sqrt(np.where(degrees > 0, degrees, 1))[:, None]
    vectors = embedding * roots
    vectors = vectors / np.linalg.norm(vectors, axis=0)
    image = (graph @ (vectors / roots)) / roots
    return float(np.linalg.norm(image - vectors * (vectors * image).sum(axis=0), axis=0).max())


def wrong(data: Data, labels: np.ndarray) -> float:
    """1 minus the adjusted Rand index against the species."""
    from clinfa.metrics import adjusted_rand_score

    return 1 - adjusted_rand_score(data["y"], labels)


OURS = (
    spectral("clinfa", "clinfa.manifold", None, 5e-4),
    spectral("clinfa", "clinfa.manifold", "arpack", 1e-8),
)
THEIRS = {solver: spectral("sklearn", "sklearn.manifold", solver) for solver in ("arpack", "lobpcg", "amg")}
RACES = (
    ("roll", partial(roll, n=50_000), ("arpack", "amg", "lobpcg"), "a Swiss roll turned into 10 dimensions"),
    ("near", partial(blobs, n=50_000, apart=1.5), ("amg", "lobpcg"), "10 blobs that overlap"),
    ("blobs", partial(blobs, n=50_000, apart=6.0), ("amg", "lobpcg"), "10 blobs, not connected"),
    ("cube", partial(cube, n=50_000), ("amg", "lobpcg"), "uniform in a cube"),
)
CASES = (
    *(
        Case(
            name=f"spectral-50kx10-{name}",
            group="Spectral methods",
            make=make,
            contenders=(*OURS, *(THEIRS[solver] for solver in solvers)),
            quality=partial(residual, k=15),
            params={"k": 15, "vectors": 10},
            note=f"{note}; 15 neighbours, 10 vectors, neighbours included",
        )
        for name, make, solvers, note in RACES
    ),
    Case(
        name="spectral-clustering-iris",
        group="Spectral methods",
        make=iris,
        contenders=(clusters("clinfa", "clinfa.cluster"), clusters("sklearn", "sklearn.cluster")),
        quality=wrong,
        repeat=20,
        note="SpectralClustering, 30 neighbours",
    ),
)
