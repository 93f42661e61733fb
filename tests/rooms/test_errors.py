"""Exceptions that scikit-learn's users catch, without scikit-learn."""

import pickle
import subprocess
import sys

import pytest
import sklearn.exceptions

from clinfa import errors
from clinfa.cluster import KMeans

TWINS = ["NotFittedError", "ConvergenceWarning", "DataConversionWarning"]


@pytest.mark.parametrize("name", TWINS)
def test_both_classes_catch(name):
    ours, theirs = getattr(errors, name), getattr(sklearn.exceptions, name)
    cls = errors.twin(ours)
    assert issubclass(cls, ours)
    assert issubclass(cls, theirs)
    assert cls.__name__ == name
    assert errors.twin(ours) is cls
    with pytest.raises(theirs):
        raise cls("text")
    with pytest.raises(ours, match="text"):
        raise cls("text")


@pytest.mark.parametrize("name", TWINS + ["InvalidParameterError"])
def test_twins_pickle(name):
    """Worker processes send errors home."""
    error = errors.twin(getattr(errors, name))("text", 3)
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, getattr(errors, name))
    assert again.args == ("text", 3)


def test_a_class_that_they_do_not_have():
    assert errors.twin(errors.InvalidParameterError) is errors.InvalidParameterError


def test_unfitted():
    for caught in (
        sklearn.exceptions.NotFittedError,
        errors.NotFittedError,
        ValueError,
        AttributeError,
    ):
        with pytest.raises(caught, match=r"KMeans instance is not fitted yet. Call 'fit'"):
            KMeans().predict([[0.0]])


def test_without_scikit_learn():
    code = """
import sys, warnings
import numpy as np
from clinfa import errors
from clinfa.cluster import KMeans
assert errors.twin(errors.NotFittedError) is errors.NotFittedError
try:
    KMeans().predict([[0.0]])
except errors.NotFittedError:
    pass
m = KMeans(2, random_state=0).fit(np.eye(4))
m.transform(np.eye(4)), m.score(np.eye(4)), repr(m), m._repr_html_()
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    KMeans(2).fit(np.ones((4, 2)))
assert seen[0].category is errors.ConvergenceWarning, seen
assert not [m for m in sys.modules if m.startswith("sklearn")]
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
