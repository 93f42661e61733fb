"""The same bits on any number of threads, and from many threads at once."""

import inspect
import sys
import threading

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

import clinfa
from clinfa.threads import Stripes
from tests.contract.discover import build, each, each_variant
from tests.contract.problems import (
    bits,
    cloud,
    groups,
    in_child,
    learned,
    many,
    outputs,
    state,
    targets,
    weights,
)

pytestmark = pytest.mark.usefixtures("short_stripes")
N, D = 20_000, 12
COUNTS = [(1, 2), (3, 8), (8, 1)]  # of ours, and of the BLAS
BLAS = ThreadpoolController()
HOW = [
    pytest.param(np.float64, "dense", False, id="float64-dense"),
    pytest.param(np.float32, "dense", True, id="float32-dense-weights"),
    pytest.param(np.float64, "csr", True, id="float64-csr-weights"),
    pytest.param(np.float32, "csr", False, id="float32-csr"),
]


@pytest.fixture
def most_stripes(monkeypatch):
    """How many stripes there were at most."""
    seen = [0]
    run = Stripes.run

    def spy(self, kernel):
        seen[0] = max(seen[0], len(self))
        return run(self, kernel)

    monkeypatch.setattr(Stripes, "run", spy)
    return seen


@pytest.fixture
def busy_interpreter():
    """Threads change places as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def _fit(cls, params, X, y, w=None):
    weighted = w is not None and "sample_weight" in inspect.signature(cls.fit).parameters
    how = {"sample_weight": w} if weighted else {}
    return build(cls, **params).fit(X, y, **how)


@pytest.mark.parametrize(("dtype", "storage", "weighted"), HOW)
@pytest.mark.filterwarnings("ignore:Liblinear failed to converge:sklearn.exceptions.ConvergenceWarning")
@each_variant
def test_same_bits_on_any_number_of_threads(cls, params, dtype, storage, weighted, most_stripes):
    if storage == "csr" and not build(cls, **params)._sparse:
        return
    n = many(cls, N)
    X = cloud(n, D, dtype=dtype, storage=storage)
    weighted = weighted and "sample_weight" in inspect.signature(cls.fit).parameters
    y, w = targets(cls, np.arange(n) % 3), weights(n) if weighted else None
    seen = []
    for count, of_blas in COUNTS:
        with clinfa.config_context(n_threads=count), BLAS.limit(limits=of_blas, user_api="blas"):
            seen.append(state(_fit(cls, params, X, y, w), X))
    assert most_stripes[0] >= 4
    for counts, one in zip(COUNTS[1:], seen[1:], strict=True):
        assert one == seen[0], f"{counts} threads differ in {[k for k in one if one[k] != seen[0][k]]}"


def _at_once(work, count=8):
    """Run `work(number)` on many threads that start together; what each returned."""
    barrier, out, errors = threading.Barrier(count), [None] * count, []

    def run(number):
        try:
            barrier.wait()
            out[number] = work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors
    return out


@pytest.mark.parametrize("storage", ["dense", "csr"])
@each()
def test_one_model_used_by_many_threads(cls, storage, busy_interpreter):
    if storage == "csr" and not cls._sparse:
        return
    X = cloud(many(cls, N), D, storage=storage)
    model = _fit(cls, {}, X, targets(cls, np.arange(X.shape[0]) % 3))
    before, serial = bits(vars(model)), bits(outputs(model, X))

    def work(number):
        with clinfa.config_context(n_threads=1 + number % 3):
            return bits(outputs(model, X))

    for seen in _at_once(work):
        assert seen == serial, f"differ in {[k for k in seen if seen[k] != serial[k]]}"
    assert bits(vars(model)) == before


@each()
def test_many_models_fitted_at_once(cls, busy_interpreter):
    n = many(cls, 5_000)
    sets = [cloud(n, 6, seed=number) for number in range(8)]
    y = targets(cls, np.arange(n) % 3)
    serial = [state(_fit(cls, {}, X, y), X) for X in sets]

    def work(number):
        with clinfa.config_context(n_threads=1 + number % 3):
            return state(_fit(cls, {}, sets[number], y), sets[number])

    for one, alone in zip(_at_once(work), serial, strict=True):
        assert one == alone, f"differ in {[k for k in one if one[k] != alone[k]]}"


@each()
def test_same_estimator_fitted_by_many_threads_ends_whole(cls, busy_interpreter):
    """Nobody may rely on whose fit wins; what is left is one of them, all of it."""
    sets = [groups(seed=number) for number in range(8)]
    whole = [state(_fit(cls, {}, X, targets(cls, which))) for X, which in sets]
    model = build(cls)
    _at_once(lambda number: model.fit(sets[number][0], targets(cls, sets[number][1])))
    assert bits(learned(model)) in whole


@each()
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_settings_changed_during_a_fit(cls):
    """Changing the process's number of threads meanwhile changes no bit and crashes nothing."""
    X = cloud(many(cls, N), D)
    y = targets(cls, np.arange(len(X)) % 3)
    alone = state(_fit(cls, {}, X, y), X)

    def work():
        stop = threading.Event()

        def change():
            while not stop.is_set():
                clinfa.set_config(n_threads=1)
                clinfa.set_config(n_threads=16)

        thread = threading.Thread(target=change, daemon=True)
        sys.setswitchinterval(1e-5)
        thread.start()
        seen = [state(_fit(cls, {}, X, y), X) for _ in range(5)]
        stop.set()
        return seen

    assert in_child(work, limit=30) == [alone] * 5
