"""Points in packed blocks, searched by the tile (docs/kernels.md, "Panels")."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clinfa._core import panels
from clinfa.spatial._tree import Tree
from clinfa.threads import Stripes, stripes

__all__ = ["MOST_NEIGHBOURS", "TILE", "Panels", "nearest_by_blocks"]

PANEL, TILE, GROUP = panels.PANEL_SIZE, panels.TILE_SIZE, panels.GROUP
MOST_NEIGHBOURS = 1000  # beyond, the lists of a tile's queries outgrow the cache
_BLOCK = 288  # points at most,
_LONG = 32  # and twice as many where there are so many columns: there small blocks are no easier to pass by
_WAIT = panels.MOST_WAITING
_RANGE = 1 << 20  # packed values at a time, where panels are not kept
_CALL = 64  # tiles; the kernel returns earlier where it had much to do


@dataclass(frozen=True)
class Panels:
    """Points of a matrix in blocks, each packed as the tile wants it, as seen from its own centre.

    Attributes
    ----------
    X : ndarray of shape (n, d), float32 or float64
    names : ndarray, int32
        Rows of X, block after block.
    starts : ndarray of shape (n_blocks + 1,), int64
        Where each block begins in `names`.
    first : ndarray of shape (n_blocks,), int32
        The least row in every block.
    centres : ndarray of shape (n_groups, d, GROUP)
        Means of the blocks, in lanes.
    radii : ndarray of shape (n_blocks,)
    panel : ndarray of shape (n_blocks, height, d, PANEL), float32
        Points less their block's centre, times `scale`.
    half_sq : ndarray of shape (n_blocks, height * PANEL), float32
        Half their squared norms; infinite in the padding.
    scale : float
        A power of two.
    """

    X: np.ndarray
    names: np.ndarray
    starts: np.ndarray
    first: np.ndarray
    centres: np.ndarray
    radii: np.ndarray
    panel: np.ndarray
    half_sq: np.ndarray
    scale: float

    @property
    def noise(self) -> float:
        """What rounding may do to a squared distance, relative to the squared norms."""
        return (self.X.shape[1] + 8) * 2.0**-24

    @classmethod
    def build(
        cls, X: np.ndarray, names: np.ndarray, starts: np.ndarray, scale: float | None = None
    ) -> Panels:
        """Pack blocks of rows; `scale` is that of `scale_of` unless given, as for parts of X."""
        d, blocks = X.shape[1], len(starts) - 1
        scale = scale_of(X) if scale is None else scale
        height = -(-int(np.diff(starts).max()) // PANEL)
        centres, radii = np.zeros((-(-blocks // GROUP), d, GROUP), X.dtype), np.empty(blocks)
        panel = np.empty((blocks, height, d, PANEL), np.float32)
        half_sq = np.empty((blocks, height * PANEL), np.float32)
        first = np.minimum.reduceat(names, starts[:-1])
        self = cls(X, names, starts, first, centres, radii, panel, half_sq, scale)
        cut = stripes(blocks, 4.0 * len(names) / blocks * d)
        cut.run(
            lambda cursor, limit, slot: panels.pack_blocks(
                *(X, names, starts, scale, self.noise, cut.bounds, cursor, limit),
                *(centres, radii, panel, half_sq),
            )
        )
        return self

    @classmethod
    def of_tree(cls, X: np.ndarray, tree: Tree) -> Panels:
        """Blocks of neighbouring leaves of the tree over X."""
        leaves, join, most = len(tree.names), 1, _BLOCK if tree.d < _LONG else 2 * _BLOCK
        while join < leaves and -(-tree.n * 2 * join // leaves) <= most:
            join *= 2
        starts = np.arange(0, leaves + 1, join, dtype=np.int64) * tree.n // leaves
        return cls.build(X, tree.rows, starts)

    def put_nearest(self, Q: np.ndarray, far: np.ndarray, nearest: np.ndarray, turn: np.ndarray) -> None:
        """Put the points of the blocks among the k nearest that are known of each query.

        Parameters
        ----------
        Q : ndarray of shape (m, d), of the type of X
        far : ndarray of shape (m, k)
            Squared distances, ascending; infinite where there are none yet. Changed in place.
        nearest : ndarray of shape (m, k), int64
            The rows; greater than all others where there are none yet. Changed in place.
        turn : ndarray, int32
            Which queries, in the order in which they go into tiles: those of a tile had better lie near one
            another.
        """
        d, blocks, points = self.X.shape[1], len(self.starts) - 1, self.half_sq.shape[1]
        tiles = -(-len(turn) // TILE)
        room = points + _WAIT
        after, last = np.full(tiles, -np.inf), np.full(tiles, -1, np.int32)
        todo = np.arange(tiles)
        width = Stripes(np.arange(tiles + 1), _CALL).width()
        values = np.empty((width, (TILE + 1) * d + 16), self.X.dtype)
        floats = np.empty((width, TILE * (d + 2 * points + room) + 32), np.float32)
        integers = np.empty((width, TILE * (2 * points + room) + 32), np.int32)
        keys, heap = np.empty((width, blocks + 16)), np.empty((width, blocks + 32), np.int32)
        while len(todo):
            # (Where a tile takes long the kernel leaves it, to go on in the next round.)
            cut = Stripes(np.arange(len(todo) + 1), _CALL, min(width, len(todo)))
            cut.run(
                lambda cursor, limit, slot, todo=todo: panels.nearest_pass(
                    *(self.X, self.names, self.starts, self.first, self.centres, self.radii, self.panel),
                    *(self.half_sq, self.scale, self.noise, Q, turn, todo, cursor, limit),
                    *(values, floats, integers, keys, heap, room, slot, after, last, far, nearest),
                )
            )
            todo = todo[after[todo] < np.inf]


def scale_of(X: np.ndarray) -> float:
    """The power of two that brings values into the middle of what single precision can hold."""
    top = max(float(X.max(initial=0)), -float(X.min(initial=0)))
    return float(np.ldexp(1.0, 20 - int(np.frexp(top)[1])))


def nearest_by_blocks(X: np.ndarray, Q: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Squared distances and rows of the k nearest, with no more memory than a few blocks take.

    Parameters
    ----------
    X, Q : ndarray of shape (n, d) and (m, d), of one type, C-contiguous, finite
    k : int
        At most n.
    """
    far, nearest = np.full((len(Q), k), np.inf), np.full((len(Q), k), np.iinfo(np.int32).max, np.int64)
    turn, names = np.arange(len(Q), dtype=np.int32), np.arange(len(X), dtype=np.int32)
    step, scale = max(_BLOCK * GROUP, _RANGE // X.shape[1] // _BLOCK * _BLOCK), scale_of(X)
    for begin in range(0, len(X), step):
        part = names[begin : begin + step]
        starts = np.append(np.arange(0, len(part), _BLOCK), len(part))
        Panels.build(X, part, starts, scale).put_nearest(Q, far, nearest, turn)
    return far, nearest
