"""OpenBLAS on one thread: only inside, and put back whatever happens."""

import os
import threading

import numpy as np
import pytest

from clinfa.linalg import _blas


def counts():
    return [get() for get, _ in _blas._pools()]


@pytest.fixture
def two():
    before = counts()
    for _, put in _blas._pools():
        put(2)
    yield
    for (_, put), count in zip(_blas._pools(), before, strict=True):
        put(count)


def test_inside_and_after(two):
    with _blas.one_thread():
        assert set(counts()) <= {1}
        with _blas.one_thread():
            pass
        assert set(counts()) <= {1}
    assert set(counts()) <= {2}
    with pytest.raises(np.linalg.LinAlgError), _blas.one_thread():
        np.linalg.inv(np.zeros((2, 2)))
    assert set(counts()) <= {2}


def test_threads_that_overlap(two):
    first, second = threading.Event(), threading.Event()

    def other():
        with _blas.one_thread():
            first.set()
            second.wait(10)

    thread = threading.Thread(target=other)
    with _blas.one_thread():
        thread.start()
        first.wait(10)
    assert set(counts()) <= {1}  # one is still inside
    second.set()
    thread.join()
    assert set(counts()) <= {2}


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_is_not_inside(two):
    with _blas.one_thread():
        child = os.fork()
        if child == 0:
            os._exit(0 if set(counts()) <= {2} and _blas._inside == 0 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
