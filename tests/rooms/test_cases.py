"""A failure in one of many cases is never lost."""

import os
import signal

import pytest

from tests.cases import cases, in_cases
from tests.contract.problems import each_in_child


def divide(numbers):
    seen = []
    with cases() as case:
        for number in numbers:
            with case("number", number):
                seen.append(number)
                assert 1 / number
    return seen


def test_all_are_well():
    assert divide([1, 2]) == [1, 2]


def test_one_fails():
    with pytest.raises(ZeroDivisionError) as caught:
        divide([1, 0, 2])
    assert caught.value.__notes__ == ["in the case number, 0"]


def test_some_fail():
    with pytest.raises(BaseExceptionGroup, match=r"2 cases: number, 0; number, 0\.0") as caught:
        divide([0, 1, 0.0])
    assert [type(error) for error in caught.value.exceptions] == [ZeroDivisionError] * 2


def test_what_pytest_raises_is_a_failure():
    with pytest.raises(pytest.fail.Exception) as caught, cases() as case, case("a"):
        pytest.fail("said so")
    assert caught.value.__notes__ == ["in the case a"]


def test_what_fails_between_cases():
    with pytest.raises(KeyError), cases():
        raise KeyError


def test_arguments():
    seen = []

    @in_cases("b", {"x": 1, "y": 2})
    @in_cases("a", [1, 2])
    def test(a, b, c):
        seen.append((a, b, c))
        assert (a, b) != (2, "x")

    with pytest.raises(AssertionError) as caught:
        test(c=3)
    assert seen == [(1, "x", 3), (2, "x", 3), (1, "y", 3), (2, "y", 3)]
    assert caught.value.__notes__ == ["in the case 2", "in the case x"]


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_what_a_child_dies_of():
    assert each_in_child({"a": lambda: 1, "b": lambda: 2}) == {"a": 1, "b": 2}
    with pytest.raises(AssertionError, match="SIGKILL") as caught:
        each_in_child({"a": lambda: 1, "b": lambda: os.kill(os.getpid(), signal.SIGKILL), "c": lambda: 3})
    assert caught.value.__notes__ == ["at b"]
    with pytest.raises(AssertionError, match="SIGALRM") as caught:
        each_in_child({"a": signal.pause}, limit=1)
    assert caught.value.__notes__ == ["at a"]
