"""What a dataset's targets and features are like: labels and how often they occur, correlations."""

from __future__ import annotations

from typing import Any

import numpy as np

from clinfa.arrays import read_table, read_weights
from clinfa.dataset._correlation import PearsonCorrelation, pearson
from clinfa.params import at_least, none
from clinfa.targets import read_labels_together

__all__ = ["Summaries"]


class Summaries:
    """The part of a `Dataset` that counts and correlates."""

    records: Any
    targets: Any
    weights: Any
    feature_names: list[str] | None
    n_samples: int
    n_features: int

    def labels(self) -> np.ndarray:
        """The labels that occur in any target, ascending."""
        return self._labels()[0]

    def label_count(self) -> list[dict[Any, int]]:
        """How often each label occurs, for each target."""
        classes, codes = self._labels()
        counts = [np.bincount(each, minlength=len(classes)) for each in codes]
        return [{c: int(n) for c, n in zip(classes.tolist(), each, strict=True) if n} for each in counts]

    def label_frequencies(self, mask: Any = None) -> dict[Any, float]:
        """The sum of weights of each label, over all targets.

        Parameters
        ----------
        mask : array-like of bool of shape (n_samples,), optional
            Which records count; all by default.
        """
        return dict(zip(self.labels().tolist(), self.frequencies(mask).tolist(), strict=True))

    def frequencies(self, mask: Any = None) -> np.ndarray:
        """The sum of weights of each of `labels`, over all targets: `label_frequencies` as an array."""
        classes, codes = self._labels()
        weights = np.ones(self.n_samples) if self.weights is None else np.asarray(self.weights, float)
        if mask is not None:
            mask = np.asarray(mask)
            if mask.dtype != bool or mask.shape != (self.n_samples,):
                raise ValueError(
                    f"mask must hold one bool for each of the {self.n_samples} records, got "
                    f"{mask.dtype} of shape {mask.shape}."
                )
            weights = np.where(mask, weights, 0)
        return sum((np.bincount(c, weights, len(classes)) for c in codes), np.zeros(len(classes)))

    def pearson_correlation(
        self, *, permutations: int | None = None, random_state: Any = None
    ) -> PearsonCorrelation:
        """Pearson's correlation between all pairs of features, with p-values.

        Parameters
        ----------
        permutations : int, optional
            Find p-values by so many random permutations. By default they are those of Student's t,
            which are right where features are normal.
        random_state : None, int, RandomState or Generator, default=None
            What permutations are drawn from.

        Returns
        -------
        PearsonCorrelation
            Coefficients are NaN where a feature is constant. Weights count as repetitions.

        References
        ----------
        .. [1] B. Phipson, G. K. Smyth, "Permutation P-values should never be zero", 2010.
        """
        (at_least(1) | none()).check("permutations", permutations, "Dataset.pearson_correlation")
        table = read_table(self.records, "pearson_correlation", role="records")
        weights = read_weights(self.weights, self.n_samples, "pearson_correlation")
        names = self.feature_names or [f"feature {j}" for j in range(self.n_features)]
        X = np.asarray(table.X, np.float64)
        return pearson(X, weights, list(names), permutations, random_state)

    def _targets(self) -> np.ndarray:
        if self.targets is None:
            raise ValueError("This dataset has no targets.")
        return self.targets if isinstance(self.targets, np.ndarray) else np.asarray(self.targets)

    def _labels(self) -> tuple[np.ndarray, list[np.ndarray]]:
        targets = self._targets()
        each = [targets] if targets.ndim == 1 else list(targets.T)
        return read_labels_together({f"targets[{j}]": t for j, t in enumerate(each)}, "labels")
