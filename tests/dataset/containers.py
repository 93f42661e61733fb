"""One table in every container that records come in."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import scipy.sparse as sp

NAMES = ["a", "b", "c"]
X = np.arange(30.0).reshape(10, 3)
Y = np.array([0, 1, 2, 0, 1, 2, 0, 1, 0, 0])
W = np.arange(1.0, 11.0)

CONTAINERS = {
    "array": lambda: X,
    "pandas": lambda: pd.DataFrame(X, columns=NAMES),
    "polars": lambda: pl.DataFrame(X, schema=NAMES),
    "arrow": lambda: pa.table({name: X[:, j] for j, name in enumerate(NAMES)}),
    "csr": lambda: sp.csr_array(X),
    "coo": lambda: sp.coo_matrix(X),
}


def values(records):
    """Records as an ordinary array."""
    if sp.issparse(records):
        return records.toarray()
    if isinstance(records, pa.Table):
        return np.column_stack([column.to_numpy() for column in records.columns])
    return records if isinstance(records, np.ndarray) else records.to_numpy()
