"""What models say of records that they have not seen, as attributes of a forest or a bag."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["ClassesOutOfBag", "OutOfBag", "ValuesOutOfBag", "counted"]


def counted(weights: np.ndarray) -> Any:
    """Which records scores are taken of: those that weigh anything, as if the others were not there."""
    return weights > 0 if len(weights) else slice(None)


class OutOfBag:
    """A fit leaves ``_oob``: the score and what was said, or None."""

    def _out_of_bag_part(self, part: int, name: str) -> Any:
        found = self.__dict__.get("_oob")
        if found is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return found[part]

    @property
    def oob_score_(self) -> float:
        """How well records are told by the models that have not seen them; with `oob_score`."""
        return self._out_of_bag_part(0, "oob_score_")


class ClassesOutOfBag(OutOfBag):
    """Of a classifier."""

    @property
    def oob_decision_function_(self) -> np.ndarray:
        """The mean probabilities from models that have not seen a record; with `oob_score`."""
        return self._out_of_bag_part(1, "oob_decision_function_")


class ValuesOutOfBag(OutOfBag):
    """Of a regressor."""

    @property
    def oob_prediction_(self) -> np.ndarray:
        """The mean predictions of models that have not seen a record; with `oob_score`."""
        return self._out_of_bag_part(1, "oob_prediction_")
