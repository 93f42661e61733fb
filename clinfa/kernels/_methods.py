"""What a kernel is of two records, and which of its values are kept."""

from __future__ import annotations

import dataclasses
from typing import ClassVar, dataclass_transform

import numpy as np

from clinfa.arrays import Table
from clinfa.params import Rule, at_least, param, positive
from clinfa.spatial import Function, unit_rows

__all__ = ["Cosine", "Gaussian", "Laplacian", "Linear", "Method", "Polynomial", "Sigmoid", "Sparse"]

_ANY = Rule(
    "a finite float",
    lambda v: isinstance(v, int | float | np.number) and not isinstance(v, bool) and bool(np.isfinite(v)),
)


@dataclass_transform(field_specifiers=(param,), frozen_default=True)
class _Checked:
    """Immutable, its fields declared by `params.param` and checked when it is made."""

    def __init_subclass__(cls) -> None:
        dataclasses.dataclass(frozen=True)(cls)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            field.metadata["rule"].check(field.name, getattr(self, field.name), type(self).__name__)


class Method(_Checked):
    """A kernel of two records; see its subclasses.

    Examples
    --------
    >>> from clinfa.kernels import Gaussian, Method
    >>> isinstance(Gaussian(2.0), Method)
    True
    """

    directions: ClassVar[bool] = False  # whether records count by their direction only
    is_linear: ClassVar[bool] = False

    def function(self) -> Function:
        """How the tile computes it."""
        raise TypeError(f"{type(self).__name__} is no kernel: use one of its subclasses.")

    def records(self, table: Table) -> Table:
        """The records as the function wants them."""
        return unit_rows(table) if self.directions else table


class Linear(Method):
    """The inner product x·y.

    Examples
    --------
    >>> from clinfa.kernels import Kernel, Linear
    >>> Kernel([[1.0, 2.0], [0.0, 1.0]], Linear()).toarray()
    array([[5., 2.],
           [2., 1.]])
    """

    is_linear: ClassVar[bool] = True

    def function(self) -> Function:
        return Function("inner")


class Gaussian(Method):
    """The kernel exp(-|x - y|² / eps): a record's value with itself is 1, exactly.

    Parameters
    ----------
    eps : float, default 0.5
        The squared distance at which the value is 1/e.

    Examples
    --------
    >>> from clinfa.kernels import Gaussian, Kernel
    >>> Kernel([[0.0], [2.0]], Gaussian(4.0)).toarray().round(4)
    array([[1.    , 0.3679],
           [0.3679, 1.    ]])
    """

    eps: float = param(0.5, positive(), positional=True)

    def function(self) -> Function:
        return Function("squared", "decay", 1.0 / float(self.eps))


class Polynomial(Method):
    """Powers of inner products: (x·y + c)^d.

    Parameters
    ----------
    c : float, default 1
    d : float, default 3
        Any real number. What a power that is no whole number makes of a negative sum is NaN.

    Examples
    --------
    >>> from clinfa.kernels import Kernel, Polynomial
    >>> Kernel([[1.0], [2.0]], Polynomial(1.0, 2.0)).toarray()
    array([[ 4.,  9.],
           [ 9., 25.]])
    """

    c: float = param(1.0, _ANY, positional=True)
    d: float = param(3.0, _ANY, positional=True)

    def function(self) -> Function:
        return Function("inner", "power", 1.0, float(self.c), float(self.d))


class Laplacian(Method):
    """The kernel exp(-|x - y|₁ / eps), of the distance along the axes.

    Parameters
    ----------
    eps : float, default 0.5
        The distance at which the value is 1/e.

    Examples
    --------
    >>> from clinfa.kernels import Kernel, Laplacian
    >>> Kernel([[0.0], [2.0]], Laplacian(2.0)).toarray().round(4)
    array([[1.    , 0.3679],
           [0.3679, 1.    ]])
    """

    eps: float = param(0.5, positive(), positional=True)

    def function(self) -> Function:
        return Function("city", "decay", 1.0 / float(self.eps))


class Sigmoid(Method):
    """The kernel tanh(gamma x·y + c).

    Parameters
    ----------
    gamma : float, default 1
    c : float, default 0

    Examples
    --------
    >>> from clinfa.kernels import Kernel, Sigmoid
    >>> Kernel([[0.0], [1.0]], Sigmoid()).toarray().round(4)
    array([[0.    , 0.    ],
           [0.    , 0.7616]])
    """

    gamma: float = param(1.0, _ANY, positional=True)
    c: float = param(0.0, _ANY, positional=True)

    def function(self) -> Function:
        return Function("inner", "tangent", float(self.gamma), float(self.c))


class Cosine(Method):
    """The cosine of the angle between records; 0 with a record of zeros.

    Examples
    --------
    >>> from clinfa.kernels import Cosine, Kernel
    >>> Kernel([[3.0, 4.0], [0.0, 2.0]], Cosine()).toarray()
    array([[1. , 0.8],
           [0.8, 1. ]])
    """

    directions: ClassVar[bool] = True

    def function(self) -> Function:
        return Function("inner")


class Sparse(_Checked):
    """Only values with near records are kept: a record's neighbours, and those whose neighbour it is.

    Parameters
    ----------
    k : int
        Neighbours of each record besides itself, by Euclidean distance; less than there are records.

    Examples
    --------
    >>> from clinfa.kernels import Sparse
    >>> Sparse(15)
    Sparse(k=15)
    """

    k: int = param(None, at_least(1), positional=True)
