"""Kernel: the matrix of a kernel between records, in whatever form fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from clinfa.arrays import Table, is_dataset, is_sparse, read_table
from clinfa.blas import matmul
from clinfa.config import get_config
from clinfa.kernels import _graph
from clinfa.kernels._methods import Gaussian, Linear, Method, Sparse
from clinfa.linalg._sparse import SparseOperator
from clinfa.params import Rule, function, instance, one_of, param, shown
from clinfa.recipes import Recipe
from clinfa.spatial import Index, KernelRows

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from scipy.sparse.linalg import LinearOperator

__all__ = ["Kernel", "KernelParams"]

_METHOD: Rule = instance(Method) | one_of("precomputed") | function()
_KIND: Rule = one_of("auto", "dense", "operator") | instance(Sparse)
_ROWS = 1 << 22  # values of a matrix that is not stored, at a time


class Kernel:
    """The matrix of a kernel between records.

    Parameters
    ----------
    X : array-like, dataframe, sparse matrix or Dataset of shape (n, d)
        The records, or the symmetric matrix of shape (n, n) where `method` is "precomputed".
    method : Method, callable or "precomputed", default Gaussian(0.5)
        The kernel: `Linear`, `Gaussian`, `Polynomial`, `Laplacian`, `Sigmoid`, `Cosine`, or a function of two
        records that makes no difference between them.
    kind : {"auto", "dense", "operator"} or Sparse, default "auto"
        "dense": all values are stored. ``Sparse(k)``: those of near records, as CSR. "operator": none is
        stored; `dot` computes them tile by tile. "auto": dense where that fits into the setting
        `working_memory`, otherwise an operator.

    Attributes
    ----------
    X : ndarray of shape (n, d) or None
        The records; None where the matrix was given.
    method, kind
        As above; `kind` is never "auto".
    matrix : ndarray, csr_matrix or None
        What is stored.

    Raises
    ------
    ValueError, TypeError
        If X are no finite records, k is not below their number, or a matrix that is given is not symmetric.

    Notes
    -----
    The value of two records is the same to the bit whichever comes first. With `Sparse`, i and j are joined
    where i is among the k nearest of j or j among those of i, and every record is joined with itself.

    References
    ----------
    Bernhard Schölkopf and Alexander J. Smola (2002), Learning with Kernels.

    Examples
    --------
    >>> import numpy as np
    >>> from clinfa.kernels import Gaussian, Kernel, Sparse
    >>> X = np.array([[0.0], [1.0], [5.0], [6.0]])
    >>> kernel = Kernel(X, Gaussian(1.0), Sparse(1))
    >>> kernel
    Kernel(4 records, Gaussian(eps=1.0), Sparse(k=1))
    >>> kernel.toarray().round(2)
    array([[1.  , 0.37, 0.  , 0.  ],
           [0.37, 1.  , 0.  , 0.  ],
           [0.  , 0.  , 1.  , 0.37],
           [0.  , 0.  , 0.37, 1.  ]])
    >>> kernel.sum().round(2)
    array([1.37, 1.37, 1.37, 1.37])
    """

    ndim: ClassVar[int] = 2

    def __init__(self, X: Any, method: Any = Gaussian(0.5), kind: Any = "auto"):  # noqa: B008 (it is immutable)
        _METHOD.check("method", method, "Kernel")
        _KIND.check("kind", kind, "Kernel")
        self.method, self.kind = method, kind
        self.X: np.ndarray | None = None
        self.matrix: Any = None
        self._index: Index | None = None
        self._rows: KernelRows | None = None
        self._operator: SparseOperator | None = None
        table = _read(X, "Kernel")
        if isinstance(method, str):
            self._take(table)
            return
        table = _made_dense(table)
        self.X = table.X
        self.shape, self.dtype = (table.n, table.n), table.dtype
        if kind == "auto":
            fits = (
                callable(method) or table.n**2 * table.dtype.itemsize <= get_config()["working_memory"] << 20
            )
            self.kind = "dense" if fits else "operator"
        self._compute(table)

    @staticmethod
    def params(**params: Any) -> KernelParams:
        """An immutable recipe: see `KernelParams`."""
        return KernelParams(**params)

    # How it is made

    def _take(self, table: Table) -> None:
        """The matrix as it was given."""
        if table.n != table.d:
            raise ValueError(f"A precomputed kernel must be a square matrix, got shape {table.X.shape}.")
        self.shape, self.dtype = (table.n, table.n), table.dtype
        if not (self.kind in ("auto", "dense") if isinstance(self.kind, str) else False):
            raise ValueError(
                f"A precomputed kernel is stored as it is: kind must be 'auto' or 'dense', got {self.kind!r}."
            )
        if table.sparse:
            self.matrix = table.X.as_scipy()
            apart = abs(self.matrix - self.matrix.T).data
            top = np.abs(self.matrix.data).max(initial=0)
        else:
            self.matrix = table.X
            step = max(1, _ROWS // table.n)
            parts = [table.X[i : i + step] - table.X[:, i : i + step].T for i in range(0, table.n, step)]
            apart = np.array([np.abs(part).max() for part in parts])
            top = np.abs(table.X).max()
        if apart.max(initial=0) > 100 * np.finfo(table.dtype).eps * top:
            raise ValueError("A precomputed kernel must be symmetric, and this matrix is not.")
        self.kind = "sparse" if table.sparse else "dense"

    def _compute(self, table: Table) -> None:
        n = table.n
        by_tile = isinstance(self.method, Method)
        if by_tile:
            points = self.method.records(table)
            self._rows = KernelRows(points, self.method.function())
        elif self.kind == "operator":
            raise ValueError("kind='operator' needs a Method: a function of two records would be too slow.")
        if isinstance(self.kind, Sparse):
            if self.kind.k >= n:
                raise ValueError(
                    f"Sparse(k) needs k below the number of records, got k = {self.kind.k} and {n} records."
                )
            self._index = Index(table.X)
            indptr, indices = _graph.united(self._index.nearest(None, self.kind.k + 1)[1])
            if by_tile:
                data = self._rows.entries(indptr, indices)
            else:
                data = self._entries(indptr, indices)
            self.matrix = _csr_of(data, indices, indptr, n)
        elif self.kind == "dense":
            self.matrix = self._rows.rows() if by_tile else _by_function(self.method, table.X)

    def _entries(self, indptr: np.ndarray, indices: np.ndarray) -> np.ndarray:
        """Values of a user's function; each pair is asked for once."""
        X, row = self.X, np.repeat(np.arange(self.shape[0]), np.diff(indptr))
        upper = indices >= row
        values = [self.method(X[i], X[j]) for i, j in zip(row[upper], indices[upper], strict=True)]
        data = np.empty(len(indices), self.dtype)
        data[upper] = values
        # The lower half by column is the upper half by row.
        order = np.lexsort((row, indices))
        data[~upper] = data[order][~upper]
        return data

    # What it can do

    @property
    def size(self) -> int:
        """How many records there are."""
        return self.shape[0]

    @property
    def is_linear(self) -> bool:
        """Whether values are inner products of the records."""
        return isinstance(self.method, Linear)

    def dot(self, rhs: Any) -> np.ndarray:
        """The product of the matrix with a vector or a block of columns.

        Parameters
        ----------
        rhs : array-like of shape (n,) or (n, k)

        Returns
        -------
        ndarray of the same shape, in the kernel's type

        Raises
        ------
        ValueError
            If there are not n rows.

        Examples
        --------
        >>> from clinfa.kernels import Kernel, Linear
        >>> Kernel([[1.0], [2.0]], Linear(), "operator").dot([1.0, 1.0])
        array([3., 6.])
        """
        block = np.asarray(rhs, self.dtype)
        if block.ndim not in (1, 2) or len(block) != self.size:
            raise ValueError(f"rhs must have {self.size} rows, got shape {block.shape}.")
        if isinstance(self.matrix, np.ndarray):
            return matmul(self.matrix, block)
        columns = np.ascontiguousarray(block.reshape(self.size, -1))
        if self.matrix is None:
            out = self._rows.dot(columns)
        else:
            if self._operator is None:
                self._operator = SparseOperator(self.matrix)
            out = self._operator(columns)
        return out.reshape(block.shape)

    def __matmul__(self, rhs: Any) -> np.ndarray:
        return self.dot(rhs)

    def sum(self) -> np.ndarray:
        """The sum of each row, in double: the degrees of the records.

        Returns
        -------
        ndarray of shape (n,), float64
        """
        if isinstance(self.matrix, np.ndarray):
            return self.matrix.sum(axis=1, dtype=np.float64)
        if self.matrix is None:
            return self._rows.dot(np.ones((self.size, 1), self.dtype))[:, 0].astype(np.float64)
        out = np.zeros(self.size)
        there = np.diff(self.matrix.indptr) > 0
        starts = self.matrix.indptr[:-1][there]
        out[there] = np.add.reduceat(self.matrix.data, starts, dtype=np.float64)
        return out

    def diagonal(self) -> np.ndarray:
        """The value of each record with itself.

        Returns
        -------
        ndarray of shape (n,)
        """
        if self.matrix is not None:
            return np.array(self.matrix.diagonal())
        every = np.arange(self.size + 1)
        return self._rows.entries(every, every[:-1])

    def column(self, i: int) -> np.ndarray:
        """The values of all records with one of them.

        Parameters
        ----------
        i : int

        Returns
        -------
        ndarray of shape (n,)

        Raises
        ------
        IndexError
            If there is no such record.
        """
        if not -self.size <= i < self.size:
            raise IndexError(f"There is no record {i} among {self.size}.")
        return self[np.array([i])][0]

    def __getitem__(self, which: Any) -> np.ndarray:
        """Some rows of the matrix as an array; `which` is what NumPy takes for rows."""
        if isinstance(self.matrix, np.ndarray):
            return self.matrix[which]
        rows = np.arange(self.size)[which]
        many = np.ascontiguousarray(np.atleast_1d(rows))
        out = self.matrix[many].toarray() if self.matrix is not None else self._rows.rows(which=many)
        return out if np.ndim(rows) else out[0]

    def to_upper_triangle(self) -> np.ndarray:
        """The values above the diagonal, row by row.

        Returns
        -------
        ndarray of shape (n (n - 1) / 2,)
        """
        return self.toarray()[np.triu_indices(self.size, 1)]

    def toarray(self) -> np.ndarray:
        """The whole matrix.

        Returns
        -------
        ndarray of shape (n, n)
            What is stored, where that is the whole.
        """
        if isinstance(self.matrix, np.ndarray):
            return self.matrix
        return self._rows.rows() if self.matrix is None else self.matrix.toarray()

    to_dense = to_numpy = toarray

    def tocsr(self) -> csr_matrix:
        """The whole matrix as CSR.

        Returns
        -------
        csr_matrix of shape (n, n)
            What is stored, where that is sparse.
        """
        if is_sparse(self.matrix):
            return self.matrix
        from scipy.sparse import csr_matrix

        return csr_matrix(self.toarray())

    def as_linear_operator(self) -> LinearOperator:
        """The matrix as SciPy's solvers take it.

        Returns
        -------
        LinearOperator of shape (n, n)
        """
        from scipy.sparse.linalg import LinearOperator

        return LinearOperator(
            self.shape, self.dot, rmatvec=self.dot, matmat=self.dot, rmatmat=self.dot, dtype=self.dtype
        )

    def cross(self, Z: Any) -> Any:
        """The values of other records with those of the kernel.

        Parameters
        ----------
        Z : array-like, dataframe, sparse matrix or Dataset of shape (m, d)

        Returns
        -------
        ndarray or csr_matrix of shape (m, n)
            With `Sparse`, a CSR matrix of the values with the k nearest.

        Raises
        ------
        ValueError, TypeError
            If Z are no such records, or the kernel has none because its matrix was given.
        """
        if self.X is None:
            raise ValueError("A precomputed kernel has no records, so that it knows no values of others.")
        table = _made_dense(_read(Z, "Kernel", self.X.shape[1], "Z"))
        if table.dtype != self.dtype:
            table = table.astype(self.dtype)
        by_tile = isinstance(self.method, Method)
        points = self.method.records(table).X if by_tile else table.X
        if not isinstance(self.kind, Sparse):
            return self._rows.rows(points) if by_tile else _by_function(self.method, table.X, self.X)
        k = self.kind.k
        indices = np.sort(self._index.nearest(table.X, k)[1], axis=1).astype(np.int32).ravel()
        indptr = np.arange(table.n + 1, dtype=np.int32) * np.int32(k)
        if by_tile:
            data = self._rows.entries(indptr, indices, points)
        else:
            pairs = zip(np.repeat(np.arange(table.n), k), indices, strict=True)
            data = np.array([self.method(table.X[i], self.X[j]) for i, j in pairs], self.dtype)
        return _csr_of(data, indices, indptr, self.size)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.toarray(), dtype=dtype, copy=copy)

    def __len__(self) -> int:
        return self.size

    def __repr__(self) -> str:
        method = self.method if isinstance(self.method, Method) else shown(self.method)
        return f"Kernel({self.size} records, {method}, {self.kind})"


class KernelParams(Recipe):
    """An immutable recipe for kernels: the way the deck makes them.

    Parameters
    ----------
    method, kind
        As for `Kernel`.

    Examples
    --------
    >>> from clinfa.datasets import load_iris
    >>> from clinfa.kernels import Gaussian, Kernel, Sparse
    >>> recipe = Kernel.params(kind=Sparse(15), method=Gaussian(2.0))
    >>> recipe.transform(load_iris().records).shape
    (150, 150)
    """

    method: Any = param(Gaussian(0.5), _METHOD)
    kind: Any = param("auto", _KIND)

    def transform(self, X: Any) -> Any:
        """The kernel of records.

        Parameters
        ----------
        X : array-like, dataframe, sparse matrix or Dataset of shape (n, d)

        Returns
        -------
        Kernel
            A Dataset whose records are the kernel where X is one.

        Raises
        ------
        ValueError, TypeError
            As `Kernel` does.
        """
        kernel = Kernel(X, self.check().method, self.kind)
        return X.with_records(kernel) if is_dataset(X) else kernel


def _read(X: Any, owner: str, width: int | None = None, role: str = "X") -> Table:
    return read_table(X.records if is_dataset(X) else X, owner, sparse=True, width=width, role=role)


def _made_dense(table: Table) -> Table:
    if not table.sparse:
        return Table(table.X, table.names, table._range)
    if table.n * table.d * table.dtype.itemsize > get_config()["working_memory"] << 20:
        raise ValueError(
            f"Sparse records of shape {table.X.shape} would not fit into working_memory as dense ones. "
            f"Reduce their columns first, or pass a precomputed kernel."
        )
    return Table(table.rows(np.arange(table.n)), table.names)


def _csr_of(data: np.ndarray, indices: np.ndarray, indptr: np.ndarray, width: int) -> csr_matrix:
    """A matrix of sorted rows."""
    from scipy.sparse import csr_matrix

    out = csr_matrix((data, indices, indptr), shape=(len(indptr) - 1, width))
    out.has_sorted_indices = out.has_canonical_format = True
    return out


def _by_function(method: Callable, X: np.ndarray, Y: np.ndarray | None = None) -> np.ndarray:
    """All values of a user's function; each pair is asked for once where both are from X."""
    out = np.empty((len(X), len(X if Y is None else Y)), X.dtype)
    for i, x in enumerate(X):
        for j in range(i if Y is None else 0, out.shape[1]):
            out[i, j] = method(x, (X if Y is None else Y)[j])
            if Y is None:
                out[j, i] = out[i, j]
    return out
