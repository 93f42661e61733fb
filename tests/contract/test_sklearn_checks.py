"""scikit-learn's own checks, all of them, nothing excused."""

from contextlib import contextmanager

import pytest
import scipy._lib._array_api
from sklearn.base import ClusterMixin
from sklearn.utils import estimator_checks as checks

from tests.cases import cases, in_cases
from tests.contract.discover import CLASSES, VARIANTS, build, each, each_variant, having, label, of_kind

# Estimators are no subclasses of scikit-learn's; its own checks may touch what it deprecates.
EXPECTED = "ignore:Estimator .* does not inherit from:UserWarning"
# Some checks have four different rows, and the default is to look for more clusters than that.
FEW_ROWS = "ignore:Number of distinct clusters:sklearn.exceptions.ConvergenceWarning"

# Some ask for one cluster, whatever the algorithm.
ONE_CLUSTER = "ignore:algorithm=.* doesn't make sense for a single cluster:RuntimeWarning"
# Some have classes of very different weight.
FEW_OF_A_CLASS = "ignore:specified nu is infeasible:UserWarning"
# Some allow few iterations.
EARLY = "ignore:Solver terminated early:sklearn.exceptions.ConvergenceWarning"


def _checks(cls, params):
    """Model and check of each."""
    for model, check in checks.estimator_checks_generator(cls(**params), legacy=True):
        name = checks._check_name(check)
        if name.endswith("_decision_function") and not hasattr(model, "decision_function"):
            continue
        # It takes the columns of "ovo", which are pairs of classes, for classes; and the curve over
        # held-out scores need not pass one half where the function passes zero.
        odd = params.get("decision_function_shape") == "ovo" or params.get("probability")
        if odd and name == "check_classifiers_train":
            continue
        # It wants numbers below zero to be learned as counts.
        if params.get("criterion") == "poisson" and name == "check_regressor_multioutput":
            continue
        yield model, check


@contextmanager
def _no_skip():
    try:
        yield
    except checks.SkipTest as skipped:
        pytest.fail(f"scikit-learn skipped: {skipped}")


@pytest.mark.parametrize(("cls", "params"), VARIANTS, ids=[label(*each) for each in VARIANTS])
@pytest.mark.filterwarnings(EXPECTED, FEW_ROWS, ONE_CLUSTER, FEW_OF_A_CLASS, EARLY)
def test_check_estimator(cls, params):
    seen = 0
    with cases() as case:
        for model, check in _checks(cls, params):
            seen += 1
            with case(checks._check_name(check)), _no_skip():
                check(model)
    assert seen > 30


def test_there_is_something_to_check():
    assert CLASSES
    assert scipy._lib._array_api.SCIPY_ARRAY_API


def test_nothing_of_scikit_learn_is_inherited():
    for cls in CLASSES:
        assert not [base for base in cls.__mro__ if base.__module__.startswith("sklearn")]


@each()
def test_class_is_public_where_scikit_learn_has_it(cls):
    package = ".".join(cls.__module__.split(".")[:2])
    module = __import__(package, fromlist=["x"])
    assert getattr(module, cls.__name__) is cls
    assert cls.__name__ in module.__all__


TABLE_CHECKS = [
    checks.check_dataframe_column_names_consistency,
    checks.check_readonly_memmap_input,
    checks.check_inplace_ensure_writeable,
    checks.check_n_features_in_after_fitting,
]
TRANSFORMER_CHECKS = [
    checks.check_get_feature_names_out_error,
    checks.check_transformer_get_feature_names_out,
    checks.check_transformer_get_feature_names_out_pandas,
    checks.check_set_output_transform,
    checks.check_set_output_transform_pandas,
    checks.check_set_output_transform_polars,
    checks.check_global_output_transform_pandas,
    checks.check_global_set_output_transform_polars,
    checks.check_transformer_n_iter,
]


def _named(functions):
    return pytest.mark.parametrize("check", functions, ids=lambda f: f.__name__)


@in_cases("check", TABLE_CHECKS)
@each_variant
@pytest.mark.filterwarnings(EXPECTED)
def test_more_checks_of_tables(cls, params, check):
    with _no_skip():
        check(cls.__name__, cls(**params))


@each(having("transform"))
@_named(TRANSFORMER_CHECKS)
@pytest.mark.filterwarnings(EXPECTED)
def test_more_checks_of_transformers(cls, check):
    if check is checks.check_transformer_n_iter and "max_iter" not in cls._rules:
        return
    with _no_skip():
        check(cls.__name__, build(cls))


@each()
@pytest.mark.filterwarnings(EXPECTED)
def test_n_iter(cls):
    if "max_iter" in cls._rules:
        checks.check_non_transformer_estimators_n_iter(cls.__name__, build(cls))


def _clustering_checks():
    class Marked(ClusterMixin):
        """What scikit-learn recognises a clusterer by."""

    return checks._yield_clustering_checks(Marked())


@pytest.mark.parametrize("check", list(_clustering_checks()), ids=checks._check_name)
@each(of_kind("clusterer"))
@pytest.mark.filterwarnings(EXPECTED)
def test_more_checks_of_clusterers(cls, check):
    with _no_skip():
        check(cls.__name__, build(cls))
