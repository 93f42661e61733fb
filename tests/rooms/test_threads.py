"""Stripes and the pool."""

import threading
import time

import numpy as np
import pytest

import clinfa
from clinfa import config
from clinfa.threads import Stripes, jobs, stripes

SIZES = [0, 1, 2, 63, 64, 65, 1000, 99_999, 10**7]


def _taking(seen, stripe=None):
    """A kernel in Python: takes stripes, and notes them."""

    def kernel(cursor, limit, slot):
        for _ in range(limit):
            with LOCK:
                s = int(cursor[0])
                if s >= seen.shape[0]:
                    return
                cursor[0] += 1
            if stripe:
                stripe(s)
            seen[s] += 1

    return kernel


LOCK = threading.Lock()


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("cost", [1e-3, 1.0, 1e3, 1e7])
def test_stripes_cover_all_rows_once(n, cost):
    cut = stripes(n, cost)
    assert cut.bounds[0] == 0
    assert cut.bounds[-1] == n
    assert len(cut) >= 1
    assert cut.limit >= 1
    if n:
        assert (np.diff(cut.bounds) > 0).all()
    assert (np.diff(cut.bounds) * cost)[: max(n, 1)].max(initial=0) <= max(31e6, cost)
    assert cut.limit * np.diff(cut.bounds).max(initial=0) * cost <= max(62e6, cost)


@pytest.mark.parametrize("n", SIZES)
def test_stripes_are_a_function_of_size_alone(n):
    seen = []
    for count in (1, 2, 3, 64):
        with clinfa.config_context(n_threads=count):
            cut = stripes(n, 100.0)
            seen.append((cut.bounds.tolist(), cut.limit))
            assert cut.width() == min(count, len(cut))
    assert all(one == seen[0] for one in seen)


@pytest.mark.parametrize("count", [1, 2, 3, 8, 300])
def test_every_stripe_is_taken_once(count):
    cut = Stripes(np.arange(501), 3)
    seen = np.zeros(500, int)
    with clinfa.config_context(n_threads=count):
        cut.run(_taking(seen))
    assert (seen == 1).all()


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_slots_are_below_the_width_and_nobody_shares_one(count):
    users, shared, seen = {}, [], set()

    def kernel(cursor, limit, slot):
        with LOCK:
            s = int(cursor[0])
            cursor[0] += 1
            seen.add(slot)
            me = threading.get_ident()
            shared.extend([slot] if users.setdefault(slot, me) != me else [])
        threading.Event().wait(0.001 if s < 100 else 0)

    cut = Stripes(np.arange(101), 1)
    with clinfa.config_context(n_threads=count):
        cut.run(kernel)
        assert seen == set(range(cut.width()))
    assert not shared


def test_width_cannot_change_between_scratch_and_work():
    """Another thread may set the process's threads after scratch was made for the width before."""
    before, slots, cut = clinfa.get_config(), set(), Stripes(np.arange(101), 1)

    def kernel(cursor, limit, slot):
        with LOCK:
            cursor[0] += 1
            slots.add(slot)
        threading.Event().wait(0.001)

    try:
        clinfa.set_config(n_threads=2)
        scratch = cut.width()
        clinfa.set_config(n_threads=8)
        cut.run(kernel)
    finally:
        clinfa.set_config(**before)
    assert max(slots) < scratch


@pytest.mark.parametrize("count", [1, 2, 8])
@pytest.mark.parametrize("where", [0, 7, 499])
def test_error_in_a_kernel_comes_out(count, where):
    class Odd(Exception):
        pass

    def stripe(s):
        if s == where:
            raise Odd(s)

    cut, seen = Stripes(np.arange(501), 3), np.zeros(500, int)
    with clinfa.config_context(n_threads=count):
        with pytest.raises(Odd):
            cut.run(_taking(seen, stripe))
        seen[:] = 0
        cut.run(_taking(seen))
    assert (seen == 1).all()


@pytest.mark.parametrize("kind", [KeyboardInterrupt, MemoryError, SystemExit])
def test_after_an_error_nobody_works_on(kind):
    """When `run` has raised, no other thread is in the kernel any more."""
    main, inside = threading.current_thread(), []

    def stripe(s):
        if threading.current_thread() is main:
            raise kind
        inside.append(s)
        threading.Event().wait(0.02)
        inside.remove(s)

    with clinfa.config_context(n_threads=4), pytest.raises(kind):
        Stripes(np.arange(501), 1).run(_taking(np.zeros(500, int), stripe))
    assert inside == []


def test_pool_is_used_again():
    cut = Stripes(np.arange(21), 1)
    with clinfa.config_context(n_threads=4):
        for _ in range(1000):
            cut.run(_taking(np.zeros(20, int)))
    assert len([t for t in threading.enumerate() if t.name.startswith("clinfa")]) <= 256


def test_many_users_at_once_all_end():
    """More callers than the pool has threads: each works itself, so nobody waits for ever."""
    done, cut = [], Stripes(np.arange(101), 1)

    def work():
        seen = np.zeros(100, int)
        with clinfa.config_context(n_threads=64):
            cut.run(_taking(seen))
        done.append((seen == 1).all())

    threads = [threading.Thread(target=work, daemon=True) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(done) == 24
    assert all(done)


def test_stripes_within_a_stripe():
    """Work that itself cuts work does not wait for threads that wait for it."""
    inner = np.zeros((300, 50), int)

    def stripe(s):
        with clinfa.config_context(n_threads=8):
            Stripes(np.arange(51), 1).run(_taking(inner[s]))

    def work():
        with clinfa.config_context(n_threads=256):
            Stripes(np.arange(301), 1).run(_taking(np.zeros(300, int), stripe))

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(20)
    assert not worker.is_alive()
    assert (inner == 1).all()


def test_jobs_come_in_order_and_share_the_threads():
    def work(item):
        time.sleep(0.002 * (item % 3))
        return item, config.thread_count()

    with config.config_context(n_threads=5):
        assert list(jobs(work, range(20))) == [(i, 1) for i in range(20)]
        assert list(jobs(work, range(2))) == [(0, 2), (1, 2)]
        assert list(jobs(work, [])) == []


def test_no_more_jobs_are_begun_than_there_are_threads_for():
    begun = []
    with config.config_context(n_threads=3):
        results = jobs(begun.append, range(100))
        next(results)
        results.close()
    assert len(begun) <= 4


def test_a_job_that_fails_ends_the_others_at_their_next_kernel():
    ended, here = [], threading.Barrier(3, timeout=20)

    def work(item):
        here.wait()
        if item == 0:
            raise ZeroDivisionError
        try:
            while True:
                stripes(10, 1).run(lambda cursor, limit, slot: cursor.__setitem__(0, 10))
        except BaseException as error:
            ended.append(type(error).__name__)
            raise

    with config.config_context(n_threads=3), pytest.raises(ZeroDivisionError):
        list(jobs(work, range(3)))
    assert ended == ["Stopped", "Stopped"]
