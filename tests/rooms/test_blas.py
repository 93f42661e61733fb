"""OpenBLAS on one thread: only inside, and put back whatever happens; nothing is done by it outside."""

import ast
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

import clinfa
from clinfa import blas


def counts():
    return [get() for get, _ in blas._pools()]


@pytest.fixture
def two():
    before = counts()
    for _, put in blas._pools():
        put(2)
    yield
    for (_, put), count in zip(blas._pools(), before, strict=True):
        put(count)


def test_inside_and_after(two):
    with blas.one_thread():
        assert set(counts()) <= {1}
        with blas.one_thread():
            pass
        assert set(counts()) <= {1}
    assert set(counts()) <= {2}
    with pytest.raises(np.linalg.LinAlgError), blas.one_thread():
        np.linalg.inv(np.zeros((2, 2)))
    assert set(counts()) <= {2}


def test_threads_that_overlap(two):
    first, second = threading.Event(), threading.Event()

    def other():
        with blas.one_thread():
            first.set()
            second.wait(10)

    thread = threading.Thread(target=other)
    with blas.one_thread():
        thread.start()
        first.wait(10)
    assert set(counts()) <= {1}  # one is still inside
    second.set()
    thread.join()
    assert set(counts()) <= {2}


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_is_not_inside(two):
    with blas.one_thread():
        child = os.fork()
        if child == 0:
            os._exit(0 if set(counts()) <= {2} and blas._inside == 0 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_what_is_loaded_meanwhile_is_kept_to_one_thread_too(two, monkeypatch):
    pools = blas._pools()
    monkeypatch.setattr(blas, "_pools", lambda: pools[:1])
    with blas.one_thread():
        assert [get() for get, _ in pools[1:]] == [2] * len(pools[1:])
        monkeypatch.setattr(blas, "_pools", lambda: pools)
        with blas.one_thread():
            assert set(counts()) <= {1}
    assert set(counts()) <= {2}


def test_what_somebody_else_sets_meanwhile_does_not_hold(two):
    with blas.one_thread():
        for _, put in blas._pools():
            put(3)
        with blas.one_thread():
            assert set(counts()) <= {1}


@pytest.mark.parametrize("dtype", [float, np.float32])
@pytest.mark.parametrize("shape", [(70_000, 40, 11), (3000, 800, 0), (700, 600, 500), (0, 5, 2), (5, 0, 2)])
def test_matmul(shape, dtype):
    rng = np.random.default_rng(3)
    n, d, m = shape
    A, B = rng.normal(size=(n, d)).astype(dtype), rng.normal(size=(d, m) if m else d).astype(dtype)
    seen = []
    for ours, theirs in ((1, 2), (2, 1), (5, 7)):
        controller = ThreadpoolController()
        with clinfa.config_context(n_threads=ours), controller.limit(limits=theirs, user_api="blas"):
            seen.append([blas.matmul(A, B), blas.matmul(B.T, A.T), blas.matmul(A[:, ::2], B[::2])])
    for found, wanted in zip(seen[0], (A @ B, B.T @ A.T, A[:, ::2] @ B[::2]), strict=True):
        assert found.dtype == dtype and found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, rtol=0, atol=100 * d * np.finfo(dtype).eps)
    for other in seen[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(seen[0], other, strict=True))


# Products of sparse matrices, which BLAS has no part in.
SPARSE = {
    "affinity/_walk.py:_coarse",
    "linalg/_scatter.py:_of_csr",
    "metrics/_silhouette.py:distances",
    "metrics/pairwise/_read.py:products",
    "random_projection.py:rows",
}


def test_all_that_blas_does_is_done_on_one_thread():
    folder = Path(clinfa.__file__).parent
    found = {
        f"{path.relative_to(folder).as_posix()}:{function}"
        for path in folder.rglob("*.py")
        for function in _outside(path)
    }
    assert found == SPARSE


def _outside(path):
    """The functions of a file that multiply or factorise matrices outside `one_thread`."""
    tree = ast.parse(path.read_text())
    lapack = {
        name.asname or name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in ("scipy.linalg", "numpy.linalg")
        for name in node.names
    }

    def visit(node, function):
        if isinstance(node, ast.FunctionDef | ast.With):
            entered = getattr(node, "decorator_list", []) + [
                i.context_expr for i in getattr(node, "items", [])
            ]
            if any(ast.unparse(expression) == "one_thread()" for expression in entered):
                return
            function = getattr(node, "name", function)
        if _multiplies(node) or (isinstance(node, ast.Call) and _named(node, lapack)):
            yield function
        for child in ast.iter_child_nodes(node):
            yield from visit(child, function)

    return visit(tree, "")


def _multiplies(node):
    return isinstance(getattr(node, "op", None), ast.MatMult)


def _named(call, lapack):
    """Whether a call is one of those that NumPy and SciPy have BLAS or LAPACK for."""
    name = ast.unparse(call.func)
    if name == "np.linalg.norm" and any(word.arg == "axis" for word in call.keywords):
        return False
    products = {
        f"np.{product}" for product in ("cov", "corrcoef", "dot", "inner", "matmul", "tensordot", "vdot")
    }
    return name in lapack | products or name.startswith(("np.linalg.", "scipy.linalg."))
