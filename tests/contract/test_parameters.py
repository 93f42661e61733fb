"""Whatever a parameter is set to: construction takes it, and `fit` says what is wrong with it."""

import fractions

import numpy as np
import pytest

from clinfa.errors import InvalidParameterError
from tests.cases import cases, in_cases
from tests.contract.discover import CLASSES, build, each
from tests.contract.problems import each_in_child, groups, state, targets

# What asks for work without end is a fair request, not an error.
ENDLESS = ("n_estimators", "n_init")


class Unprintable:
    def __repr__(self):
        raise RuntimeError("no repr")


HOSTILE = {
    "object": object(),
    "text": "no such choice",
    "empty text": "",
    "bytes": b"auto",
    "minus one": -1,
    "minus half": -0.5,
    "zero": 0,
    "half": 0.5,
    "three as a float": 3.0,
    "three of numpy": np.int8(3),
    "nan": float("nan"),
    "inf": float("inf"),
    "minus inf": float("-inf"),
    "complex": 1j,
    "fraction": fractions.Fraction(1, 3),
    "2**70": 2**70,
    "-2**70": -(2**70),
    "2**2000": 2**2000,
    "10**5000": 10**5000,
    "-10**5000": -(10**5000),
    "None": None,
    "True": True,
    "list": [],
    "nested list": [[1.0]],
    "dict": {},
    "set": set(),
    "array": np.arange(3),
    "array of text": np.array(["a", "b"]),
    "array of NaN": np.full((3, 3), np.nan),
    "0-D array": np.array(2),
    "class": int,
    "function": lambda: None,
    "estimator": build(CLASSES[0]),
    "unprintable": Unprintable(),
    "long": "x" * 10_000,
}
PAIRS = [(cls, name) for cls in CLASSES for name in cls._rules]


@pytest.mark.filterwarnings("ignore:Some inputs do not have OOB scores:UserWarning")
@in_cases("label", HOSTILE)
@pytest.mark.parametrize(("cls", "name"), PAIRS, ids=lambda p: getattr(p, "__name__", p))
@pytest.mark.filterwarnings("ignore:Explicit initial center position:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:init_size=.* should be larger than n_clusters:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:Number of distinct clusters:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:Solver terminated early:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:Liblinear failed to converge:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:All reachability values are inf:UserWarning")
@pytest.mark.filterwarnings("ignore:Mind that for 0 < p < 1:UserWarning")
@pytest.mark.filterwarnings("ignore:Sample weights have reached infinite values:UserWarning")
@pytest.mark.filterwarnings("ignore:max_samples .* is greater than the total number:UserWarning")
def test_hostile_value(cls, name, label):
    value = HOSTILE[label]
    if name in ENDLESS and isinstance(value, int) and value > 1000:
        return
    X, which = groups()
    model = build(cls, **{name: value})
    assert getattr(model, name) is value
    allowed = cls._rules[name].allows(value)
    error = None
    try:
        model.fit(X, targets(cls, which))
    except (ValueError, TypeError) as caught:
        error, said = caught, str(caught)
    assert model.__sklearn_is_fitted__() == (error is None)
    if not allowed:
        assert isinstance(error, InvalidParameterError)
        assert repr(name) in said
        assert cls.__name__ in said
        assert len(said) < 1000
    elif error and not callable(value):  # a function that was passed raises what it likes
        assert name in said
    assert getattr(model, name) is value


@each()
def test_no_parameter_takes_anything(cls):
    """The oracle of the test above is the rule itself: so the rule must refuse something."""
    assert [name for name, rule in cls._rules.items() if rule.allows(object())] == []


@each()
def test_bad_value_leaves_the_old_fit(cls):
    X, which = groups()
    y = targets(cls, which)
    model = build(cls).fit(X, y)
    before = state(model, X)
    with cases() as case:
        for name in cls._rules:
            with case(name):
                old = getattr(model, name)
                model.set_params(**{name: object()})
                with pytest.raises(InvalidParameterError):
                    model.fit(X[:50], None if y is None else y[:50])
                model.set_params(**{name: old})
                assert state(model, X) == before


@each()
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:Solver terminated early:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:Sample weights have reached infinite values:UserWarning")
@pytest.mark.filterwarnings("ignore:max_samples .* is greater than the total number:UserWarning")
def test_huge_value_neither_hangs_nor_crashes(cls):
    X, which = groups()

    def work(name, value):
        try:
            build(cls, **{name: value}).fit(X, targets(cls, which))
        except (ValueError, TypeError) as error:
            return name in str(error)
        return True

    works = {
        f"{name}={said}": lambda name=name, value=value: work(name, value)
        for said, value in (("10**9", 10**9), ("10**12", 10**12), ("2**70", 2**70))
        for name, rule in cls._rules.items()
        if name not in ENDLESS and rule.allows(value)
    }
    assert [which for which, named in each_in_child(works).items() if not named] == []


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_parameters_are_checked_before_the_data(cls):
    name = next(iter(cls._rules))
    with pytest.raises(InvalidParameterError, match=name):
        cls(**{name: object()}).fit("no data at all")
