"""Reading tables from text and Parquet files, a target column named.

Text is read by numpy's reader where every field is a number, and field by field where that fails.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Columns", "pick", "read_csv", "read_parquet"]

_SEPARATORS = ",;\t|"


@dataclass(frozen=True)
class Columns:
    """A table as it was read: its columns' names, and each column's values."""

    names: list[str]
    values: list[np.ndarray]


def read_csv(path: Any, delimiter: str | None, header: bool | None) -> Columns:
    """Read a text file with one record a line.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such file.
    ValueError
        If it is empty, is no text, or a line has more or fewer fields than the first.
    """
    text = _read_text(Path(path))
    first = text[: text.find("\n") + 1 or None].rstrip("\r\n")
    if delimiter is None:
        delimiter = max(_SEPARATORS, key=first.count) if any(c in first for c in _SEPARATORS) else ","
    elif not isinstance(delimiter, str) or len(delimiter) != 1:
        raise ValueError(f"delimiter must be one character, got {delimiter!r}.")
    top = next(csv.reader(io.StringIO(text), delimiter=delimiter), [])
    if header is None:
        header = not all(_is_number(field) or not field.strip() for field in top)
    names = [field.strip() for field in top] if header else [f"column{i}" for i in range(len(top))]
    if header and not text.partition("\n")[2].strip():
        raise ValueError(f"{path} has a header and no records.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{path} has several columns of the name {', '.join(map(repr, twice))}.")
    body = io.StringIO(text)
    try:
        table = np.loadtxt(
            body, delimiter=delimiter, skiprows=int(header), quotechar='"', ndmin=2, comments=None
        )
        if table.shape[1] != len(names):
            raise ValueError("fields beside the header")
        values = [np.ascontiguousarray(column) for column in table.T]
    except ValueError:
        values = _field_by_field(path, text, delimiter, header, len(names))
    return Columns(names, values)


def _read_text(path: Path) -> str:
    if not path.exists():
        raise FileNotFoundError(f"There is no file {path}.")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder.")
    raw = path.read_bytes()
    try:
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
        text = raw.decode("utf-8-sig")
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile) as error:
        raise ValueError(f"{path} is not UTF-8 text: {error}.") from error
    if "\0" in text:
        raise ValueError(f"{path} is not text: it has zero bytes.")
    if not text.strip():
        raise ValueError(f"{path} is empty.")
    return text


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _field_by_field(path: Any, text: str, delimiter: str, header: bool, width: int) -> list[np.ndarray]:
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    lines = []
    for fields in reader:
        if not fields or (len(fields) == 1 != width and not fields[0].strip()):
            continue
        if len(fields) != width:
            raise ValueError(f"{path}, line {reader.line_num}: {len(fields)} fields where there are {width}.")
        lines.append(fields)
    return [_typed(list(column)) for column in zip(*lines[int(header) :], strict=True)]


def _typed(fields: list[str]) -> np.ndarray:
    """Numbers where all fields are (an empty one is NaN), else text."""
    try:
        return np.array([float(field) if field.strip() else np.nan for field in fields])
    except ValueError:
        return np.array([field.strip() for field in fields])


def read_parquet(path: Any, wanted: Sequence[str] | None) -> Columns:
    """Read a Parquet file.

    Raises
    ------
    ImportError
        Without pyarrow.
    FileNotFoundError, IsADirectoryError
        If there is no such file.
    ValueError
        If it is no Parquet file.
    """
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise ImportError(
            "Parquet files are read by pyarrow: pip install pyarrow (or clinfa[parquet])."
        ) from error
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"There is no file {path}.")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder.")
    try:
        table = parquet.ParquetFile(path).read(columns=wanted)
    except (ArrowException, OSError) as error:
        raise ValueError(f"{path} is not a Parquet file: {error}") from error
    return Columns(list(table.column_names), [_from_arrow(column) for column in table.columns])


def _from_arrow(column: Any) -> np.ndarray:
    values = column.to_numpy()
    if values.dtype == object:  # text, or numbers with gaps
        known = [v for v in values if v is not None]
        if all(isinstance(v, str) for v in known) and len(known) == len(values):
            return np.array(known) if known else values.astype(str)
        if all(isinstance(v, bool | int | float) for v in known):
            return np.array([np.nan if v is None else v for v in values], float)
    return values


def pick(
    table: Columns, path: Any, target: Any, weights: Any, features: Sequence[str] | None
) -> dict[str, Any]:
    """Sort columns into records, targets and weights: what `Dataset` is made from.

    Raises
    ------
    ValueError
        If a name is not there, or a column of records or weights is not made of numbers.
    """
    at = {name: i for i, name in enumerate(table.names)}

    def find(role: str, name: Any) -> int:
        if isinstance(name, int) and not isinstance(name, bool) and -len(at) <= name < len(at):
            return name % len(at)
        if name not in at:
            raise ValueError(
                f"{role}={name!r}: {path} has no such column. Its columns: {', '.join(table.names)}."
            )
        return at[name]

    single = target is not None and not isinstance(target, list | tuple)
    targets = [] if target is None else [find("target", name) for name in ([target] if single else target)]
    weight = None if weights is None else find("weights", weights)
    if features is None:
        chosen = [i for i in range(len(at)) if i not in targets and i != weight]
    else:
        chosen = [find("features", name) for name in features]
    if not chosen:
        raise ValueError(f"{path} has no column besides the target's and the weights'.")
    for i in chosen if weight is None else [*chosen, weight]:
        if table.values[i].dtype.kind not in "biuf":
            raise ValueError(
                f"Column {table.names[i]!r} of {path} does not hold numbers "
                f"({str(table.values[i][0])!r} in its first record). Name it as the target, or name the "
                f"columns to read with features=[...]."
            )
    out = {
        "records": np.column_stack([_number(table.values[i]) for i in chosen]),
        "feature_names": [table.names[i] for i in chosen],
        "weights": None if weight is None else table.values[weight].astype(float),
    }
    if targets:
        columns = [_target(table.values[i]) for i in targets]
        out["targets"] = columns[0] if single else np.column_stack(columns)
        out["target_names"] = [table.names[i] for i in targets]
    return out


def _number(column: np.ndarray) -> np.ndarray:
    return column if column.dtype in (np.float32, np.float64) else column.astype(np.float64)


def _target(column: np.ndarray) -> np.ndarray:
    """Whole numbers are labels: ints."""
    whole = column.dtype == np.float64 and np.isfinite(column).all() and (column == np.rint(column)).all()
    return column.astype(np.int64) if whole and (np.abs(column) < 2**53).all() else column
