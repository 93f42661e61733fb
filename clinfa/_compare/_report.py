"""The report as text: aligned columns, units, no more than was found."""

from __future__ import annotations

import statistics
import textwrap
from typing import Any

_WIDTH = 100


def told(report: dict[str, Any]) -> str:
    """What `run` found, to read."""
    labels = list(report["versions"])
    params = ", ".join(f"{name}={value!r}" for name, value in report["params"].items())
    versions = " and ".join(f"{name} {version}" for name, version in report["versions"].items())
    lines = [
        f"{report['estimator']}({params})",
        f"on {_data(report['data'])}",
        f"{versions}, {_count(report['cores'], 'core')}, median of {_count(report['rounds'], 'round')}",
        "",
    ]
    rows: list[tuple[str, ...]] = [("", *labels, "times as long")]
    rows += [("time",)]
    for name, by in report["seconds"].items():
        middle = [statistics.median(by[label]) for label in labels]
        rows.append((f"  {name}", *map(seconds, middle), _ratio(*middle)))
    rows += [("peak memory, above the data",)]
    for name, by in report["peak memory"].items():
        rows.append((f"  {name}", *(memory(by[label]) for label in labels)))
    if report["quality"]:
        rows += [("quality",)]
        for name, by in report["quality"].items():
            rows.append((f"  {name}", *(_number(by[label]) for label in labels)))
    lines += _aligned(rows)
    if report["agreement"]:
        how = f", {report['agreement is of']}" if report["agreement is of"] else ""
        lines += [f"agreement{how}"]
        lines += _aligned(
            [(f"  {name}", _agreed(entry)) for name, entry in report["agreement"].items()], left=True
        )
    if report["notes"]:
        lines.append("")
        for note in report["notes"]:
            lines += textwrap.wrap(note, _WIDTH, subsequent_indent="  ")
    return "\n".join(lines)


def _data(data: dict[str, Any]) -> str:
    held = data["rows held out"]
    rows = f"{data['rows']:,} rows to fit and {held:,} to predict" if held else f"{data['rows']:,} rows"
    target = f", target {data['target']!r}" if data["target"] else ""
    return f"{data['name']}: {rows}, {_count(data['columns'], 'column')}, {data['dtype']}{target}"


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _aligned(rows: list[tuple[str, ...]], left: bool = False) -> list[str]:
    """Columns as wide as what is in them: the first to the left, the others to the right or left."""
    columns = max(map(len, rows))
    widths = [
        max((len(row[i]) for row in rows if i < len(row) and len(row) > 1), default=0) for i in range(columns)
    ]
    out = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [
            cell.ljust(w) if left else cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=False)
        ]
        out.append("   ".join(cells).rstrip())
    return out


def seconds(value: float) -> str:
    """A time with its unit, to three digits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if value >= size:
            return f"{_three(value / size)} {unit}"
    return f"{_three(value / 1e-6)} µs"


def memory(value: int | None) -> str:
    """Bytes in MB, which is as fine as pages let them be seen."""
    if value is None:
        return "not told"
    mb = value / 1e6
    return "< 0.1 MB" if mb < 0.1 else f"{mb:,.1f} MB"


def _three(value: float) -> str:
    return f"{value:.{max(0, 2 - len(str(int(value))) + 1)}f}"


def _ratio(ours: float, theirs: float) -> str:
    return f"{theirs / ours:.1f}" if theirs >= ours else f"{theirs / ours:.2f}"


def _number(value: Any) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.6g}"


def _agreed(entry: dict[str, Any]) -> str:
    what, value = entry["what"], entry["value"]
    if what == "shapes":
        return f"shapes differ: {value}"
    if what == "share equal":
        return "all equal" if value == 1 else f"{100 * value:.4g} % equal"
    if what == "adjusted Rand":
        return "the same clusters (adjusted Rand 1)" if value == 1 else f"adjusted Rand {value:.4f}"
    return "equal" if value == 0 else f"differ by {value:.1e} of the greatest value"
