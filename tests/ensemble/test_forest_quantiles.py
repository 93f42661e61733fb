"""Quantiles from forests: what leaves hold, recomputed record by record; invariants; refusals."""

import numpy as np
import pytest

from clinfa.ensemble import ExtraTreesRegressor, RandomForestRegressor

FORESTS = [RandomForestRegressor, ExtraTreesRegressor]
# None of them is a sum of a few shares, where rounding would decide.
WANTED = np.array([1 / np.pi, 0.9 / np.sqrt(2), 0.0, 1.0, 0.05 * np.e])


def _data(n=200, outputs=1):
    rng = np.random.default_rng()
    X = rng.random((n, 3))
    y = np.round(4 * X[:, :outputs] + rng.standard_normal((n, outputs)), 1)
    return X, y if outputs > 1 else y[:, 0]


def _shares(model, X, T, weights=None):
    """The weight of each training record for each new one: Meinshausen's, summed over the trees."""
    out = np.zeros((len(T), len(X)))
    drawn = np.stack([np.bincount(rows, minlength=len(X)) for rows in model.estimators_samples_]).astype(
        float
    )
    drawn *= 1 if weights is None or model.bootstrap else weights
    for own, there, here in zip(drawn, model.apply(X).T, model.apply(T).T, strict=True):
        mine = own * (there == here[:, None])
        out += mine / mine.sum(axis=1, keepdims=True)
    return out


def _quantiles(shares, y):
    return np.array([np.quantile(y[w > 0], WANTED, weights=w[w > 0], method="inverted_cdf") for w in shares])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("cls", FORESTS)
def test_quantiles_are_those_of_the_leaves(cls, weighted):
    X, y = _data(outputs=2)
    weights = np.random.default_rng().random(len(X)) * (X[:, 0] < 0.9) if weighted else None
    model = cls(11, min_samples_leaf=3, keep_targets=True, random_state=0).fit(X, y, weights)
    T = _data()[0]
    shares, got = _shares(model, X, T, weights), model.predict_quantiles(T, WANTED)
    assert got.shape == (200, 2, 5)
    for o in range(2):
        np.testing.assert_array_equal(got[:, o], _quantiles(shares, y[:, o]))
    np.testing.assert_allclose(shares @ y / 11, model.predict(T), rtol=1e-10, atol=1e-10)


def test_out_of_bag_asks_only_trees_that_have_not_seen_a_record():
    X, y = _data(60)
    model = RandomForestRegressor(40, min_samples_leaf=3, keep_targets=True, random_state=0).fit(X, y)
    got = model.predict_quantiles(X, WANTED, oob=True)
    for i in range(60):
        unseen = [t for t, rows in enumerate(model.estimators_samples_) if i not in rows]
        shares = np.zeros(60)
        for t in unseen:
            leaf, rows = model.apply(X)[:, t], model.estimators_samples_[t]
            own = np.bincount(rows[leaf[rows] == leaf[i]], minlength=60)
            shares += own / own.sum()
        np.testing.assert_array_equal(got[i], _quantiles(shares[None], y)[0])


def test_a_record_that_all_trees_have_seen_has_none():
    X, y = _data(30)
    model = RandomForestRegressor(1, keep_targets=True).fit(X, y)
    with pytest.warns(UserWarning, match="OOB"):
        got = model.predict_quantiles(X, oob=True)
    assert np.isnan(got).tolist() == np.isin(np.arange(30), model.estimators_samples_[0]).tolist()


def test_by_hand():
    X, y = np.zeros((5, 1)), np.array([3.0, 1.0, 2.0, 5.0, 4.0])
    model = ExtraTreesRegressor(3, keep_targets=True).fit(X, y)  # one leaf each, with all records
    wanted = [0, 0.2, 0.2001, 0.4, 0.5, 0.8, 0.99, 1]
    assert model.predict_quantiles([[7.0]], wanted).tolist() == [[1, 1, 2, 2, 3, 4, 5, 5]]
    assert model.predict_quantiles([[7.0]]).tolist() == [3]
    assert model.fit(X, y, [1, 1, 0, 6, 0]).predict_quantiles([[7.0]], [0.1, 0.2, 0.3]).tolist() == [
        [1, 3, 5]
    ]


def test_pruned_trees_and_those_added_later_count():
    X, y = _data()
    model = RandomForestRegressor(5, ccp_alpha=0.05, keep_targets=True, warm_start=True, random_state=0)
    model.fit(X, y).set_params(n_estimators=9).fit(X, y)
    assert max(tree.get_n_leaves() for tree in model.estimators_) < 30
    np.testing.assert_array_equal(model.predict_quantiles(X, WANTED), _quantiles(_shares(model, X, X), y))


@pytest.mark.parametrize("cls", FORESTS)
def test_rising_and_among_the_targets(cls):
    X, y = _data()
    model = cls(10, keep_targets=True, random_state=0).fit(X, y)
    wanted = np.linspace(0, 1, 21)
    got = model.predict_quantiles(X, wanted)
    assert (np.diff(got, axis=1) >= 0).all()
    assert np.isin(got, y).all()
    np.testing.assert_array_equal(model.predict_quantiles(X, wanted[::-1]), got[:, ::-1])


def test_float32_stays():
    X, y = (part.astype(np.float32) for part in _data())
    model = RandomForestRegressor(3, keep_targets=True).fit(X, y)
    assert model.predict_quantiles(X).dtype == np.float32
    assert model.predict_quantiles(X).shape == (200,)


def test_what_cannot_be_is_said():
    X, y = _data(20)
    with pytest.raises(ValueError, match="keep_targets=True"):
        RandomForestRegressor(2).fit(X, y).predict_quantiles(X)
    model = RandomForestRegressor(2, keep_targets=True).fit(X, y)
    for bad in (1.5, -0.1, np.nan, [], [[0.5]], "half", None, [0.5, 2]):
        with pytest.raises(ValueError, match="quantiles must be"):
            model.predict_quantiles(X, bad)
    with pytest.raises(ValueError, match="20 records of the fit, got 5"):
        model.predict_quantiles(X[:5], oob=True)
    with pytest.raises(ValueError, match="bootstrap=True"):
        ExtraTreesRegressor(2, keep_targets=True).fit(X, y).predict_quantiles(X, oob=True)
