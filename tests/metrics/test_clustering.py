"""Scores of clusterings against a truth: by hand, what must hold, corner cases, scikit-learn."""

import math
from fractions import Fraction
from itertools import combinations, permutations

import numpy as np
import pytest
import scipy.sparse
import sklearn.metrics
import sklearn.metrics.cluster

from clinfa import Dataset, config_context, datasets, metrics
from clinfa.errors import InvalidParameterError
from clinfa.metrics import cluster
from clinfa.metrics._contingency import of_matrix, read_contingency

SCORES = [
    metrics.adjusted_mutual_info_score,
    metrics.adjusted_rand_score,
    metrics.completeness_score,
    metrics.fowlkes_mallows_score,
    metrics.homogeneity_score,
    metrics.mutual_info_score,
    metrics.normalized_mutual_info_score,
    metrics.rand_score,
    metrics.v_measure_score,
]
# Not the same when truth and clustering change places.
ONE_WAY = {metrics.completeness_score, metrics.homogeneity_score}
CHANCE = {metrics.adjusted_mutual_info_score, metrics.adjusted_rand_score}
MEANS = ["arithmetic", "geometric", "min", "max"]
TRUE, FOUND = [0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 2, 2]


def close(value, wanted, rtol=1e-14):
    return np.testing.assert_allclose(value, wanted, rtol=rtol)


def labellings(n, k, *, seed=0, noise=0.5):
    rng = np.random.default_rng(seed)
    true = rng.integers(k, size=n)
    return true, np.where(rng.random(n) < noise, rng.integers(k + 1, size=n), true)


# By hand: the table is [[2, 1, 0], [0, 1, 2]]


def test_table_by_hand():
    assert cluster.contingency_matrix(TRUE, FOUND).tolist() == [[2, 1, 0], [0, 1, 2]]
    assert cluster.contingency_matrix(TRUE, FOUND, eps=0.5).tolist() == [[2.5, 1.5, 0.5], [0.5, 1.5, 2.5]]
    table = cluster.contingency_matrix(TRUE, FOUND, sparse=True, dtype=np.float32)
    assert scipy.sparse.issparse(table)
    assert table.dtype == np.float32
    assert table.nnz == 4
    # Of 30 ordered pairs 12 are together in truth and 6 in the clustering, 4 in both.
    assert metrics.pair_confusion_matrix(TRUE, FOUND).tolist() == [[16, 2], [8, 4]]


def test_scores_by_hand():
    close(metrics.rand_score(TRUE, FOUND), 20 / 30)
    # expected together: 12 * 6 / 30 = 2.4; at most (12 + 6) / 2
    close(metrics.adjusted_rand_score(TRUE, FOUND), (4 - 2.4) / (9 - 2.4))
    close(metrics.fowlkes_mallows_score(TRUE, FOUND), 4 / math.sqrt(12 * 6))
    # a third of the rows tells nothing about the class, the others everything
    information = 2 / 3 * math.log(2)
    close(metrics.mutual_info_score(TRUE, FOUND), information)
    close(metrics.homogeneity_score(TRUE, FOUND), information / math.log(2))
    close(metrics.completeness_score(TRUE, FOUND), information / math.log(3))
    close(metrics.v_measure_score(TRUE, FOUND), 2 * information / math.log(6))
    for method, entropy in zip(
        MEANS,
        (math.log(6) / 2, math.sqrt(math.log(2) * math.log(3)), math.log(2), math.log(3)),
        strict=True,
    ):
        close(metrics.normalized_mutual_info_score(TRUE, FOUND, average_method=method), information / entropy)
    h, c = 2 / 3, 2 / 3 * math.log(2) / math.log(3)
    close(metrics.v_measure_score(TRUE, FOUND, beta=3), 4 * h * c / (3 * h + c))


def test_expected_information_by_all_permutations():
    found = [metrics.mutual_info_score(TRUE, p) for p in permutations(FOUND)]
    expected = math.fsum(found) / len(found)
    close(read_contingency(TRUE, FOUND, "test").expected_information(), expected)
    close(
        metrics.adjusted_mutual_info_score(TRUE, FOUND),
        (2 / 3 * math.log(2) - expected) / (math.log(6) / 2 - expected),
        rtol=1e-13,
    )


def exact_expected_information(a, b):
    """By the hypergeometric distribution in fractions; logarithms alone are rounded."""
    n, terms = sum(a), []
    for p in a:
        for q in b:
            for k in range(max(1, p + q - n), min(p, q) + 1):
                chance = Fraction(math.comb(q, k) * math.comb(n - q, p - k), math.comb(n, p))
                log = (
                    math.log1p(Fraction(k * n, p * q) - 1) if 2 * k * n > p * q else math.log(k * n / (p * q))
                )
                terms.append(float(chance * Fraction(k, n)) * log)
    return math.fsum(terms)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([1, 1], [1, 1]),
        ([3, 5, 7], [1, 2, 12]),
        ([1] * 20, [4] * 5),
        ([1, 1, 98], [50, 50]),
        ([400, 500], [100, 300, 500]),
        ([1, 899], [899, 1]),
    ],
)
def test_expected_information_is_exact(a, b):
    true, found = np.repeat(np.arange(len(a)), a), np.repeat(np.arange(len(b)), b)
    table = read_contingency(true, found, "test")
    # (Terms of either sign cancel in the sum that is the reference, not in ours.)
    np.testing.assert_allclose(table.expected_information(), exact_expected_information(a, b), 1e-12, 1e-15)


def test_expected_information_of_many_rows():
    # For large cells it tends to (r - 1)(c - 1) / 2n: chi-squared by its degrees of freedom.
    for each in (2_000_000, 10**9):
        table = of_matrix(np.full((3, 4), each))
        np.testing.assert_allclose(table.expected_information(), 2 * 3 / (2 * 12 * each), 1e-6)
        assert table.information() == 0


# What must hold


@pytest.mark.parametrize("f", SCORES, ids=lambda f: f.__name__)
@pytest.mark.parametrize(("n", "k"), [(5, 2), (40, 3), (300, 7), (300, 150)])
def test_names_and_order_of_labels_do_not_matter(f, n, k):
    true, found = labellings(n, k)
    value = f(true, found)
    rng = np.random.default_rng(1)
    order, names = rng.permutation(n), rng.permutation(k + 1)
    np.testing.assert_allclose(f(true[order], found[order]), value, 1e-13, 1e-15)
    np.testing.assert_allclose(f(names[true], -3 * names[found]), value, 1e-13, 1e-15)
    np.testing.assert_allclose(f(true.astype(str), found.astype(object).astype(str)), value, 1e-13, 1e-15)
    if f not in ONE_WAY:
        np.testing.assert_allclose(f(found, true), value, 1e-13, 1e-15)
    assert (-0.5 if f in CHANCE else 0) <= value <= (math.log(n) if f is metrics.mutual_info_score else 1)


def test_homogeneity_and_completeness_change_places():
    true, found = labellings(100, 5)
    close(metrics.homogeneity_score(true, found), metrics.completeness_score(found, true))
    close(metrics.v_measure_score(true, found), metrics.normalized_mutual_info_score(true, found))
    triple = metrics.homogeneity_completeness_v_measure(true, found, beta=2)
    assert triple[2] == metrics.v_measure_score(true, found, beta=2)


@pytest.mark.parametrize("f", SCORES, ids=lambda f: f.__name__)
@pytest.mark.parametrize(("n", "k"), [(2, 2), (10, 3), (1000, 7), (1000, 333), (50, 50)])
def test_the_same_partition_under_other_names(f, n, k):
    true = np.arange(n) ** 2 % k if k < n else np.arange(n)
    value = f(true, 5 - true)
    if f is metrics.mutual_info_score:
        shares = np.unique(true, return_counts=True)[1] / n
        close(value, -(shares * np.log(shares)).sum(), rtol=1e-13)
    elif f is metrics.fowlkes_mallows_score and len(np.unique(true)) == n:
        assert value == 0  # no pair is together
    else:
        assert value == 1


@pytest.mark.parametrize("f", SCORES, ids=lambda f: f.__name__)
def test_duplicates(f):
    true, found = labellings(60, 4)
    if f in CHANCE or f in (metrics.rand_score, metrics.fowlkes_mallows_score):
        return  # these count pairs, or what chance does, which depend on the number of rows
    np.testing.assert_allclose(f(np.tile(true, 3), np.tile(found, 3)), f(true, found), 1e-13)


def test_pairs_one_by_one():
    true, found = labellings(30, 3)
    counts = np.zeros((2, 2), int)
    for i, j in combinations(range(30), 2):
        counts[int(true[i] == true[j]), int(found[i] == found[j])] += 2
    assert np.array_equal(metrics.pair_confusion_matrix(true, found), counts)


def test_independent_labels_score_nothing():
    true, found = np.repeat(np.arange(10), 10), np.tile(np.arange(10), 10)
    assert metrics.mutual_info_score(true, found) == 0
    assert metrics.homogeneity_completeness_v_measure(true, found) == (0, 0, 0)
    assert metrics.normalized_mutual_info_score(true, found) == 0
    assert metrics.adjusted_mutual_info_score(true, found) < 0
    assert metrics.adjusted_rand_score(true, found) < 0
    rng = np.random.default_rng(2)
    for f in CHANCE:
        values = [f(rng.integers(5, size=500), rng.integers(8, size=500)) for _ in range(20)]
        assert abs(np.mean(values)) < 0.005


def test_pairs_beyond_64_bits():
    # Products of numbers of pairs pass 2^63 from about 2^16 rows on, and 2^64 soon after.
    n = 400_000
    true = np.arange(n) % 2
    found = np.where(np.arange(n) < n // 2, true, 1 - true)  # each class half and half: no agreement
    q = n // 4
    together = 4 * q * (q - 1)
    rest = 4 * q * q
    assert metrics.pair_confusion_matrix(true, found).tolist() == [[rest, rest], [rest, together]]
    wanted = Fraction(2 * (together * rest - rest * rest), 2 * ((together + rest) * (2 * rest)))
    assert metrics.adjusted_rand_score(true, found) == float(wanted)
    assert metrics.rand_score(true, found) == float(Fraction(together + rest, n * (n - 1)))


def test_threads_change_nothing():
    rng = np.random.default_rng(0)
    true, found = rng.zipf(1.3, 20000) % 5000, rng.zipf(1.5, 20000) % 5000
    values = set()
    for count in (1, 2, 3):
        with config_context(n_threads=count):
            values.add(metrics.adjusted_mutual_info_score(true, found))
    assert len(values) == 1


# Corner cases


@pytest.mark.parametrize("f", SCORES, ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    ("true", "found"),
    [
        ([1], [2]),
        ([1, 1], [2, 2]),
        ([1, 2], [3, 3]),
        ([3, 3], [1, 2]),
        ([1, 2], [3, 4]),
        ([0, 0, 1, 1], [0, 1, 0, 1]),
        (list("abab"), [True, False, True, False]),
        ([0.0, 1.0, 1.0], [-1, -1, 2]),
        ([2**62, -(2**62), 0], [0, 0, 1]),
    ],
)
def test_degenerate_as_in_scikit_learn(f, true, found):
    theirs = getattr(sklearn.metrics, f.__name__)
    # (Where a score is 0, either side may have rounded to the other sign.)
    np.testing.assert_allclose(f(true, found), theirs(true, found), 1e-12, 1e-14)


@pytest.mark.parametrize("f", SCORES, ids=lambda f: f.__name__)
def test_no_rows(f):
    # scikit-learn's mutual_info_score fails there with "math domain error"
    assert f([], []) == (0 if f in (metrics.mutual_info_score, metrics.fowlkes_mallows_score) else 1)


@pytest.mark.parametrize("f", [*SCORES, metrics.pair_confusion_matrix], ids=lambda f: f.__name__)
def test_refused(f):
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[2, 3\]"):
        f([0, 1], [0, 1, 1])
    with pytest.raises(ValueError, match="labels_true contains NaN"):
        f([0, math.nan], [0, 1])
    with pytest.raises(ValueError, match="labels_pred"):
        f([0, 1], [[0, 1], [1, 1]])
    with pytest.raises(ValueError, match="labels_pred holds numbers that are not whole"):
        f([0, 1], [0.5, 1])


def test_refused_parameters():
    with pytest.raises(
        InvalidParameterError, match="'average_method' parameter of adjusted_mutual_info_score"
    ):
        metrics.adjusted_mutual_info_score([0, 1], [0, 1], average_method="mean")
    with pytest.raises(InvalidParameterError, match="'beta' parameter of v_measure_score"):
        metrics.v_measure_score([0, 1], [0, 1], beta=-1)
    with pytest.raises(ValueError, match="Cannot set 'eps' when sparse=True"):
        cluster.contingency_matrix([0, 1], [0, 1], eps=0.1, sparse=True)
    for wrong in ([[0.5, 1], [1, 2]], [[-1, 2], [2, 3]], [["a"]], [1, 2], [[0, 0]]):
        with pytest.raises(ValueError, match="contingency must"):
            metrics.mutual_info_score(None, None, contingency=wrong)


def test_information_of_a_given_table():
    table = cluster.contingency_matrix(TRUE, FOUND)
    for given in (table, table.tolist(), table.astype(float), scipy.sparse.coo_array(table)):
        assert metrics.mutual_info_score(None, None, contingency=given) == metrics.mutual_info_score(
            TRUE, FOUND
        )
    twice = scipy.sparse.coo_array(([1, 1, 2], ([0, 0, 1], [0, 0, 1])))
    close(metrics.mutual_info_score(None, None, contingency=twice), math.log(2))


def test_datasets_go_in():
    records = Dataset(np.zeros((6, 1)), targets=TRUE)
    assert metrics.rand_score(records, FOUND) == metrics.rand_score(TRUE, FOUND)


# Against scikit-learn


@pytest.mark.parametrize("f", SCORES, ids=lambda f: f.__name__)
@pytest.mark.parametrize(("n", "k"), [(3, 2), (30, 3), (500, 10), (500, 200), (3000, 5)])
@pytest.mark.parametrize("noise", [0.1, 0.9])
def test_parity(f, n, k, noise):
    theirs = getattr(sklearn.metrics, f.__name__)
    for seed in range(3):
        true, found = labellings(n, k, seed=seed, noise=noise)
        # (The expected information of theirs comes from differences of log-gammas, which round more.)
        rtol, atol = (1e-9, 1e-11) if f is metrics.adjusted_mutual_info_score else (1e-12, 1e-14)
        np.testing.assert_allclose(f(true, found), theirs(true, found), rtol, atol)
        if f in (metrics.adjusted_mutual_info_score, metrics.normalized_mutual_info_score):
            for method in MEANS:
                ours = f(true, found, average_method=method)
                np.testing.assert_allclose(ours, theirs(true, found, average_method=method), rtol, atol)


@pytest.mark.parametrize("f", SCORES, ids=lambda f: f.__name__)
def test_real_data(f):
    X, y = datasets.load_iris(return_X_y=True)
    found = np.digitize(X[:, 2], [2, 4.8])
    np.testing.assert_allclose(f(y, found), getattr(sklearn.metrics, f.__name__)(y, found), 1e-11)


def test_tables_as_in_scikit_learn():
    true, found = labellings(200, 6)
    theirs = sklearn.metrics.cluster
    assert np.array_equal(cluster.contingency_matrix(true, found), theirs.contingency_matrix(true, found))
    assert np.array_equal(
        cluster.contingency_matrix(true, found, sparse=True).toarray(), theirs.contingency_matrix(true, found)
    )
    assert np.array_equal(
        cluster.pair_confusion_matrix(true, found), theirs.pair_confusion_matrix(true, found)
    )


# Biclusters


def test_consensus_by_hand():
    a = ([[1, 1, 0], [0, 0, 1]], [[1, 0], [0, 1]])
    assert metrics.consensus_score(a, a) == 1
    # cells: the first of a has (0, 0), (1, 0); the only one of b has (1, 0), (2, 0)
    b = ([[0, 1, 1]], [[1, 0]])
    assert metrics.consensus_score(a, b) == (1 / 3) / 2
    assert metrics.consensus_score(b, a) == (1 / 3) / 2
    assert metrics.consensus_score(a, b, similarity=lambda *args: 1.0) == 1 / 2


def test_consensus_parity():
    rng = np.random.default_rng(0)
    for _ in range(5):
        a, b = ((rng.random((k, 20)) < 0.4, rng.random((k, 15)) < 0.4) for k in (4, 6))
        close(metrics.consensus_score(a, b), sklearn.metrics.consensus_score(a, b), 1e-12)


def test_consensus_refuses():
    a = ([[1, 1, 0]], [[1, 0]])
    with pytest.raises(InvalidParameterError, match="'a' parameter of consensus_score must be tuple"):
        metrics.consensus_score(list(a), a)
    with pytest.raises(ValueError, match="same rows and columns"):
        metrics.consensus_score(a, ([[1, 1]], [[1, 0]]))
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[2, 1\]"):
        metrics.consensus_score(([[1], [1]], [[1]]), a)
    with pytest.raises(ValueError, match="indicator matrices"):
        metrics.consensus_score(([1], [1]), a)
    with pytest.raises(InvalidParameterError, match="'similarity'"):
        metrics.consensus_score(a, a, similarity="dice")
