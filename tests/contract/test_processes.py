"""Forked and spawned processes, and Ctrl-C."""

import multiprocessing
import os
import random
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

import clinfa
from tests.contract.discover import build, each
from tests.contract.problems import bits, cloud, groups, in_child, learned, many, state, targets
from tests.contract.there import predict_there

N, D = 20_000, 12
SHORT = pytest.mark.usefixtures("short_stripes")
FORKING = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def _fit(cls, X):
    with clinfa.config_context(n_threads=4):
        return build(cls).fit(X, targets(cls, np.arange(len(X)) % 3))


@each()
@FORKING
@SHORT
def test_fit_in_a_forked_child(cls):
    X = cloud(many(cls, N), D)
    here = state(_fit(cls, X), X)
    assert in_child(lambda: state(_fit(cls, X), X)) == here
    assert state(_fit(cls, X), X) == here


@each()
@FORKING
@SHORT
def test_fork_while_another_thread_fits(cls):
    X = cloud(many(cls, N), D)
    here = state(_fit(cls, X), X)
    stop, seen = threading.Event(), []

    def work():
        while not stop.is_set():
            seen.append(state(_fit(cls, X), X))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for pause in (0.01, 0.05, 0.02):
            time.sleep(pause)
            assert in_child(lambda: state(_fit(cls, X), X)) == here
    finally:
        stop.set()
        thread.join()
    assert seen
    assert all(one == here for one in seen)


class Elsewhere:
    """A process of its own, begun in one of the ways there are, and anew where it has died."""

    def __init__(self, method):
        self.context = multiprocessing.get_context(method)
        if method == "forkserver":
            self.context.set_forkserver_preload([predict_there.__module__])
        self.child = None

    def ask(self, model, X):
        """What comes of a model there, and of one more fit."""
        if self.child is None:
            self.pipe, there = self.context.Pipe()
            self.child = self.context.Process(target=predict_there, args=(there,), daemon=True)
            self.child.start()
            there.close()
        try:
            self.pipe.send((model, X))
            assert self.pipe.poll(30), "no answer"
            return self.pipe.recv()
        except BaseException:
            self.child.kill()
            self.child = None
            raise

    def end(self):
        """End the process where there is one, which must be without an error."""
        if self.child is not None:
            self.pipe.send(None)
            self.child.join(20)
            assert self.child.exitcode == 0


@pytest.fixture(scope="module")
def spawned():
    """An interpreter that has begun on its own, for one model after the other: it takes long to begin."""
    there = Elsewhere("spawn")
    yield there
    there.end()


@each()
def test_model_goes_to_a_spawned_process(cls, spawned):
    X = cloud(many(cls, N), D, dtype=np.float32)
    model = _fit(cls, X)
    first, second = spawned.ask(model, X)
    assert first == second == state(model, X)


@pytest.mark.parametrize("method", ["fork", "forkserver"])
@each()
@FORKING
def test_model_goes_to_a_forked_process(cls, method):
    X = cloud(many(cls, N), D, dtype=np.float32)
    model, there = _fit(cls, X), Elsewhere(method)
    first, second = there.ask(model, X)
    there.end()
    assert first == second == state(model, X)


# Fits that would take minutes, as far as there are such parameters.
LONG = {"n_clusters": 100, "n_components": 20, "tol": 0, "max_iter": 10**6, "n_init": 100}
LONG |= {"max_no_improvement": None}


def _waited():
    """Seconds that each thread here has waited for a core, where the system tells: others are busy."""
    seconds = {}
    for file in Path("/proc/self/task").glob("*/schedstat"):
        with suppress(OSError):  # a thread that has ended meanwhile
            seconds[file.parent.name] = int(file.read_text().split()[1]) / 1e9
    return seconds


def _busy():
    """Processor time within 50 ms that this thread sleeps."""
    cpu = time.process_time()
    time.sleep(0.05)
    return time.process_time() - cpu


def _interrupt(cls, storage, count):
    """Fits that take long, or quick ones over and over, interrupted at random moments.

    Returns
    -------
    late : list of float
        Seconds from each Ctrl-C to its answer, without those in which its threads waited for a core.
    idle : list of float
        Processor time in the 50 ms after each answer.
    kept : list of bool
        Whether what was left is a whole fit.
    again : bool
        Whether the next fit is what it would have been.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    params = {k: v for k, v in LONG.items() if k in cls._rules and cls._rules[k].allows(v)}
    n = many(cls, 300_000, 4)
    X = np.random.RandomState(0).random_sample((n, 20)).astype(np.float32)
    if storage == "csr":
        X[X < 0.7] = 0
        X = sp.csr_matrix(X)
    y = targets(cls, np.arange(n) % 3)
    small, which = groups()
    fresh = state(build(cls).fit(small, targets(cls, which)), small)
    model, whole, span = build(cls, **params), None, 0.6
    if not {"max_iter", "n_clusters"} <= cls._rules.keys():  # (those go on for minutes)
        begin = time.perf_counter()
        whole = bits(learned(build(cls, **params).fit(X, y)))
        span = min(span, 2 * (time.perf_counter() - begin))
    late, idle, kept = [], [], []
    while _busy() > 0.04:  # a BLAS that was forked starts its threads anew, and they spin for a while
        pass
    for number in range(count):
        if number == count // 2:
            model = build(cls).fit(small, targets(cls, which)).set_params(**params)
        if "init" in cls._rules:  # a quick start, so that what comes after it is interrupted too
            model.set_params(init="random" if number % 2 else "k-means++")
        before = bits(learned(model))
        sent = []

        def send(sent=sent):
            sent[:] = time.perf_counter(), _waited()
            os.kill(os.getpid(), signal.SIGINT)

        timer = threading.Timer(random.uniform(0.0, span), send)
        try:
            timer.start()
            while True:
                model.fit(X, y)
        except KeyboardInterrupt:
            took = time.perf_counter() - sent[0]
            waits = [s - sent[1].get(task, 0.0) for task, s in _waited().items()]
            late.append(took - max(waits, default=0.0))
        timer.join()
        idle.append(_busy())
        kept.append(bits(learned(model)) in (before, whole))
    model = build(cls).fit(small, targets(cls, which))
    return late, idle, kept, state(model, small) == fresh


@pytest.mark.parametrize("storage", ["dense", "csr"])
@each()
@FORKING
def test_ctrl_c_is_answered_at_once(cls, storage):
    if storage == "csr" and not cls._sparse:
        return
    late, idle, kept, again = in_child(lambda: _interrupt(cls, storage, 4), limit=60)
    assert max(late) < 0.25, late
    assert max(idle) < 0.04, "some thread went on working"
    assert all(kept)
    assert again
