"""pytest plugin: patches scikit-learn before anything is collected, notes which tests use what is ours.

A test uses what is ours where it makes, clones or fits one of our estimators, or calls one of our
functions. To see that, both are wrapped here, in the process of the tests only.
"""

from __future__ import annotations

import functools
import inspect
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clinfa import patch

_used = False
_outcomes: dict[str, dict[str, Any]] = {}


def _noted(function: Callable) -> Callable:
    @functools.wraps(function)
    def call(*arguments: Any, **more: Any) -> Any:
        global _used
        _used = True
        return function(*arguments, **more)

    return call


def _watch() -> None:
    wrapped: dict[Any, Any] = {}
    for name, (_, ours) in patch._pairs():
        if inspect.isclass(ours):
            for method in ("__init__", "get_params", "_check_params"):
                if ours not in wrapped and hasattr(ours, method):
                    setattr(ours, method, _noted(getattr(ours, method)))
            wrapped[ours] = ours
        else:
            wrapped.setdefault(ours, _noted(ours))
            module, _, short = name.rpartition(".")
            setattr(sys.modules[f"clinfa.{module}"], short, wrapped[ours])
            setattr(sys.modules[ours.__module__], short, wrapped[ours])  # pickle looks here


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--outcomes", help="where to write what became of each test")


def pytest_configure(config: pytest.Config) -> None:
    _watch()
    patch.patch_sklearn()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    global _used
    _used = False


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    item.user_properties[:] = [("uses ours", _used)]
    yield


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        _note(report.nodeid, "failed", True, report)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    known = _outcomes.get(report.nodeid, {"outcome": "passed"})["outcome"]
    outcome = report.outcome if known == "passed" else known
    _note(report.nodeid, outcome, dict(report.user_properties)["uses ours"], report)


def _note(nodeid: str, outcome: str, uses_ours: bool, report: Any) -> None:
    crash = getattr(report.longrepr, "reprcrash", None)
    words = crash.message if crash else str(report.longrepr or "")
    old = _outcomes.get(nodeid, {})
    _outcomes[nodeid] = {
        "outcome": outcome,
        "uses ours": uses_ours or old.get("uses ours", False),
        "words": old.get("words") or (words if report.failed else ""),
    }


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):  # the workers of xdist report to the one that writes
        Path(session.config.getoption("--outcomes")).write_text(json.dumps(_outcomes))
