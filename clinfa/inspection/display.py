"""Plots of partial dependence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clinfa.bunch import Bunch
from clinfa.inspection._columns import column, names_of, tabular
from clinfa.inspection.dependence import KINDS, partial_dependence
from clinfa.names import categories_of, columns_of
from clinfa.params import at_least, between, none, shown
from clinfa.recipes import kind_of_model
from clinfa.rng import generator

__all__ = ["PartialDependenceDisplay"]

_BLUE, _ORANGE = "#20508a", "#d95f0e"


class PartialDependenceDisplay:
    """A plot of partial dependence: one panel for each column, or pair of columns.

    Lines are of one column, each thin one of a record; bars of a column of categories; contours of two
    columns. Ticks inside the axes are at the deciles of the column.

    Parameters
    ----------
    pd_results : list of Bunch
        From `partial_dependence`, one for each panel.
    features : list of tuple of int
        The columns of each panel.
    feature_names : list of str
    target_idx : int
        Which output is drawn.
    deciles : dict of int to ndarray
        Of each column that is not of categories.
    kind : str or list of str, default "average"
        "average", "individual" or "both": of all panels, or of each.
    subsample : int, float or None, default 1000
        How many records, or which share of them, to draw a line for at most.
    random_state : int, RandomState or Generator, optional
        Which records those are.
    is_categorical : list of tuple of bool, optional
        Whether the columns of each panel are of categories.

    Attributes
    ----------
    axes_ : ndarray of Axes
        Set by `plot`, as are those below; None where a panel is missing.
    figure_ : Figure
    bounding_ax_ : Axes or None
        In whose place all panels are; None where there is an Axes given for each.
    lines_ : ndarray of object
        The line of the average in each panel; where records have lines, in one more axis all of theirs, and
        last that of the average.
    contours_, bars_, heatmaps_ : ndarray of object
        What is drawn in each panel, if it is that.

    Examples
    --------
    >>> from clinfa.datasets import load_diabetes
    >>> from clinfa.inspection import PartialDependenceDisplay
    >>> from clinfa.neighbors import KNeighborsRegressor
    >>> diabetes = load_diabetes()
    >>> model = KNeighborsRegressor(20).fit(diabetes)
    >>> display = PartialDependenceDisplay.from_estimator(model, diabetes, ["bmi", "bp"], grid_resolution=9)
    >>> [ax.get_xlabel() for ax in display.axes_.ravel()]
    ['bmi', 'bp']
    """

    def __init__(
        self,
        pd_results: list[Bunch],
        *,
        features: list[tuple[int, ...]],
        feature_names: Sequence[str],
        target_idx: int,
        deciles: dict[int, np.ndarray],
        kind: Any = "average",
        subsample: int | float | None = 1000,
        random_state: Any = None,
        is_categorical: list[tuple[bool, ...]] | None = None,
    ):
        self.pd_results = pd_results
        self.features = features
        self.feature_names = feature_names
        self.target_idx = target_idx
        self.deciles = deciles
        self.kind = kind
        self.subsample = subsample
        self.random_state = random_state
        self.is_categorical = is_categorical

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        features: Sequence[Any],
        *,
        sample_weight: Any = None,
        categorical_features: Any = None,
        feature_names: Sequence[str] | None = None,
        target: Any = None,
        response_method: str = "auto",
        n_cols: int = 3,
        grid_resolution: int = 100,
        percentiles: tuple[float, float] = (0.05, 0.95),
        custom_values: Any = None,
        method: str = "auto",
        n_jobs: int | None = None,
        verbose: int = 0,
        line_kw: dict | None = None,
        ice_lines_kw: dict | None = None,
        pd_line_kw: dict | None = None,
        contour_kw: dict | None = None,
        ax: Any = None,
        kind: Any = "average",
        centered: bool = False,
        subsample: int | float | None = 1000,
        random_state: Any = None,
    ) -> PartialDependenceDisplay:
        """Compute partial dependence and draw it.

        Parameters
        ----------
        estimator, X, sample_weight, categorical_features, feature_names, response_method, grid_resolution, \
percentiles, custom_values, method, n_jobs
            As for `partial_dependence`.
        features : sequence of int, str, or pairs of these
            The columns of each panel.
        target : label or int, optional
            The class, of more than two, or the number of the target, of several, that is drawn.
        n_cols : int, default 3
            How many panels are side by side, at most.
        verbose : int, default 0
            Accepted for scikit-learn's sake.
        line_kw, ice_lines_kw, pd_line_kw, contour_kw : dict, optional
            For matplotlib: of all lines, those of records, that of the average; of contours.
        ax : Axes or array of Axes, optional
            Where to draw: the place of all panels, or one place for each.
        kind : {"average", "individual", "both"} or list of these, default "average"
            Of all panels, or of each. Pairs of columns have averages only.
        centered : bool, default False
            Whether all lines start at zero.
        subsample : int, float or None, default 1000
            How many records, or which share of them, to draw a line for at most.
        random_state : int, RandomState or Generator, optional
            Which records those are.

        Returns
        -------
        PartialDependenceDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If an argument is not allowed.
        """
        _pyplot()
        records = tabular(X)
        names = names_of(records, X, feature_names)
        d = records.shape[1]
        kinds = _kinds(kind, len(features))
        panels = [_panel(one, names, d) for one in features]
        for one, panel in zip(kinds, panels, strict=True):
            KINDS.check("kind", one, cls.__name__)
            if one != "average" and len(panel) > 1:
                raise ValueError(
                    "ICE plot cannot be rendered for 2-way feature interactions. 2-way feature interactions "
                    f"mandates PD plots using the 'average' kind: features={features!r} has one of "
                    f"kind={one!r}."
                )
        _check_subsample(subsample)
        mask = categories_of(categorical_features, names, d)
        categories = [tuple(bool(mask[j]) for j in panel) for panel in panels]
        for one, panel in zip(kinds, categories, strict=True):
            if len(set(panel)) > 1:
                raise ValueError(
                    "Two-way partial dependence plots are not supported for pairs of continuous and "
                    "categorical features."
                )
            if any(panel) and one != "average":
                raise ValueError("It is not possible to display individual effects for categorical features.")
        _check_axes(ax, len(panels))
        results = [
            partial_dependence(
                *(estimator, X, panel),
                sample_weight=sample_weight,
                feature_names=names,
                categorical_features=categorical_features,
                response_method=response_method,
                method=method,
                grid_resolution=grid_resolution,
                percentiles=percentiles,
                kind=one,
                custom_values=_by_number(custom_values, names),
                n_jobs=n_jobs,
            )
            for one, panel in zip(kinds, panels, strict=True)
        ]
        outputs = len(next(v for k, v in results[0].items() if k != "grid_values"))
        display = cls(
            results,
            features=panels,
            feature_names=names,
            target_idx=_output(estimator, target, outputs),
            deciles={
                j: np.nanquantile(column(records, j).astype(np.float64), np.arange(0.1, 1.0, 0.1))
                for panel, cats in zip(panels, categories, strict=True)
                for j in panel
                if not any(cats)
            },
            kind=kind,
            subsample=subsample,
            random_state=random_state,
            is_categorical=categories,
        )
        return display.plot(
            ax=ax,
            n_cols=n_cols,
            line_kw=line_kw,
            ice_lines_kw=ice_lines_kw,
            pd_line_kw=pd_line_kw,
            contour_kw=contour_kw,
            centered=centered,
        )

    def plot(
        self,
        *,
        ax: Any = None,
        n_cols: int = 3,
        line_kw: dict | None = None,
        ice_lines_kw: dict | None = None,
        pd_line_kw: dict | None = None,
        contour_kw: dict | None = None,
        bar_kw: dict | None = None,
        heatmap_kw: dict | None = None,
        pdp_lim: dict[int, tuple[float, float]] | None = None,
        centered: bool = False,
    ) -> PartialDependenceDisplay:
        """Draw all panels.

        Parameters
        ----------
        ax, n_cols, line_kw, ice_lines_kw, pd_line_kw, contour_kw, centered
            As for `from_estimator`.
        bar_kw, heatmap_kw : dict, optional
            For matplotlib: of the bars of categories, and of pairs of them.
        pdp_lim : dict of int to (float, float), optional
            The range of the values that are drawn, for panels of one column (1) and of two (2).

        Returns
        -------
        self
        """
        plt = _pyplot()
        from matplotlib.cbook import normalize_kwargs
        from matplotlib.lines import Line2D

        count = len(self.features)
        kinds = _kinds(self.kind, count)
        categories = self.is_categorical or [(False,) * len(panel) for panel in self.features]
        values = [self._values(at, kinds[at], centered) for at in range(count)]
        limits = pdp_lim or _limits(self.features, values)
        self._place(plt, ax, count, n_cols)
        records = max(0 if v["each"] is None else len(v["each"]) for v in values)
        wanted = (records + any(v["average"] is not None for v in values),) if records else ()
        self.lines_ = np.full((*self.axes_.shape, *wanted), None, object)
        for name in ("contours_", "bars_", "heatmaps_", "deciles_vlines_", "deciles_hlines_"):
            setattr(self, name, np.full(self.axes_.shape, None, object))
        line, each, average = (
            normalize_kwargs(how or {}, Line2D) for how in (line_kw, ice_lines_kw, pd_line_kw)
        )
        styles = {
            "each": {name: value for name, value in line.items() if name != "label"} | each,
            "average": line | average,
            "contour": contour_kw or {},
            "bar": bar_kw or {},
            "heatmap": heatmap_kw or {},
        }
        flat = self.axes_.ravel()
        for at, panel in enumerate(self.features):
            where = np.unravel_index(at, self.axes_.shape)
            draw = {(1, False): self._lines, (1, True): self._bars, (2, False): self._contours}.get(
                (len(panel), any(categories[at])), self._heatmap
            )
            draw(flat[at], where, at, values[at], styles, limits[len(panel)])
            if not flat[at].get_xlabel():  # (where something was drawn before, the names are kept)
                flat[at].set_xlabel(self.feature_names[panel[0]])
            if len(panel) > 1:
                flat[at].set_ylabel(self.feature_names[panel[1]])
            elif not flat[at].get_ylabel() and (where[-1] == 0 or self.axes_.ndim == 1):
                flat[at].set_ylabel("Partial dependence")
        return self

    def _place(self, plt: Any, ax: Any, count: int, n_cols: int) -> None:
        """Axes for all panels: in a figure of their own, in place of one, or those given."""
        _check_axes(ax, count)
        if ax is not None and not hasattr(ax, "plot"):
            self.axes_ = np.asarray(ax, dtype=object)
            self.figure_, self.bounding_ax_ = self.axes_.ravel()[0].figure, None
            return
        columns = min(n_cols, count)
        rows = -(-count // columns)
        self.axes_ = np.full((rows, columns), None, object)
        if ax is None:
            size = (3.4 * columns + 0.4, 3.1 * rows)
            ax = plt.figure(figsize=size, layout="constrained").add_subplot()
        if not ax.axison:
            raise ValueError(
                "The ax was already used in another plot function, please set ax=display.axes_ instead"
            )
        ax.set_axis_off()
        self.figure_, self.bounding_ax_ = ax.figure, ax
        grid = ax.get_subplotspec().subgridspec(rows, columns)
        first: list[Any] = [None, None]
        for at, panel in enumerate(self.features):
            # (Panels of one column share their scale: what matters more is seen to.)
            shared = first[len(panel) - 1] if len(panel) == 1 else None
            new = self.figure_.add_subplot(grid[at // columns, at % columns], sharey=shared)
            first[len(panel) - 1] = first[len(panel) - 1] or new
            self.axes_[at // columns, at % columns] = new
            new.spines[["top", "right"]].set_visible(False)

    def _values(self, at: int, kind: str, centered: bool) -> dict[str, Any]:
        """What one panel shows: points, the average, and lines of records."""
        found = self.pd_results[at]
        average = found.average[self.target_idx] if kind != "individual" else None
        each = None
        if kind != "average":
            each = found.individual[self.target_idx]
            size = self._sample_size(len(each))
            if size < len(each):
                source = generator(self.random_state)
                each = each[np.sort(source.permutation(len(each))[:size])]
        if centered and len(self.features[at]) == 1:
            average = None if average is None else average - average[0]
            each = None if each is None else each - each[:, :1]
        return {"points": found.grid_values, "average": average, "each": each}

    def _sample_size(self, n: int) -> int:
        if self.subsample is None:
            return n
        if isinstance(self.subsample, int | np.integer):
            return min(n, int(self.subsample))
        return max(1, int(np.ceil(n * self.subsample)))

    def _lines(self, ax: Any, where: Any, at: int, shown: dict, styles: dict, limits: Any) -> None:
        points, both = shown["points"][0], shown["average"] is not None and shown["each"] is not None
        if shown["each"] is not None:
            count = len(shown["each"])
            how = {"color": _BLUE, "alpha": float(np.clip(12 / count, 0.06, 0.5)), "linewidth": 0.7}
            how |= styles["each"]
            for i, line in enumerate(shown["each"]):
                self.lines_[(*where, i)] = ax.plot(points, line, **how)[0]
        if shown["average"] is not None:
            how = {"color": _ORANGE if both else _BLUE, "linewidth": 2, "linestyle": "-"}
            how |= {"label": "average"} if both else {}
            how |= styles["average"]
            last = (-1,) if self.lines_.ndim > self.axes_.ndim else ()
            self.lines_[(*where, *last)] = ax.plot(points, shown["average"], **how)[0]
            if "label" in how:
                ax.legend(frameon=False)
        ax.set_ylim(*_wider(limits))
        self._ticks(ax, where, at)

    def _ticks(self, ax: Any, where: Any, at: int, color: str = "0.25") -> None:
        """Short marks at the deciles, from the edges inwards."""
        for j, name, across in zip(self.features[at], ("deciles_vlines_", "deciles_hlines_"), "xy"):
            if j in self.deciles:
                place = ax.get_xaxis_transform() if across == "x" else ax.get_yaxis_transform()
                draw = ax.vlines if across == "x" else ax.hlines
                held = ax.get_xlim(), ax.get_ylim()
                getattr(self, name)[where] = draw(
                    self.deciles[j], 0, 0.05, transform=place, color=color, linewidth=1
                )
                ax.set(xlim=held[0], ylim=held[1])
                ax.locator_params(axis=across, nbins=5)

    def _contours(self, ax: Any, where: Any, at: int, shown: dict, styles: dict, limits: Any) -> None:
        xs, ys = shown["points"]
        levels = np.linspace(*_wider(limits, 0), num=9)
        Z = shown["average"].T
        how = {"cmap": "viridis", "levels": levels, "extend": "both", "alpha": 0.9} | styles["contour"]
        self.contours_[where] = ax.contourf(xs, ys, Z, **how)
        lines = ax.contour(xs, ys, Z, levels=how["levels"], linewidths=0.5, colors="white")
        ax.clabel(lines, fmt="%.3g", colors="white", fontsize=8)
        self._ticks(ax, where, at, "white")

    def _bars(self, ax: Any, where: Any, at: int, shown: dict, styles: dict, limits: Any) -> None:
        names = [str(value) for value in shown["points"][0]]
        how = {"color": "#a9c4e4", "edgecolor": _BLUE} | styles["bar"]
        self.bars_[where] = ax.bar(names, shown["average"], **how)
        low, high = _wider(limits)
        ax.set_ylim(min(low, 0), max(high, 0))
        if max(map(len, names)) * len(names) > 24:
            ax.tick_params(axis="x", rotation=90)

    def _heatmap(self, ax: Any, where: Any, at: int, shown: dict, styles: dict, limits: Any) -> None:
        Z = shown["average"]
        how = {"cmap": "viridis", "aspect": "auto", "origin": "lower"} | styles["heatmap"]
        self.heatmaps_[where] = ax.imshow(Z.T, vmin=limits[0], vmax=limits[1], **how)
        middle = (Z.min() + Z.max()) / 2
        for i, j in np.ndindex(*Z.shape):
            ax.text(i, j, f"{Z[i, j]:.3g}", ha="center", va="center", color="w" if Z[i, j] < middle else "k")
        ax.set_xticks(range(Z.shape[0]), [str(value) for value in shown["points"][0]])
        ax.set_yticks(range(Z.shape[1]), [str(value) for value in shown["points"][1]])


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("Plots need matplotlib. Install it with: pip install clinfa[plot]") from error
    return plt


def _panel(given: Any, names: list[str], d: int) -> tuple[int, ...]:
    one = [given] if isinstance(given, str | int | np.integer) else given
    if not hasattr(one, "__len__") or not 1 <= len(one) <= 2:
        raise ValueError(
            f"Each entry in features must be either an int, a string, or an iterable of size at most 2. Got "
            f"{shown(given)}."
        )
    return tuple(columns_of(list(one), names, d))


def _kinds(given: Any, count: int) -> list[str]:
    """What is drawn in each panel."""
    out = [given] * count if isinstance(given, str) else list(given)
    if len(out) != count:
        raise ValueError(
            f"When `kind` is provided as a list of strings, it should contain as many elements as "
            f"`features`. `kind` contains {len(out)} element(s) and `features` contains {count} element(s)."
        )
    return out


def _by_number(custom: Any, names: list[str]) -> dict[int, Any]:
    return {names.index(key) if key in names else key: value for key, value in (custom or {}).items()}


def _check_axes(ax: Any, count: int) -> None:
    if ax is not None and not hasattr(ax, "plot") and np.asarray(ax, dtype=object).size != count:
        raise ValueError(f"Expected ax to have {count} axes, got {np.asarray(ax, dtype=object).size}")


def _check_subsample(subsample: Any) -> None:
    if isinstance(subsample, int | np.integer) and subsample <= 0:
        raise ValueError(f"When an integer, subsample={subsample} should be positive.")
    if isinstance(subsample, float) and not 0 < subsample < 1:
        raise ValueError(f"When a floating-point, subsample={subsample} should be in the (0, 1) range.")
    (at_least(1) | between(0, 1, closed="neither") | none()).check("subsample", subsample, "from_estimator")


def _output(model: Any, target: Any, outputs: int) -> int:
    """Which output is drawn."""
    if kind_of_model(model) == "classifier":
        if len(model.classes_) <= 2:
            return 0
        if target is None:
            raise ValueError("target must be specified for multi-class")
        known = list(model.classes_)
        if target not in known:
            raise ValueError(f"target not in est.classes_, got {target}")
        return known.index(target)
    if outputs == 1:
        return 0
    if target is None:
        raise ValueError("target must be specified for multi-output regressors")
    if not 0 <= target <= outputs - 1:
        raise ValueError(f"target must be in [0, n_tasks], got {target}.")
    return int(target)


def _limits(features: list[tuple[int, ...]], values: list[dict]) -> dict[int, tuple[float, float]]:
    """The range of what panels of one column show, and of two."""
    out: dict[int, tuple[float, float]] = {}
    for panel, one in zip(features, values, strict=True):
        for part in (one["average"], one["each"]):
            if part is not None:
                low, high = out.get(len(panel), (np.inf, -np.inf))
                out[len(panel)] = min(low, float(np.min(part))), max(high, float(np.max(part)))
    return out


def _wider(limits: tuple[float, float], share: float = 0.05) -> tuple[float, float]:
    low, high = limits
    room = (high - low) * share or (0.0 if high > low else max(abs(high), 1.0) * 1e-3)
    return low - room, high + room
