"""The neutral figure of kernel machines, on problems that are solved by hand."""

import numpy as np
import pytest

from benchmarks.cases.svm import nu_svc, one_class, svc, svr

# Two records whose kernel is 1/2.
TWO = {"X": np.array([[0.0], [1.0]]), "y": np.array([0, 1]), "gamma": np.log(2)}


def column(*values):
    return np.array(values)[:, None]


def test_classification_of_two():
    # 2 a - a² (1 - 1/2) is greatest, 2, at a = 2.
    assert svc(TWO, column(2.0, 2.0), C=5.0) == pytest.approx(1 / 2, rel=1e-14)
    assert svc(TWO, column(-2.0, 2.0), C=5.0) == pytest.approx(1 / 2, rel=1e-14)  # (signs differ by library)


def test_at_the_bound_the_figure_is_that_of_the_bound():
    assert svc(TWO, column(1.0, 1.0), C=1.0) == pytest.approx(1 / 1.5, rel=1e-14)


@pytest.mark.parametrize(
    ("coefficients", "C"),
    [((1.0, 1.0), 5.0), ((2.0, 2.0), 1.5), ((2.0, 1.5), 5.0)],
    ids=["far from the optimum", "out of bounds", "the wrong sum"],
)
def test_what_is_no_solution_is_infinite(coefficients, C):
    assert svc(TWO, column(*coefficients), C=C) == np.inf


def test_nu_classification_whatever_the_scale():
    # Each coefficient is nu = 1/2 of 1: b'K b / 2 = (1/4 + 1/4 - 2 / 8) / 2.
    for scale in (1.0, 7.0):
        assert nu_svc(TWO, column(scale, scale), nu=0.5) == pytest.approx(1 / 8, rel=1e-14)


def test_novelty():
    # Both coefficients are 1/2: (1/4 + 1/4 + 2 / 8) / 2.
    assert one_class(TWO, column(0.5, 0.5), nu=0.5) == pytest.approx(3 / 8, rel=1e-14)
    assert one_class(TWO, column(0.5, 0.4), nu=0.5) == np.inf


def test_regression():
    # y'b - epsilon |b| - b'K b / 2 for b = (-a, a): a (4 - 2 · 1/2) - a² / 2, greatest, 9/2, at a = 3.
    data = TWO | {"y": np.array([0.0, 4.0])}
    assert svr(data, column(-3.0, 3.0), C=10.0, epsilon=0.5) == pytest.approx(2 / 9, rel=1e-14)
    assert svr(data, column(-2.0, 2.0), C=10.0, epsilon=0.5) == np.inf
