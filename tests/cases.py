"""Many cases in one test: all of them run, and those that fail are named.

A test is parametrised by estimator (and by what decides which code runs); the ways to say one and the same
thing are its cases. pytest takes longer over a test than most cases take, and what they share is made once.
"""

import functools
import inspect
from contextlib import contextmanager

import pytest


@contextmanager
def cases():
    """Gives `case`: ``with case(name):`` around each. What failed is raised at the end, with its name.

    Examples
    --------
    >>> with cases() as case:
    ...     for number in (1, 2, 0):
    ...         with case("number", number):
    ...             assert 1 / number
    Traceback (most recent call last):
    ZeroDivisionError: division by zero
    in the case number, 0
    """
    failed = []

    @contextmanager
    def case(*name):
        try:
            yield
        except (Exception, pytest.fail.Exception) as error:
            said = ", ".join(getattr(part, "__name__", str(part)) for part in name)
            error.add_note(f"in the case {said}")
            failed.append((said, error))

    yield case
    if len(failed) == 1:
        raise failed[0][1]
    if failed:
        which = "; ".join(said for said, _ in failed)
        raise BaseExceptionGroup(f"{len(failed)} cases: {which}", [error for _, error in failed])


def in_cases(name, values):
    """As `pytest.mark.parametrize`, but all in one test: its argument `name` takes each of the values."""

    def decorate(test):
        @functools.wraps(test)
        def whole(**given):
            with cases() as case:
                for value in values:
                    with case(value):
                        test(**given, **{name: value})

        signature = inspect.signature(test)
        others = [p for p in signature.parameters.values() if p.name != name]
        whole.__signature__ = signature.replace(parameters=others)
        return whole

    return decorate
