"""What all forests share."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from clinfa.arrays import Table
from clinfa.ensemble._collection import Collection
from clinfa.errors import outside
from clinfa.growing.bags import Bags, positive
from clinfa.growing.categories import Categories
from clinfa.growing.grow import grow
from clinfa.growing.growth import Rules, Targets
from clinfa.growing.learners import Grown
from clinfa.growing.prune import pruned
from clinfa.growing.ranks import Ranks
from clinfa.growing.settings import columns_of
from clinfa.growing.trees import Tree, Trees
from clinfa.many import share
from clinfa.params import at_least, between, boolean, function, none, param, shown, verbosity
from clinfa.reports import reporter
from clinfa.rng import generator, seeds
from clinfa.threads import jobs

if TYPE_CHECKING:
    from clinfa.ensemble._quantiles import LeafTargets
    from clinfa.tree._single import Single

__all__ = ["Forest", "ForestFit", "warn_of_unseen"]

_REPORTED = 10  # growing is reported in so many steps
_SEEDS = 0xFFFFFFFF  # what a tree's own random_state may be


@dataclass(frozen=True, slots=True)
class ForestFit:
    """What fitting found."""

    _trees: Trees
    _seeds: np.ndarray  # (trees,) uint64
    _bags: Bags | None  # None where every tree saw all records
    _n_samples: int
    _oob: tuple[float, np.ndarray] | None = None
    _held: LeafTargets | None = None  # what quantiles are read from


class Forest(Collection, Grown):
    """Many trees, each grown on a sample of its own.

    A concrete class writes ``_tree()``, the class of the trees, and ``_learned(tree)``, what one of them has
    learned beside what all have.
    """

    _splitter: ClassVar[str] = "best"

    @property
    def _random(self) -> bool:
        return self._splitter == "random"

    n_estimators: int = param(100, at_least(1), positional=True)
    bootstrap: bool = param(True, boolean())
    oob_score: Any = param(False, boolean() | function())
    n_jobs: int | None = param(None, at_least(-(2**31)) | none())
    verbose: int = param(0, verbosity())
    warm_start: bool = param(False, boolean())
    max_samples: int | float | None = param(None, at_least(1) | between(0, closed="neither") | none())

    def _means(self, table: Table) -> np.ndarray:
        with share(self.n_jobs):
            return super()._means(table)

    def _grown(
        self,
        table: Table,
        targets: Targets,
        weights: np.ndarray,
        balance: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
    ) -> ForestFit:
        """Trees that are there already are kept with `warm_start`.

        `balance` turns records and how often they were drawn into weights.
        """
        if not self.bootstrap and self.max_samples is not None:
            raise ValueError(
                f"`max_sample` cannot be set if `bootstrap=False`. Either switch to `bootstrap=True` or set "
                f"`max_sample=None`. Got max_samples={shown(self.max_samples)}."
            )
        if not self.bootstrap and self.oob_score is not False:
            raise ValueError(
                f"Out of bag estimation only available if bootstrap=True. "
                f"Got oob_score={shown(self.oob_score)}."
            )
        before = self._trees if self.warm_start and "_trees" in self.__dict__ else None
        known = 0 if before is None else len(before)
        if self.n_estimators < known:
            raise ValueError(
                f"n_estimators={self.n_estimators} must be larger or equal to len(estimators_)={known} when "
                f"warm_start==True"
            )
        if before is not None and (
            before.n_features != table.d or not np.array_equal(before.n_classes, targets.n_classes)
        ):
            raise ValueError(
                f"With warm_start=True the data must have the columns and classes of the first fit: "
                f"{before.n_features} columns and {before.n_classes.tolist()} classes by target, got "
                f"{table.d} and {targets.n_classes.tolist()}."
            )
        if before is not None and self.n_estimators == known:
            warnings.warn(
                "Warm-start fitting without increasing n_estimators does not fit new trees.",
                stacklevel=outside(),
            )
            return ForestFit(before, self._seeds, self._bags, table.n)
        own = seeds(generator(self.random_state), self.n_estimators) & np.uint64(_SEEDS)
        if before is not None:
            own[:known] = self._seeds
        with share(self.n_jobs):
            ranks, rules = self._prepare(table, targets, self.criterion)
            if before is not None:
                _check_categories(before.sets and before.sets.categories, ranks.categories)
            bags = Bags.of(table, targets.y, weights, self.max_samples) if self.bootstrap else None
            trees = self._grow_all(ranks, targets, rules, bags, weights, own[known:], balance)
        if self.ccp_alpha > 0:
            cut = (pruned(tree, float(self.ccp_alpha)).together for tree in trees)
            trees = Trees.joined(cut, len(trees))
        if before is not None:
            both = [before, trees]
            if before.kind != trees.kind:  # (with weights, or a criterion, of another kind)
                both = [some.spelt_out() for some in both]
            trees = Trees.joined(both, 2)
        return ForestFit(trees, own, bags, table.n)

    def _grow_all(
        self,
        ranks: Ranks,
        targets: Targets,
        rules: Rules,
        bags: Bags | None,
        weights: np.ndarray,
        own: np.ndarray,
        balance: Callable[[np.ndarray, np.ndarray], np.ndarray] | None,
    ) -> Trees:
        rows, given = positive(weights, ranks.n)

        def sample(seed: int) -> tuple[np.ndarray, np.ndarray | None]:
            if bags is None:
                return rows, given
            some, counts = bags.sample(seed)
            return some, counts if balance is None else balance(some, counts.astype(np.float64))

        report = reporter(self.verbose) if self.verbose else None
        step = len(own) if report is None else max(1, len(own) // _REPORTED)
        parts = []
        for i in range(0, len(own), step):
            parts.append(grow(ranks, targets, rules, own[i : i + step], sample, len(rows)))
            if report is not None:
                report("%d of %d trees", min(i + step, len(own)), len(own))
        return Trees.joined(parts, len(parts))

    def _out_of_bag(self, table: Table, found: ForestFit) -> tuple[np.ndarray, np.ndarray]:
        """Sums of what trees say of records that they have not seen, and how many trees that are."""
        trees, bags = found._trees, found._bags
        sums, seen = np.zeros((table.n, trees.values.shape[1])), np.zeros(table.n)

        def one(t: int) -> tuple[np.ndarray, np.ndarray]:
            rows = np.flatnonzero(bags.counts(int(found._seeds[t])) == 0)
            return rows, trees[t].together.means(table.part(rows).X)

        with share(self.n_jobs):
            for rows, values in jobs(one, range(len(trees))):
                sums[rows] += values
                seen[rows] += 1
        if not seen.all():
            warn_of_unseen()
        return sums, seen

    @property
    def feature_importances_(self) -> np.ndarray:
        """By how much splits on each column lower the impurity, as shares: the mean over the trees."""
        self._check_fitted()
        grown = [tree for tree in self._trees if tree.node_count > 1]
        if not grown:
            return np.zeros(self.n_features_in_)
        mean = np.mean([tree.compute_feature_importances() for tree in grown], axis=0)
        return mean / mean.sum() if mean.sum() > 0 else mean

    @property
    def estimator_(self) -> Single:
        """What the trees are: one of them, not fitted."""
        self._check_fitted()
        cls = self._tree()
        own = {name: getattr(self, name) for name in cls._rules.keys() & self._rules.keys()}
        if own.get("class_weight") == "balanced_subsample":
            own["class_weight"] = None
        return cls(**own | {"random_state": None})

    @property
    def estimators_(self) -> list[Single]:
        """The trees, as estimators; those of a classifier predict the codes of the classes."""
        if "_trees" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute 'estimators_'")
        return [self._estimator(tree, int(seed)) for tree, seed in zip(self._trees, self._seeds, strict=True)]

    def _estimator(self, tree: Tree, seed: int) -> Single:
        """One of the trees as an estimator."""
        out = self.estimator_
        out.random_state = seed
        out.__dict__.update(
            tree_=tree,
            _trees=tree.together,
            max_features_=columns_of(self.max_features, self.n_features_in_),
            n_outputs_=self.n_outputs_,
            n_features_in_=self.n_features_in_,
            **self._learned(tree),
        )
        return out

    @property
    def estimators_samples_(self) -> list[np.ndarray]:
        """The records that each tree grew on, as often as they were drawn."""
        self._check_fitted()
        if self._bags is None:
            return [np.arange(self._n_samples, dtype=np.int32) for _ in range(len(self._trees))]
        rows = np.arange(self._bags.n, dtype=np.int32)
        return [np.repeat(rows, self._bags.counts(int(seed))) for seed in self._seeds]

    def apply(self, X: Any) -> np.ndarray:
        """The number of the leaf that each record ends in, in each tree.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        leaves : ndarray of shape (n_samples, n_estimators), int64

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `predict`.
        """
        table = self._read_new(X)
        with share(self.n_jobs):
            return self._trees.leaves(table.X).astype(np.int64)

    def decision_path(self, X: Any) -> tuple[Any, np.ndarray]:
        """The nodes that each record passes, in all trees.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)

        Returns
        -------
        indicator : scipy.sparse.csr_matrix of shape (n_samples, n_nodes)
            1 where a record passes a node.
        n_nodes_ptr : ndarray of shape (n_estimators + 1,)
            Where the columns of each tree begin.

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `predict`.
        """
        table = self._read_new(X)
        with share(self.n_jobs):
            return self._trees.paths(table.X)

    def proximity(self, X: Any, Y: Any = None) -> np.ndarray:
        """In which share of the trees two records end in the same leaf.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n_samples, n_features)
        Y : array-like, dataframe, sparse matrix or Dataset of shape (n_others, n_features), optional
            X by default.

        Returns
        -------
        shares : ndarray of shape (n_samples, n_others)

        Raises
        ------
        NotFittedError, ValueError, TypeError
            As for `predict`.
        """
        first = self.apply(X)
        second = first if Y is None else self.apply(Y)
        return _same(first, second)


def _check_categories(before: Categories | None, now: Categories | None) -> None:
    """Raise ValueError where trees that are there know other categories than those that are to come."""
    if before is now is None or (before is not None and now is not None and before.same(now)):
        return
    raise ValueError(
        "With warm_start=True categorical_features, and the categories in those columns, must be those of "
        "the first fit: give it data in which all occur, or fit anew."
    )


def warn_of_unseen() -> None:
    """Some records were drawn for every tree."""
    warnings.warn(
        "Some inputs do not have OOB scores. This probably means too few trees were used to compute "
        "any reliable OOB estimates.",
        stacklevel=outside(),
    )


def _same(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The share of columns in which two rows agree."""
    out = np.zeros((len(first), len(second)))
    for a, b in zip(first.T, second.T, strict=True):
        out += a[:, None] == b
    return out / first.shape[1]
