"""A square of numbers with labels on both sides, as text and as HTML."""

from __future__ import annotations

from html import escape

import numpy as np

_MOST = 16  # classes that are shown; of more, the first and the last half
_WIDEST = 20  # characters of a label
_CORNER = "truth \\ prediction"


def text_table(counts: np.ndarray, labels: np.ndarray) -> str:
    """Columns aligned to the right; long labels and wide tables are cut."""
    names, rows = _cells(counts, labels)
    first = max(map(len, [_CORNER, *names]))
    widths = [max(map(len, column)) for column in zip(names, *rows)]
    lines = [
        f"{name:<{first}}  " + "  ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths))
        for name, cells in zip([_CORNER, *names], [names, *rows])
    ]
    return "\n".join(lines)


def html_table(counts: np.ndarray, labels: np.ndarray) -> str:
    """The same as a table of a notebook."""
    names, rows = _cells(counts, labels)
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        f"<tr><th>{escape(name)}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
        for name, cells in zip(names, rows)
    )
    return f"<table><thead><tr><th>{_CORNER}</th>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cells(counts: np.ndarray, labels: np.ndarray) -> tuple[list[str], list[list[str]]]:
    k = len(labels)
    half = _MOST // 2
    shown = list(range(k)) if k <= _MOST else [*range(half), None, *range(k - half, k)]
    names = ["..." if i is None else short_name(labels[i]) for i in shown]
    return names, [["..." if i is None or j is None else _number(counts[i, j]) for j in shown] for i in shown]


def short_name(label: object) -> str:
    """A label in one short line."""
    text = " ".join(str(label).split())
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."


def _number(value: np.generic) -> str:
    return str(value) if value.dtype.kind == "i" else f"{value:.6g}"
