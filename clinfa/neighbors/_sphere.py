"""Places on a sphere, searched as points of three dimensions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clinfa.arrays import Table
from clinfa.neighbors._search import Found, Search
from clinfa.spatial import Tree

__all__ = ["Sphere"]

_SLACK = 4e-15  # more than chords and arcs, as computed, ever disagree by on a sphere of radius 1
_MOST = 16.0  # differences of larger angles lose digits that the points keep


@dataclass(frozen=True)
class Sphere(Search):
    """Arcs grow with chords: a tree of points finds candidates, whose arcs (haversines) decide."""

    places: np.ndarray  # (n, 2)  latitude and longitude in radians
    tree: Tree

    @classmethod
    def of(cls, places: np.ndarray) -> Sphere | None:
        """None where angles are too large for chords to be trusted."""
        if abs(places).max() > _MOST:
            return None
        places = places.astype(float)
        return cls(places, Tree.build(_points(places)))

    def _nearest(self, Q: Table | None, k: int) -> tuple[np.ndarray, np.ndarray]:
        places = self.places if Q is None else Q.rows(np.arange(Q.n)).astype(float)
        chords, _ = self.tree.nearest(_points(places), k)
        begin, rows, arcs = self._candidates(places, chords[:, -1])
        order = np.lexsort((rows, arcs, np.repeat(np.arange(len(places)), np.diff(begin))))
        first = order[begin[:-1, None] + np.arange(k)]
        return arcs[first], rows[first]

    def _within(self, Q: Table | None, radius: float | np.ndarray) -> Found:
        places = self.places if Q is None else Q.rows(np.arange(Q.n)).astype(float)
        radius = np.broadcast_to(np.asarray(radius, float), len(places))
        begin, rows, arcs = self._candidates(places, 2 * np.sin(np.minimum(radius, np.pi) / 2))
        near = arcs <= np.repeat(radius, np.diff(begin))
        return np.append(0, np.cumsum(near))[begin], rows[near], arcs[near]

    def _candidates(self, places: np.ndarray, chords: np.ndarray) -> Found:
        begin, rows, _ = self.tree.within(_points(places), chords + _SLACK)
        query = np.repeat(places, np.diff(begin), axis=0)
        half = np.sin((query - self.places[rows]) / 2) ** 2
        level = np.cos(query[:, 0]) * np.cos(self.places[rows, 0])
        return begin, rows, 2 * np.arcsin(np.sqrt(np.clip(half[:, 0] + level * half[:, 1], 0, 1)))


def _points(places: np.ndarray) -> np.ndarray:
    latitude, longitude = places.T
    level = np.cos(latitude)
    return np.stack([level * np.cos(longitude), level * np.sin(longitude), np.sin(latitude)], axis=1)
