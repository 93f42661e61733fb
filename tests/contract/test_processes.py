"""Forked and spawned processes, and Ctrl-C."""

import json
import multiprocessing
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import clinfa
from tests.contract.discover import build, each
from tests.contract.problems import cloud, in_child, many, state, targets
from tests.contract.there import predict_there

N, D = 80_000, 12
FORKING = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def _fit(cls, X):
    with clinfa.config_context(n_threads=4):
        return build(cls).fit(X, targets(cls, np.arange(len(X)) % 3))


@each()
@FORKING
def test_fit_in_a_forked_child(cls):
    X = cloud(many(cls, N), D)
    here = state(_fit(cls, X), X)
    assert in_child(lambda: state(_fit(cls, X), X)) == here
    assert state(_fit(cls, X), X) == here


@each()
@FORKING
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


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
@each()
@FORKING
def test_model_goes_to_another_process(cls, method):
    X = cloud(many(cls, N), D, dtype=np.float32)
    model = _fit(cls, X)
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload([predict_there.__module__])
    here, there = context.Pipe()
    child = context.Process(target=predict_there, args=(model, X, there))
    child.start()
    try:
        assert here.poll(30)
        first, second = here.recv()
        child.join(20)
        assert child.exitcode == 0
    finally:
        child.kill()
        child.join()
    assert first == second == state(model, X)


# Fits that would take minutes, or quick ones over and over, interrupted at random moments: how late each
# answer came, and whether what was left is a whole fit.
INTERRUPT = """
import importlib, json, os, random, signal, sys, threading, time
import numpy as np
import clinfa
from tests.contract import problems

module, name, storage, count = *sys.argv[1:4], int(sys.argv[4])
cls = getattr(importlib.import_module(module), name)
long = dict(n_clusters=100, n_components=20, tol=0, max_iter=10**6, n_init=100)
long["max_no_improvement"] = None
params = {k: v for k, v in long.items() if k in cls._rules and cls._rules[k].allows(v)}
n = problems.many(cls, 300_000)
X = np.random.RandomState(0).random_sample((n, 20)).astype(np.float32)
if storage == "csr":
    import scipy.sparse
    X[X < 0.7] = 0
    X = scipy.sparse.csr_matrix(X)
y = problems.targets(cls, np.arange(n) % 3)
small, which = problems.groups()
fresh = problems.state(problems.build(cls).fit(small, problems.targets(cls, which)), small)

model, whole = problems.build(cls, **params), None
if not {"max_iter", "n_clusters"} <= cls._rules.keys():  # (those go on for minutes)
    whole = problems.bits(problems.learned(problems.build(cls, **params).fit(X, y)))
late, idle, kept = [], [], []
for number in range(count):
    if number == count // 2:
        model = problems.build(cls).fit(small, problems.targets(cls, which)).set_params(**params)
    if "init" in cls._rules:  # a quick start, so that what comes after it is interrupted too
        model.set_params(init="random" if number % 2 else "k-means++")
    before = problems.bits(problems.learned(model))
    sent = []

    def send():
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(random.uniform(0.0, 0.6), send)
    try:
        timer.start()
        while True:
            model.fit(X, y)
    except KeyboardInterrupt:
        late.append(time.perf_counter() - sent[0])
    timer.join()
    cpu = time.process_time()
    time.sleep(0.05)
    idle.append(time.process_time() - cpu)
    kept.append(problems.bits(problems.learned(model)) in (before, whole))
model = problems.build(cls).fit(small, problems.targets(cls, which))
again = problems.state(model, small) == fresh
print(json.dumps(dict(late=late, idle=idle, kept=kept, again=again)))
"""


@pytest.mark.parametrize("storage", ["dense", "csr"])
@each()
def test_ctrl_c_is_answered_at_once(cls, storage):
    if storage == "csr" and not cls._sparse:
        return
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", INTERRUPT, cls.__module__, cls.__name__, storage, "4"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert max(seen["late"]) < 0.25, seen["late"]
    assert max(seen["idle"]) < 0.04, "some thread went on working"
    assert all(seen["kept"])
    assert seen["again"]
