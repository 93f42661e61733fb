"""Trees against scikit-learn's, and against a walk by hand."""

import warnings

import numpy as np


def theirs(cls, *data, **how):
    """A tree of scikit-learn's, fitted; what it says of the name friedman_mse is of no interest."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return cls(random_state=0, **how).fit(*data)


def below(tree, i):
    """The impurity that the two sides of a node have together."""
    sides = [tree.children_left[i], tree.children_right[i]]
    return np.average(tree.impurity[sides], weights=tree.weighted_n_node_samples[sides])


def more(mass, tree, i):
    """Whether the left side of a node has more of it."""
    return mass[tree.children_left[i]] > mass[tree.children_right[i]]


def same_tree(ours, other):
    """Ours is scikit-learn's, node for node, but for ties: returns how many splits are the same.

    scikit-learn tries the columns in an order drawn at random. Where two split equally well, by the same
    measure, what lies below is not compared. It also divides nodes that are pure but for rounding. What may
    be missing later goes where more records go there, where more weight goes here.
    """
    a, b = ours.tree_, other.tree_
    least = 1e-11 * b.impurity[0]  # (what scikit-learn leaves of zero)
    waiting, same = [(0, 0)], 0
    while waiting:
        i, j = waiting.pop()
        assert a.n_node_samples[i] == b.n_node_samples[j]
        np.testing.assert_allclose(a.weighted_n_node_samples[i], b.weighted_n_node_samples[j], rtol=1e-12)
        np.testing.assert_allclose(a.value[i], b.value[j], rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(a.impurity[i], b.impurity[j], rtol=1e-10, atol=least)
        if a.children_left[i] < 0:
            assert b.children_left[j] < 0 or a.impurity[i] <= least
            continue
        assert b.children_left[j] >= 0
        alike = a.feature[i] == b.feature[j] and np.isclose(a.threshold[i], b.threshold[j], rtol=1e-7)
        if alike and more(b.n_node_samples, b, j) == more(b.weighted_n_node_samples, b, j):
            alike = a.missing_go_to_left[i] == b.missing_go_to_left[j]
        if alike:
            same += 1
            waiting += [
                (a.children_left[i], b.children_left[j]),
                (a.children_right[i], b.children_right[j]),
            ]
        else:
            np.testing.assert_allclose(below(a, i), below(b, j), rtol=1e-10, atol=least)
    return same


def walked(tree, x):
    """The nodes that a record passes, by its thresholds."""
    path = [0]
    while tree.children_left[path[-1]] >= 0:
        i = path[-1]
        value = x[tree.feature[i]]
        left = tree.missing_go_to_left[i] if np.isnan(value) else value <= tree.threshold[i]
        path.append(int(tree.children_left[i] if left else tree.children_right[i]))
    return path


def agrees_with_its_fit(model, X):
    """Every record ends where it was when the tree grew; returns its leaves."""
    tree, leaf = model.tree_, model.apply(X)
    found = np.bincount(leaf, minlength=tree.node_count)
    inner = tree.children_left >= 0
    np.testing.assert_array_equal(found[~inner], tree.n_node_samples[~inner])
    assert not found[inner].any()
    np.testing.assert_array_equal(
        tree.n_node_samples[inner],
        tree.n_node_samples[tree.children_left[inner]] + tree.n_node_samples[tree.children_right[inner]],
    )
    return leaf


def parts(leaf):
    """Which records are together, whatever the numbers of the leaves."""
    return np.unique(leaf, return_inverse=True)[1]
