"""The report of precision, recall and F by class: its numbers, as a dictionary, as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from clinfa.metrics._averages import score_classes
from clinfa.metrics._counts import Counts

_SCORES = ("precision", "recall", "f-score")
_HEADINGS = ("precision", "recall", "f1-score", "support")


class Report(NamedTuple):
    """Lines of (name, precision, recall, F1, support): those of classes and those of averages."""

    classes: list[tuple]
    averages: list[tuple]

    def as_dict(self) -> dict[str, Any]:
        """By name, then by score; accuracy is one number."""
        lines = {
            name: dict(zip(_HEADINGS, map(float, scores))) for name, *scores in self.classes + self.averages
        }
        if "accuracy" in lines:
            lines["accuracy"] = lines["accuracy"]["precision"]
        return lines

    def as_text(self, digits: int) -> str:
        """Columns as in scikit-learn's report."""
        width = max([len(name) for name, *_ in self.classes] + [len("weighted avg"), digits])

        def line(name: str, scores: Sequence[Any], support: Any) -> str:
            cells = [score if isinstance(score, str) else f"{score:.{digits}f}" for score in scores]
            return f"{name:>{width}} " + "".join(f" {cell:>9}" for cell in [*cells, support])

        text = [line("", _HEADINGS[:3], "support"), ""]
        text += [line(name, scores, support) for name, *scores, support in self.classes]
        text.append("")
        for name, *scores, support in self.averages:
            scores = ["", "", scores[2]] if name == "accuracy" else scores
            text.append(line(name, scores, support))
        return "\n".join(text) + "\n"


def report_of(
    counts: Counts,
    names: Sequence[str],
    *,
    all_labels: bool,
    zero_division: Any,
    rows: tuple[Counts, np.ndarray] | None = None,
) -> Report:
    """The numbers of a report.

    Parameters
    ----------
    counts : Counts
    names : sequence of str
        What to call the classes.
    all_labels : bool
        Whether every row's only label is among these: then the micro average is the accuracy.
    zero_division : {"warn", 0.0, 1.0, nan}
    rows : (Counts, ndarray) or None
        Counts by row of indicator matrices and the weights of rows, for the average over rows.
    """

    def scores(some: Counts, average: str | None, weights: np.ndarray | None = None) -> list[Any]:
        return [
            score_classes(
                *(metric, some.hits, some.truth, some.prediction),
                average=average,
                zero_division=zero_division,
                warn=average in (None, "samples"),  # once is enough
                weights=weights,
                stacklevel=5,
            )
            for metric in _SCORES
        ]

    support = counts.truth.sum()
    averages = [
        (
            "accuracy" if average == "micro" and all_labels else f"{average} avg",
            *scores(counts, average),
            support,
        )
        for average in ("micro", "macro", "weighted")
    ]
    if rows is not None:
        by_row, weights = rows
        averages.append(
            ("samples avg", *scores(by_row, "samples", weights if len(weights) else None), support)
        )
    return Report(list(zip(map(str, names), *scores(counts, None), counts.truth)), averages)
