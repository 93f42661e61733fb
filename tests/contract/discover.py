"""Every estimator of clinfa, and the variants of its parameters, found by looking."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import types
import typing

import pytest
from sklearn.utils._test_common.instance_generator import INIT_PARAMS

import clinfa
from clinfa.base import Estimator
from tests.contract.problems import build, few, needed

# Variants that neither scikit-learn nor a parameter's annotation names, by class name.
MORE: dict[str, list[dict]] = {"SpectralEmbedding": [{"affinity": "rbf"}]}
# A fit that goes on where another ended, a score of few models: tests/ensemble has them.
NOT_VARIED = ("oob_score", "warm_start")
# What a choice needs beside it where records have two columns.
BESIDE = {("TruncatedSVD", "arpack"): {"n_components": 1}}


def _modules(path, prefix):
    for found in pkgutil.iter_modules(path, prefix):
        if found.name.rpartition(".")[2].startswith("_"):
            continue
        module = importlib.import_module(found.name)
        yield module
        if found.ispkg:
            yield from _modules(module.__path__, f"{found.name}.")


def estimator_classes() -> list[type]:
    """The estimators that a public module offers, by name."""
    found = {
        cls
        for module in _modules(clinfa.__path__, "clinfa.")
        for name, cls in inspect.getmembers(module, inspect.isclass)
        if name in module.__all__ and issubclass(cls, Estimator) and hasattr(cls, "_fit")
    }
    return sorted(found, key=lambda cls: (cls.__name__, cls.__module__))


def _choices(hint) -> list:
    """What an annotation names: the entries of its Literals, and both bools."""
    if hint is bool:
        return [True, False]
    if typing.get_origin(hint) is typing.Literal:
        return list(typing.get_args(hint))
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return [choice for part in typing.get_args(hint) for choice in _choices(part)]
    return []


def variants(cls: type) -> list[dict]:
    """Settings to test: the defaults, each other choice of one parameter, scikit-learn's."""
    out: list[dict] = [{}]
    hints = typing.get_type_hints(cls)
    for name, value in cls().get_params(deep=False).items():
        if name in NOT_VARIED:
            continue
        others = [c for c in _choices(hints[name]) if c != value or type(c) is not type(value)]
        out += [{name: c} | BESIDE.get((cls.__name__, c), {}) for c in others]
    for theirs, params in INIT_PARAMS.items():
        if theirs.__name__ == cls.__name__:
            out += params if isinstance(params, list) else [params]
    every = [few(cls) | settings | needed(cls) for settings in out + MORE.get(cls.__name__, [])]
    return [settings for at, settings in enumerate(every) if settings not in every[:at]]


def _on_records(cls: type, params: dict) -> bool:
    """Whether it wants records, not distances or a kernel; scikit-learn's checks bring what fits."""
    given = any(str(value).startswith("precomputed") for value in params.values())
    return not given and not build(cls, **params).__sklearn_tags__().input_tags.pairwise


EVERY = estimator_classes()
CLASSES = [cls for cls in EVERY if _on_records(cls, {})]
VARIANTS = [(cls, params) for cls in EVERY for params in variants(cls)]
ON_RECORDS = [(cls, params) for cls, params in VARIANTS if _on_records(cls, params)]


def label(cls, params) -> str:
    """A variant in a test's name."""
    told = ",".join(f"{k}={v}" for k, v in params.items() if k not in needed(cls))
    return f"{cls.__name__}({told})"


def having(method: str) -> list[type]:
    return [cls for cls in CLASSES if hasattr(build(cls), method)]


def of_kind(kind: str) -> list[type]:
    return [cls for cls in CLASSES if cls._kind == kind]


def each(classes=None):
    """Parametrise a test by class, as `cls`."""
    return pytest.mark.parametrize("cls", CLASSES if classes is None else classes, ids=lambda c: c.__name__)


each_variant = pytest.mark.parametrize(
    ("cls", "params"), ON_RECORDS, ids=[label(cls, params) for cls, params in ON_RECORDS]
)
