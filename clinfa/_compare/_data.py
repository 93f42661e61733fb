"""Where the data come from: files and the tables that ship with clinfa."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clinfa import datasets
from clinfa._compare._refusal import Refusal
from clinfa.dataset import Dataset

TEXT = (".csv", ".tsv", ".txt")


@dataclass(frozen=True)
class Data:
    """Records and targets as they will be compared on.

    Attributes
    ----------
    name : str
        As the user calls it.
    train, test : tuple of (X, y)
        To fit, and to predict and judge; the same where nothing is held out. `y` is None without targets.
    target : str or None
        Name of the target column, where it has one.
    """

    name: str
    train: tuple[np.ndarray, np.ndarray | None]
    test: tuple[np.ndarray, np.ndarray | None]
    target: str | None

    def told(self) -> dict[str, Any]:
        """What the report says of it."""
        X = self.train[0]
        return {
            "name": self.name,
            "rows": len(X),
            "rows held out": 0 if self.test[0] is X else len(self.test[0]),
            "columns": X.shape[1],
            "dtype": str(X.dtype),
            "target": self.target,
        }


def built_in() -> list[str]:
    """Names of the tables that ship with clinfa."""
    return [name.removeprefix("load_") for name in datasets.__all__ if name.startswith("load_")]


def read(name: str, target: str | None, features: list[str] | None) -> Dataset:
    """The records, and the targets where there are some.

    Raises
    ------
    Refusal
        If there is no such file or table, or it cannot be read so.
    """
    path = Path(name)
    if name in built_in() and not path.exists():
        if target is not None or features is not None:
            raise Refusal(f"--target and --features are for files; {name} brings its own target.")
        return getattr(datasets, f"load_{name}")()
    kind = next((s for s in reversed(path.suffixes) if s != ".gz"), "").lower()
    if not path.exists() and not kind:
        raise Refusal(
            f"there is no file {name}, and no built-in table of that name: {', '.join(built_in())}."
        )
    try:
        if kind == ".npy":
            return _from_npy(path, target, features)
        if kind in (".parquet", ".pq"):
            return _with_target(Dataset.from_parquet, path, target, features)
        if kind in TEXT:
            return _with_target(Dataset.from_csv, path, target, features)
    except (ImportError, OSError, ValueError) as error:
        raise Refusal(str(error)) from error
    raise Refusal(f"{name} is neither text ({', '.join(TEXT)}, or those with .gz) nor .parquet nor .npy.")


def _with_target(reader, path: Path, target: str | None, features: list[str] | None) -> Dataset:
    """A column may be named by its number; a name that looks like one goes first."""
    try:
        return reader(path, target=target, features=features)
    except ValueError:
        if target is None or not target.removeprefix("-").isdigit():
            raise
        return reader(path, target=int(target), features=features)


def _from_npy(path: Path, target: str | None, features: list[str] | None) -> Dataset:
    if features is not None:
        raise Refusal("--features names columns, and a .npy file has no names.")
    if not path.exists():
        raise Refusal(f"There is no file {path}.")
    try:
        table = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise Refusal(f"{path} is not an array as numpy.save writes it: {error}") from error
    if not isinstance(table, np.ndarray) or table.ndim != 2 or table.dtype.kind not in "biuf":
        what = f"shape {table.shape} of {table.dtype}" if isinstance(table, np.ndarray) else "several arrays"
        raise Refusal(f"{path} must hold one table of numbers with two dimensions; it holds {what}.")
    if target is None:
        return Dataset(table)
    width = table.shape[1]
    if not target.removeprefix("-").isdigit() or not -width <= int(target) < width:
        raise Refusal(
            f"target={target!r}: {path} has no such column. Its columns have no names, only the numbers 0 to "
            f"{width - 1}."
        )
    y = table[:, int(target)]
    if y.dtype.kind == "f" and np.isfinite(y).all() and (y == np.rint(y)).all() and (np.abs(y) < 2**53).all():
        y = y.astype(np.int64)  # labels
    return Dataset(np.delete(table, int(target), axis=1), y, target_names=[target])


def split(name: str, dataset: Dataset, share: float) -> Data:
    """Some rows held out at random, or none.

    Raises
    ------
    Refusal
        If nothing would be left to fit or to judge.
    """
    X, y = np.asarray(dataset.records), dataset.targets
    names = dataset.target_names  # (of a shipped table for classification these are the classes')
    target = ", ".join(names) if names is not None and len(names) == dataset.n_targets else None
    if not share:
        return Data(name, (X, y), (X, y), target)
    held = int(np.ceil(share * len(X)))
    if not 0 < held < len(X):
        raise Refusal(f"--test-size {share:g} of {len(X)} rows leaves none to fit.")
    order = np.random.RandomState(0).permutation(len(X))
    test, train = np.sort(order[:held]), np.sort(order[held:])

    def rows(which: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        return X[which], None if y is None else y[which]

    return Data(name, rows(train), rows(test), target)
