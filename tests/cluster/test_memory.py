"""Memory beyond the input grows with n and with k d, never with n k."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
N, D, K = 200_000, 8, 64
MEASURE = """
import json, sys, tracemalloc
import numpy as np
from clinfa.cluster import KMeans, MiniBatchKMeans
n, d, k = map(int, sys.argv[1:4])
name, how = sys.argv[4], json.loads(sys.argv[5])
X = np.random.default_rng(0).standard_normal((n, d))
estimator = {"KMeans": KMeans, "MiniBatchKMeans": MiniBatchKMeans}[name]
estimator(2, random_state=0, max_iter=1).fit(X[:100])
tracemalloc.start()
model = estimator(k, random_state=0, max_iter=3, **how).fit(X)
fit = tracemalloc.get_traced_memory()[1]
tracemalloc.reset_peak()
model.predict(X)
model.score(X)
print(fit, tracemalloc.get_traced_memory()[1])
"""


def peaks(n, d, k, name="KMeans", **how):
    """Bytes beyond the input at most: in fit, then in predict and score."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(n), str(d), str(k), name, json.dumps(how)],
        cwd=ROOT,
        text=True,
        capture_output=True,
        env=os.environ | {"CLINFA_NUM_THREADS": "2"},
        check=True,
    )
    return tuple(map(int, done.stdout.split()))


@pytest.mark.parametrize(
    ("name", "how", "per_row"),
    [
        # closest 8, owner 4, keys 8, order 8, bucket 4; labels 4, slack 4, lower 4; room to sort;
        # k-means++ keeps a row's number and its distances to the 6 candidates: 28
        ("KMeans", {"init": "k-means++"}, 92),
        ("KMeans", {"init": "k-means++", "algorithm": "elkan"}, 92),
        ("KMeans", {"init": "random", "n_init": 1}, 64),
        ("KMeans", {"init": "k-means||"}, 124),
        ("MiniBatchKMeans", {}, 64),
    ],
)
def test_fit(name, how, per_row):
    """Of 64 stripes each holds k (d + 2) sums."""
    fit, later = peaks(N, D, K, name, **how)
    allowed = per_row * N + 64 * (K * (D + 2) + 32) * 8 + 2**20
    assert allowed < N * K * 4  # not even an n x k array of float32 would fit
    assert fit < allowed
    assert later < 16 * N + 2**20


def test_more_clusters_cost_only_their_sums():
    few, many = (peaks(50_000, D, k, init="random", n_init=1)[0] for k in (8, 512))
    assert many - few < 64 * (512 * (D + 2) + 32) * 8 + 2**20 < 50_000 * 512 * 4


def test_data_are_not_copied():
    """Wide rows: one more copy would be eight times what everything else needs."""
    n, d = 20_000, 128
    fit, later = peaks(n, d, 4)
    assert fit < n * d * 8 / 2
    assert later < n * d * 8 / 2


def test_long_rows_with_many_centres():
    """Sums too large to keep for every stripe are kept once; a sample of the rows is looked at."""
    n, d, k = 10_000, 256, 2100
    fit, _ = peaks(n, d, k, init="random", n_init=1)
    centres, sample = 8 * k * (d + 2), 8 * 4096 * d
    allowed = 8 * centres + 3 * sample + 400 * n
    assert allowed < n * k * 4
    assert fit < allowed
