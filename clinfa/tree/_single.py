"""What a single tree offers, whatever it predicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from clinfa.arrays import Table
from clinfa.growing.bags import positive
from clinfa.growing.grow import grow
from clinfa.growing.growth import Rules, Targets
from clinfa.growing.learners import Grown
from clinfa.growing.prune import pruned, pruning_path
from clinfa.growing.ranks import Ranks
from clinfa.growing.trees import Tree, Trees
from clinfa.params import fitted
from clinfa.rng import generator, seeds

__all__ = ["PruningPath", "Single", "TreeFit"]


@dataclass(frozen=True, slots=True)
class TreeFit:
    """What fitting found."""

    tree: Tree
    max_features: int
    _trees: Trees


class PruningPath(NamedTuple):
    """From each alpha on, what impurity the leaves have."""

    ccp_alphas: np.ndarray
    impurities: np.ndarray

    def __getitem__(self, key: Any) -> Any:
        return getattr(self, key) if isinstance(key, str) else tuple.__getitem__(self, key)


class Single(Grown):
    """A single tree."""

    tree_: Tree = fitted()
    max_features_: int = fitted()

    @property
    def _random(self) -> bool:
        return self.splitter == "random"

    def _grown(self, table: Table, targets: Targets, weights: np.ndarray, alpha: float) -> TreeFit:
        ranks, rules = self._prepare(table, targets, self.criterion)
        return self._grown_on(ranks, rules, targets, weights, alpha)

    def _grown_on(
        self, ranks: Ranks, rules: Rules, targets: Targets, weights: np.ndarray, alpha: float
    ) -> TreeFit:
        return self._grown_from(ranks, rules, targets, *positive(weights, ranks.n), alpha)

    def _grown_from(
        self,
        ranks: Ranks,
        rules: Rules,
        targets: Targets,
        rows: np.ndarray,
        own: np.ndarray | None,
        alpha: float,
    ) -> TreeFit:
        """On some records and their weights, none of them zero."""
        drawn = rules.random or rules.max_features < ranks.d
        given = self.random_state
        if drawn and not isinstance(given, int | np.integer):
            seed = seeds(generator(given), 1)
        else:  # as it is: a tree of a forest has such a seed, too, and can be grown again by it
            seed = np.array([given if drawn else 0], np.uint64)
        trees = grow(ranks, targets, rules, seed, lambda _: (rows, own), len(rows))
        if alpha > 0:
            trees = pruned(trees[0], alpha).together
        return TreeFit(trees[0], rules.max_features, trees)

    def _path(self, X: Any, y: Any, sample_weight: Any) -> PruningPath:
        whole = type(self)(**self.get_params(deep=False) | {"ccp_alpha": 0.0})
        return PruningPath(*pruning_path(whole.fit(X, y, sample_weight).tree_))

    @property
    def feature_importances_(self) -> np.ndarray:
        """By how much splits on each column lower the impurity, as shares of the whole."""
        self._check_fitted()
        return self.tree_.compute_feature_importances()

    def get_depth(self) -> int:
        """The depth of the tree: the greatest number of splits on the way to a leaf."""
        self._check_fitted()
        return self.tree_.max_depth

    def get_n_leaves(self) -> int:
        """The number of leaves."""
        self._check_fitted()
        return self.tree_.n_leaves

    def apply(self, X: Any) -> np.ndarray:
        """The number of the leaf that each record ends in.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        leaves : ndarray of shape (n_samples,), int64

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `predict`.
        """
        table = self._read_new(X)
        return self._trees.leaves(table.X)[:, 0].astype(np.int64)

    def decision_path(self, X: Any) -> Any:
        """The nodes that each record passes.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        indicator : scipy.sparse.csr_matrix of shape (n_samples, n_nodes)
            1 where a record passes a node.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `predict`.
        """
        table = self._read_new(X)
        return self._trees.paths(table.X)[0]
