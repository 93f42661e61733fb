"""Markdown, picture and JSON of a run. Everything is made from the one raw dictionary."""

import json
import math
from collections.abc import Iterable
from pathlib import Path

from benchmarks import peers
from benchmarks.machine import limit_seconds

COLOURS = {
    "clinfa": "#d1495b",
    "clinfa-lloyd": "#e8998d",
    "sklearn": "#3f88c5",
    "sklearn-elkan": "#9cc5e8",
    "sklearnex": "#44bba4",
    "faiss": "#e9b44c",
    "superkmeans": "#8b6bb1",
    "linfa": "#6d6d6d",
}


def write(raw: dict, out: Path) -> list[Path]:
    """Write ``latest.md``, ``latest.json`` and ``latest.png`` into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    paths = [out / f"latest.{end}" for end in ("md", "json", "png")]
    paths[0].write_text(markdown(raw))
    paths[1].write_text(json.dumps(raw, indent=1) + "\n")
    picture(raw, paths[2])
    return paths


# --- what the raw figures say ---------------------------------------------------------------------


def finished(case: dict) -> dict[str, dict]:
    """Contenders that have a time."""
    return {name: c for name, c in case["contenders"].items() if c["status"] == "ok"}


def best_settings(case: dict) -> dict[str, tuple[str, dict]]:
    """The faster of "as is" and tuned, by contender: ``{"faiss": ("faiss@t", {...})}``."""
    best: dict[str, tuple[str, dict]] = {}
    for name, c in finished(case).items():
        plain = name.removesuffix(peers.TUNED)
        if plain not in best or c["median"] < best[plain][1]["median"]:
            best[plain] = name, c
    return best


def reference(case: dict) -> str | None:
    """Who the others are compared with: clinfa, or the fastest where clinfa has no time."""
    done = finished(case)
    if "clinfa" in done:
        return "clinfa"
    return min(done, key=lambda name: done[name]["median"], default=None)


def excess(case: dict, c: dict) -> float:
    """Relative distance of a quality figure from the best of the case."""
    best = min(other["quality"] for other in finished(case).values())
    return c["quality"] / best - 1.0 if best > 0 else c["quality"]


def limit_percent(case: dict, c: dict, limits: dict) -> float | None:
    """Share of the machine's limit; over 100 where a method skips work that the limit counts."""
    if case["flops"] is None:
        return None
    seconds = limit_seconds(limits, case["dtype"], case["flops"], case["bytes"], case["resident_bytes"])
    return 100.0 * seconds / c["median"]


# --- Markdown -------------------------------------------------------------------------------------


def markdown(raw: dict) -> str:
    """The whole report."""
    groups: dict[str, list[dict]] = {}
    for case in raw["cases"]:
        groups.setdefault(case["group"], []).append(case)
    parts = ["# clinfa and its peers, measured", _setting(raw), "![times](latest.png)"]
    parts += ["## Summary", _summary(raw["cases"])]
    for group, cases in groups.items():
        parts += [f"## {group}", _group(cases, raw["limits"]), _notes(cases)]
    parts += ["## How it was measured", HOW]
    return "\n\n".join(part for part in parts if part) + "\n"


HOW = """\
- Every contender has a process of its own per case, kept alive and warmed up once on the true
  data; then the contenders take turns, round by round, one at work at a time. Time: median over
  the rounds. All have the same two threads.
- Other work on the machine: a turn waits for the machine to be idle, and is repeated (twice at
  most) while other processes took over a tenth of a core during the call. ~ marks a time most of
  whose rounds were disturbed all the same: read its minimum.
- `@t`: the peer with the AVX-512 kernels of its OpenBLAS (`OPENBLAS_CORETYPE=SkylakeX`), which its
  wheel may not pick by itself.
- Quality is recomputed for all by one float64 function from what they return (for k-means: the sum
  of squared distances to the nearest centre), never the library's own figure; the column shows how
  far it is above the best ("best": within 1e-7). ¹ marks more than 0.1 %, or more than
  what a case's note says.
- Memory: the most that the process held during a call, over what it held with the data loaded and
  the library imported.
- Limit: the larger of flops / GEMM speed and bytes / read speed, both measured at the start of the
  run, for as many plain iterations as the case needs (the fewest that a contender told); over 100 %
  means that a method skipped work.
- It.: iterations that the contender tells to have done; with `tol=0` only strict convergence ends a
  fit early. For trees: nodes, of all trees."""


def _setting(raw: dict) -> str:
    m, options, limits = raw["machine"], raw["options"], raw["limits"]
    versions = ", ".join(f"{name} {version}" for name, version in raw["versions"].items())
    gemm = " / ".join(f"{limits['gemm_gflops'][t]:.0f}" for t in ("float64", "float32"))
    read = ", ".join(f"{gbs:.0f} ({mib} MiB)" for mib, gbs in limits["read_gbs"].items())
    load = m["load_average_at_start"][0]
    lines = [
        f"{m['when']}. {m['cpu']} (family {'/'.join(map(str, m['cpu_family_model']))}), "
        f"{m['isa']}, {m['cores_used']} of {m['cores_visible']} cores, L3 {m['l3']}, "
        f"{m['memory_mib'] / 1024:.0f} GiB; load {load:.1f} at the start.",
        f"Python {m['python']}, {versions}.",
        f"Machine limits: GEMM {gemm} GFLOP/s (double / single), reading {read} GB/s."
        + " **Others were busy meanwhile: too low.**" * limits.get("disturbed", False),
        f"{options['rounds']} rounds" + (f", scale {options['scale']:g}: **a smoke test, not a "
        "measurement**." if options["scale"] != 1 else "."),
    ]  # fmt: skip
    return "\n".join(lines)


def _summary(cases: list[dict]) -> str:
    """Times slower than the reference, peer by peer, each at its faster setting."""
    columns = list(dict.fromkeys(name for case in cases for name in best_settings(case)))
    columns = [name for name in columns if not name.startswith("clinfa")]
    rows, ratios = [], {name: [] for name in columns}
    for case in cases:
        base, best = reference(case), best_settings(case)
        if base is None:
            continue
        unit = finished(case)[base]["median"]
        rivals = {name: c["median"] for name, (_, c) in best.items() if name in columns}
        fastest = min(rivals, key=rivals.get, default=None)
        cells = []
        for name in columns:
            if name not in rivals:
                cells.append("")
                continue
            if base == "clinfa":
                ratios[name].append(rivals[name] / unit)
            text = f"{rivals[name] / unit:.2f}×" + _mark(case, best[name][1])
            cells.append(f"**{text}**" if name == fastest else text)
        rows.append([case["name"], f"{base} {_seconds(unit)}", *cells])
    if any(ratios.values()):
        means = [f"{_geometric(ratios[n]):.2f}×" if ratios[n] else "" for n in columns]
        rows.append(["geometric mean", "", *means])
    intro = (
        "Times slower than the reference (clinfa, or the fastest contender where clinfa has no "
        "time), each peer at the faster of its settings; the fastest peer in bold; ¹ quality over "
        "0.1 % worse than the best of the case, or over what the case's note says."
    )
    return intro + "\n\n" + _table(["case", "reference", *columns], rows)


def _group(cases: list[dict], limits: dict) -> str:
    rows = []
    for case in cases:
        base, done = reference(case), finished(case)
        for i, (name, c) in enumerate(sorted(done.items(), key=lambda item: item[1]["median"])):
            percent = limit_percent(case, c, limits)
            rows.append(
                [
                    case["name"] if i == 0 else "",
                    f"**{name}**" if name.startswith("clinfa") else name,
                    _seconds(c["median"]) + noise(c),
                    _seconds(c["min"]),
                    f"{c['median'] / done[base]['median']:.2f}×",
                    _quality(case, c),
                    "" if c["iterations"] is None else str(c["iterations"]),
                    "" if c["peak_mib"] is None else f"{c['peak_mib']:.0f}",
                    "" if percent is None else f"{percent:.0f} %",
                ]
            )
    head = ["case", "contender", "median", "min", f"vs {base}" if len(cases) == 1 else "ratio",
            "quality", "it.", "MiB", "of limit"]  # fmt: skip
    return _table(head, rows)


def _notes(cases: list[dict]) -> str:
    """Footnotes: of the cases, of the contenders, and who is missing and why."""
    lines = [f"- {case['name']}: {case['note']}." for case in cases if case["note"]]
    notes = {n: text for case in cases for n, text in case["contender_notes"].items() if text}
    ran = {name.removesuffix(peers.TUNED) for case in cases for name in case["contenders"]}
    lines += [f"- {name}: {text}" for name, text in notes.items() if name in ran]
    missing: dict[tuple[str, str, str], list[str]] = {}
    for case in cases:
        for name, c in case["contenders"].items():
            if c["status"] not in ("ok", "same"):
                missing.setdefault((name, c["status"], c["reason"]), []).append(case["name"])
    for (name, status, reason), where in missing.items():
        lines.append(f"- {name}: {status} in {', '.join(where)}: {reason}")
    same = {c["reason"] for case in cases for c in case["contenders"].values()
            if c["status"] == "same"}  # fmt: skip
    return "\n".join(lines + [f"- {reason}." for reason in sorted(same)])


def _quality(case: dict, c: dict) -> str:
    worse = excess(case, c)
    return "best" if worse < 1e-7 else f"+{100 * worse:.5f} %{_mark(case, c)}"


def noise(c: dict) -> str:
    """A mark for a time most of whose rounds others on the machine disturbed."""
    return "~" if sum(c["disturbed"]) > len(c["disturbed"]) / 2 else ""


def _mark(case: dict, c: dict) -> str:
    return "¹" if excess(case, c) > case["leeway"] else ""


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    align = ["---", "---"] + ["---:"] * (len(head) - 2)
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, align, *rows])


def _seconds(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def _geometric(values: list[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))


# --- picture --------------------------------------------------------------------------------------


def picture(raw: dict, path: Path) -> None:
    """Horizontal bars by case, each peer at its faster setting, on a logarithmic axis."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    cases = [case for case in raw["cases"] if finished(case)]
    columns = _two_columns(cases)
    slots = max((sum(_height(case) for case in column) for column in columns), default=1.0)
    size = (8.0 * len(columns), 0.21 * slots + 1.6)
    figure, axes = plt.subplots(1, len(columns), figsize=size, squeeze=False, sharex=True)
    for axis, column in zip(axes[0], columns, strict=True):
        _bars(axis, column, slots)
    times = [c["median"] for case in cases for _, c in best_settings(case).values()]
    axes[0][0].set_xlim(min(times, default=1.0) / 2, max(times, default=1.0) * 12)  # and the text
    names = dict.fromkeys(name for case in cases for name in best_settings(case))
    handles = [plt.Rectangle((0, 0), 1, 1, color=COLOURS.get(name, "black")) for name in names]
    m = raw["machine"]
    figure.suptitle(
        f"Time of one fit (or what the case says), median of {raw['options']['rounds']} rounds; "
        f"shorter is better\n{m['cpu']}, {m['isa']}, {m['cores_used']} threads, {m['when'][:10]}"
    )
    inches, across = size[1], 4 * len(columns)
    figure.legend(
        handles, names, loc="upper center", ncols=across, frameon=False,
        bbox_to_anchor=(0.5, 1 - 0.5 / inches),
    )  # fmt: skip
    header = 0.6 + 0.25 * math.ceil(len(handles) / across)
    figure.tight_layout()
    figure.subplots_adjust(top=1 - header / inches)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _height(case: dict) -> float:
    return len(best_settings(case)) + 1.8  # a bar each, and the title


def _two_columns(cases: list[dict]) -> list[list[dict]]:
    """Cut the list where both halves are about equally tall; one column when it is short."""
    total, seen = sum(map(_height, cases)), 0.0
    if total < 30:
        return [cases]
    for i, case in enumerate(cases):
        seen += _height(case)
        if seen >= total / 2:
            return [cases[: i + 1], cases[i + 1 :]]
    return [cases]


def _bars(axis, cases: list[dict], slots: float) -> None:
    y = 0.0
    for case in cases:
        axis.text(
            0.0, y, f"{case['name']}  ({case['dtype']})", transform=axis.get_yaxis_transform(),
            weight="bold", size=9, va="center",
        )  # fmt: skip
        for name, (label, c) in sorted(best_settings(case).items(), key=_median):
            y += 1.0
            axis.barh(y, c["median"], height=0.85, color=COLOURS.get(name, "black"))
            text = f" {_seconds(c['median'])}  {label}{_mark(case, c)}"
            axis.text(c["median"], y, text, va="center", size=8)
        y += 1.8
    axis.set_xscale("log")
    axis.set_ylim(slots - 0.8, -0.6)
    axis.set_yticks([])
    axis.set_xlabel("seconds, logarithmic;  ¹ quality over 0.1 % (or what is noted) worse than the best")
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.grid(axis="x", alpha=0.3)


def _median(item: tuple[str, tuple[str, dict]]) -> float:
    return item[1][1]["median"]
