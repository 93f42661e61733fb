"""Rules: what they allow, and how they say it."""

import fractions

import numpy as np
import pytest

from clinfa.errors import InvalidParameterError
from clinfa.params import (
    at_least,
    between,
    boolean,
    function,
    instance,
    matrix,
    none,
    one_of,
    positive,
    seed,
)

CASES = {
    "at_least": (
        at_least(1),
        [1, 2**70, np.int8(3), np.uint64(1)],
        [0, -1, 1.0, True, np.True_, None, "1"],
    ),
    "between": (
        between(0, 1),
        [0, 1, 0.5, np.float32(1), fractions.Fraction(1, 2)],
        [-1e-300, 1.0000001, np.nan, np.inf, True, "0.5", None, 1j, np.array([0.5])],
    ),
    "between, open": (between(0, 1, closed="neither"), [0.5, 5e-324], [0, 1, 0.0, -0.0, np.nan]),
    "between, left": (between(0, 1, closed="left"), [0, 0.5], [1, np.nan]),
    "between, right": (between(0, 1, closed="right"), [0.5, 1], [0, np.nan]),
    "no upper end": (between(0), [0, 1e308, 10**30], [np.inf, -np.inf, np.nan, -5e-324]),
    "positive": (positive(), [5e-324, 1], [0, -0.0, np.inf, np.nan]),
    "one_of": (
        one_of("a", "b"),
        ["a", np.str_("b")],
        ["c", "", b"a", None, ["a"], np.array(["a"])],
    ),
    "none": (none(), [None], [0, False, "None"]),
    "boolean": (boolean(), [True, False, np.True_], [0, 1, 1.0, "True", None]),
    "function": (function(), [len, lambda: 0, int], [1, "len", None]),
    "matrix": (matrix(), [np.eye(2), [[1]], ((1,),)], ["text", 1.5, None, {}, object()]),
    "instance": (instance(dict, list), [{}, []], [(), None, dict]),
    "seed": (
        seed(),
        [None, 0, 2**32 - 1, np.int64(7), np.random.RandomState(0), np.random.default_rng(0)],
        [-1, 2**32, 1.0, "0", True, np.random],
    ),
    "joined": (at_least(1) | one_of("auto") | none(), [1, "auto", None], [0, "else", 1.5]),
}
GOOD = [(name, value) for name, (_, good, _) in CASES.items() for value in good]
BAD = [(name, value) for name, (_, _, bad) in CASES.items() for value in bad]


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_allowed(name, value):
    rule = CASES[name][0]
    assert rule.allows(value)
    rule.check("p", value, "Owner")


@pytest.mark.parametrize(("name", "value"), BAD)
def test_refused_with_names_of_everything(name, value):
    rule = CASES[name][0]
    with pytest.raises(InvalidParameterError) as caught:
        rule.check("some_name", value, "Owner")
    text = str(caught.value)
    assert text.startswith(f"The 'some_name' parameter of Owner must be {rule.words}. Got ")
    assert isinstance(caught.value, ValueError)


def test_words():
    assert (at_least(2) | one_of("auto")).words == "an int >= 2 or 'auto'"
    assert one_of("a", "b", "c").words == "'a', 'b' or 'c'"
    assert one_of("a").words == "'a'"
    assert between(0, 1, closed="left").words == "a float in [0, 1)"
    assert between(0).words == "a float in [0, inf)"
    assert positive().words == "a float in (0, inf)"


def test_long_values_are_cut_and_arrays_described():
    with pytest.raises(InvalidParameterError, match=r"Got an array of shape \(1000, 1000\)"):
        at_least(1).check("p", np.zeros((1000, 1000)), "Owner")
    with pytest.raises(InvalidParameterError) as caught:
        at_least(1).check("p", "x" * 10_000, "Owner")
    assert len(str(caught.value)) < 200
