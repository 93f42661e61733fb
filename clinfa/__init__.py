"""Classical machine learning with C-level hot loops.

Estimators live under scikit-learn's module names (``clinfa.cluster.KMeans``); sub-modules are loaded when
they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clinfa import (
        cluster,
        composing,
        datasets,
        decomposition,
        ensemble,
        inspection,
        kernels,
        manifold,
        metrics,
        naive_bayes,
        neighbors,
        preprocessing,
        random_projection,
        svm,
    )
    from clinfa.base import Params
    from clinfa.config import config_context, get_config, set_config
    from clinfa.dataset import Dataset, Pr
    from clinfa.patch import patch_sklearn, unpatch_sklearn
    from clinfa.versions import show_versions

__version__ = "0.1.0"

_FROM = {
    "Dataset": "clinfa.dataset",
    "Params": "clinfa.base",
    "Pr": "clinfa.dataset",
    "config_context": "clinfa.config",
    "get_config": "clinfa.config",
    "patch_sklearn": "clinfa.patch",
    "set_config": "clinfa.config",
    "show_versions": "clinfa.versions",
    "unpatch_sklearn": "clinfa.patch",
}
_MODULES = (
    "cluster",
    "composing",
    "datasets",
    "decomposition",
    "ensemble",
    "inspection",
    "kernels",
    "linalg",
    "manifold",
    "metrics",
    "naive_bayes",
    "neighbors",
    "preprocessing",
    "random_projection",
    "svm",
)

__all__ = [
    "Dataset",
    "Params",
    "Pr",
    "__version__",
    "cluster",
    "composing",
    "config_context",
    "datasets",
    "decomposition",
    "ensemble",
    "get_config",
    "inspection",
    "kernels",
    "linalg",
    "manifold",
    "metrics",
    "naive_bayes",
    "neighbors",
    "patch_sklearn",
    "preprocessing",
    "random_projection",
    "set_config",
    "show_versions",
    "svm",
    "unpatch_sklearn",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"clinfa.{name}")
    if name in _FROM:
        value = getattr(importlib.import_module(_FROM[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'clinfa' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
