"""What every kernel computes, as plain NumPy in double: slow, and easy to check.

Points are y = (x - shift) * scale; `centres` are in those same units; an empty array of weights
stands for ones, as it does for the kernels.
"""

import numpy as np


def enter(X, shift, scale):
    """The points: y = (x - shift) * scale."""
    return (np.asarray(X, np.float64) - np.asarray(shift, np.float64)) * scale


def ones_if_empty(weights, n):
    return np.ones(n) if len(weights) == 0 else np.asarray(weights, np.float64)


def squared_distances(Y, centres, dtype=np.float64):
    """|y - c|^2 of every point and every centre, by differences: shape (n, k)."""
    Y, centres = np.asarray(Y, dtype), np.asarray(centres, dtype)
    return np.stack([((Y - c) ** 2).sum(axis=1) for c in centres], axis=1)


def nearest(Y, centres):
    """The nearest centre of each point; of several, the one with the lowest number."""
    return squared_distances(Y, centres).argmin(axis=1)


def cluster_sums(Y, weights, labels, k):
    """Sum, weight and number of the points of each cluster, (k, d + 2); weightless left out."""
    w = ones_if_empty(weights, len(Y))
    out = np.zeros((k, Y.shape[1] + 2))
    for j in range(k):
        mine = (labels == j) & (w > 0)
        out[j, :-2] = w[mine] @ Y[mine]
        out[j, -2] = w[mine].sum()
        out[j, -1] = mine.sum()
    return out


def step(total, centres):
    """Every centre at its mean, those without weight at the heaviest one; lengths of the steps."""
    heaviest = total[total[:, -2].argmax()]
    rows = [row if row[-1] > 0 and row[-2] > 0 else heaviest for row in total]
    new = np.array([row[:-2] / row[-2] for row in rows]).astype(centres.dtype)
    lengths = np.sqrt(((new.astype(np.float64) - centres.astype(np.float64)) ** 2).sum(axis=1))
    return new, lengths


def longest_of_the_others(lengths):
    """For each centre the longest step that any other one made."""
    return np.array([max(np.delete(lengths, j), default=0.0) for j in range(len(lengths))])


def panel(centres, width):
    """Centres in groups of `width`, feature by feature, zeros at the end: (groups, d, width)."""
    k, d = centres.shape
    groups = -(-k // width)
    padded = np.zeros((groups * width, d), centres.dtype)
    padded[:k] = centres
    return padded.reshape(groups, width, d).transpose(0, 2, 1)


def half_squares(centres, width):
    """|c|^2 / 2, and infinity in the padding, so that what is no centre never wins."""
    k = len(centres)
    out = np.full(-(-k // width) * width, np.inf)
    out[:k] = (np.asarray(centres, np.float64) ** 2).sum(axis=1) / 2
    return out


def gains(Y, weights, closest, candidates):
    """By how much each candidate would lower the potential of k-means++."""
    less = np.maximum(closest[:, None] - squared_distances(Y, candidates), 0)
    return ones_if_empty(weights, len(Y)) @ less


def by_bucket(values, bucket, buckets):
    return np.array([values[bucket == b].sum() for b in range(buckets)])


def plus_plus(Y, order, weights, uniforms, trials, k):
    """Greedy k-means++: row numbers, drawn by their share of the cumulative mass along `order`."""
    n = len(Y)
    w = ones_if_empty(weights, n)
    uniforms = iter(uniforms)
    closest, chosen = None, []
    for c in range(k):
        mine = [next(uniforms) for _ in range(trials if c else 1)]
        mass = w * closest if c else w
        if not mass.sum() > 0:  # every row is a centre already: any will do, and one look is enough
            mass, mine = w, mine[:1]
        ends = np.cumsum(mass[order])
        best = None
        for u in mine:
            row = order[np.flatnonzero(ends > u * ends[-1])[0]]
            sq = squared_distances(Y, Y[row : row + 1])[:, 0]
            after = np.minimum(closest, sq) if c else sq
            if best is None or w @ after < best[0]:
                best = w @ after, row, after
        chosen.append(best[1])
        closest = best[2]
    return np.array(chosen)


def batch_step(Y, weights, centres, mass, labels):
    """One mini-batch with known labels: new centres, new masses, inertia before."""
    w = ones_if_empty(weights, len(Y))
    old = centres.astype(np.float64)
    new, seen = old.copy(), mass.copy()
    for j in np.unique(labels[w > 0]):
        mine = labels == j
        seen[j] += w[mine].sum()
        new[j] = (old[j] * mass[j] + w[mine] @ Y[mine]) / seen[j]
    return new, seen, w @ squared_distances(Y, centres).min(axis=1)
