"""Small real tables that ship with the library, and generators of synthetic ones.

Names, arguments and shapes are those of ``sklearn.datasets``. A loader returns a
:class:`ShippedDataset`: a :class:`clinfa.Dataset` that also answers to scikit-learn's names.
"""

from clinfa.datasets._classification import make_classification
from clinfa.datasets._generators import (
    make_blobs,
    make_circles,
    make_moons,
    make_regression,
    make_swiss_roll,
)
from clinfa.datasets._shipped import ShippedDataset
from clinfa.datasets._tables import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_linnerud,
    load_wine,
)

__all__ = [
    "ShippedDataset",
    "load_breast_cancer",
    "load_diabetes",
    "load_digits",
    "load_iris",
    "load_linnerud",
    "load_wine",
    "make_blobs",
    "make_circles",
    "make_classification",
    "make_moons",
    "make_regression",
    "make_swiss_roll",
]
