"""The shipped tables: are the clusters the classes?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from clinfa import datasets
from clinfa.cluster import KMeans

__all__ = [
    "INTRODUCTION",
    "Elbow",
    "Found",
    "Table",
    "cluster",
    "elbow",
    "rand_index",
    "shipped",
    "told",
]

INTRODUCTION = (
    "   Clusters are found from the measurements alone, then held against the classes.",
    "   Agreement is the adjusted Rand index: 0 is what chance gives, 1 is the same partition.",
)


@dataclass(frozen=True)
class Table:
    """Records with classes that the clustering does not see."""

    name: str
    what: str  # the records and their columns, in words
    unit: str  # of inertia
    records: np.ndarray  # (n, d)
    classes: np.ndarray  # (n,)
    class_names: list[str]
    feature_names: list[str]


@dataclass(frozen=True)
class Found:
    """A clustering of a table, its clusters numbered like the classes that they match best."""

    table: Table
    labels: np.ndarray  # (n,)
    centres: np.ndarray  # (k, d)
    inertia: float
    iterations: int
    counts: np.ndarray  # (classes, k): members of a class in a cluster
    agreement: float


@dataclass(frozen=True)
class Elbow:
    """Inertia by number of clusters."""

    table: Table
    ks: list[int]
    inertias: list[float]


def shipped() -> Iterator[Table]:
    """The four tables that have classes, those of mixed units standardised."""
    for name, what, unit, standardise in (
        ("iris", "150 flowers, 4 lengths in cm", "cm^2", False),
        ("wine", "178 wines, 13 measurements, standardised", "", True),
        ("breast_cancer", "569 tumours, 30 measurements, standardised", "", True),
        ("digits", "1797 handwritten digits, 64 pixels from 0 to 16", "", False),
    ):
        data = getattr(datasets, f"load_{name}")()
        X = data.records
        if standardise:
            X = (X - X.mean(axis=0)) / X.std(axis=0)
        names = [str(c) for c in data.class_names]
        if name == "wine":
            names = [f"cultivar {i + 1}" for i in range(3)]
        yield Table(name.replace("_", " "), what, unit, X, data.targets, names, list(data.feature_names))


def cluster(table: Table, starts: int) -> Found:
    """Find as many clusters as there are classes."""
    k = len(table.class_names)
    model = KMeans(k, n_init=starts, random_state=0).fit(table.records)
    counts = np.zeros((k, k), np.int64)
    np.add.at(counts, (table.classes, model.labels_), 1)
    _, order = linear_sum_assignment(-counts)  # the cluster that stands for each class
    return Found(
        table,
        np.argsort(order)[model.labels_],
        model.cluster_centers_[order],
        model.inertia_,
        model.n_iter_,
        counts[:, order],
        rand_index(counts),
    )


def rand_index(counts: np.ndarray) -> float:
    """The adjusted Rand index of two partitions (Hubert & Arabie 1985), from their counts."""

    def pairs(sizes: np.ndarray) -> float:
        return float((sizes * (sizes - 1)).sum() / 2)

    both, rows, columns = pairs(counts), pairs(counts.sum(axis=1)), pairs(counts.sum(axis=0))
    expected = rows * columns / pairs(counts.sum())
    most = (rows + columns) / 2
    return 1.0 if most == expected else (both - expected) / (most - expected)


def elbow(table: Table, most: int, starts: int) -> Elbow:
    """Inertia for 2, 3, ... clusters."""
    ks = list(range(2, most + 1))
    return Elbow(
        table,
        ks,
        [KMeans(k, n_init=starts, random_state=0).fit(table.records).inertia_ for k in ks],
    )


def told(found: Found) -> Iterator[str]:
    """A clustering in words, and how its clusters and the classes meet."""
    t, k = found.table, len(found.centres)
    unit = f" {t.unit}" if t.unit else ""
    yield f"   {t.name}: {t.what}"
    yield (
        f"   k = {k}: inertia {found.inertia:,.1f}{unit} in {found.iterations} iterations, "
        f"agreement {found.agreement:.3f}"
    )
    yield ""
    left = max(9, *(len(name) for name in t.class_names))
    row = f"     {{:<{left}}}  " + "{:>5}" * k
    yield row.format("", *(f"c{j}" for j in range(k)))
    for name, counts in zip(t.class_names, found.counts):
        yield row.format(name, *(c or "." for c in counts))
    yield row.format("size", *found.counts.sum(axis=0))
