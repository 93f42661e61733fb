"""Settings of the process, of a block, of a thread, of a task."""

import asyncio
import subprocess
import sys
import threading

import numpy as np
import pytest

import clinfa
from clinfa.cluster import KMeans
from clinfa.config import thread_count
from clinfa.errors import InvalidParameterError


@pytest.fixture
def restored():
    before = clinfa.get_config()
    yield
    clinfa.set_config(**before)


def test_process_then_context_then_back(restored):
    clinfa.set_config(n_threads=5)
    assert clinfa.get_config()["n_threads"] == thread_count() == 5
    with clinfa.config_context(n_threads=3):
        assert thread_count() == 3
        with clinfa.config_context(working_memory=7):
            assert clinfa.get_config()["n_threads"] == 3
            assert clinfa.get_config()["working_memory"] == 7
        assert clinfa.get_config()["working_memory"] == 1024
    assert thread_count() == 5


def test_context_ends_with_an_error():
    with pytest.raises(RuntimeError, match="inside"), clinfa.config_context(n_threads=77):
        raise RuntimeError("inside")
    assert clinfa.get_config()["n_threads"] != 77


def test_none_in_a_context_hides_the_process(restored):
    clinfa.set_config(n_threads=9)
    with clinfa.config_context(n_threads=None):
        assert clinfa.get_config()["n_threads"] is None
        assert thread_count() < 9 or thread_count() == len(__import__("os").sched_getaffinity(0))


def test_every_thread_has_its_own():
    seen, barrier = {}, threading.Barrier(4)

    def work(number):
        with clinfa.config_context(n_threads=number + 1):
            barrier.wait()
            seen[number] = thread_count()
            barrier.wait()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    with clinfa.config_context(n_threads=40):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert thread_count() == 40
    assert seen == {0: 1, 1: 2, 2: 3, 3: 4}


def test_every_task_has_its_own():
    async def work(number):
        with clinfa.config_context(n_threads=number):
            await asyncio.sleep(0.01)
            return thread_count()

    async def both():
        return await asyncio.gather(work(2), work(3))

    assert asyncio.run(both()) == [2, 3]


@pytest.mark.parametrize("use", [clinfa.set_config, lambda **s: clinfa.config_context(**s).__enter__()])
@pytest.mark.parametrize(
    "settings",
    [{"n_threads": 0}, {"n_threads": 1.5}, {"n_threads": True}, {"working_memory": -1},
     {"working_memory": None},
     {"transform_output": "arrow"}, {"transform_output": None}],
)  # fmt: skip
def test_bad_values(use, settings):
    before = clinfa.get_config()
    with pytest.raises(InvalidParameterError, match=next(iter(settings))):
        use(**settings)
    assert clinfa.get_config() == before


@pytest.mark.parametrize("use", [clinfa.set_config, lambda **s: clinfa.config_context(**s).__enter__()])
def test_bad_name(use):
    with pytest.raises(TypeError, match=r"'threads'.*n_threads, working_memory, transform_output"):
        use(threads=3)


def test_nothing_is_set_when_one_setting_is_bad():
    before = clinfa.get_config()
    with pytest.raises(InvalidParameterError):
        clinfa.set_config(n_threads=3, working_memory=0)
    assert clinfa.get_config() == before


def test_get_config_is_a_copy():
    clinfa.get_config()["n_threads"] = 99
    assert clinfa.get_config()["n_threads"] != 99


@pytest.mark.parametrize(
    ("asked", "most"), [("1", 1), ("0", None), ("many", None), ("", None), ("9999", None)]
)
def test_environment(asked, most):
    code = "import os; from clinfa.config import thread_count as count;"
    code += "print(count(), len(os.sched_getaffinity(0)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"CLINFA_NUM_THREADS": asked},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    count, cores = map(int, done.stdout.split())
    assert count == min(most or cores, cores)


def test_transform_output(restored):
    import pandas as pd
    import polars as pl

    X = np.arange(20.0).reshape(10, 2)
    model = KMeans(2, random_state=0).fit(X)
    with clinfa.config_context(transform_output="pandas"):
        assert isinstance(model.transform(X), pd.DataFrame)
    clinfa.set_config(transform_output="polars")
    assert isinstance(model.transform(X), pl.DataFrame)
    assert isinstance(model.set_output(transform="default").transform(X), np.ndarray)
