"""Every kernel's call in one place: a change of a signature is a change of one function here."""

import numpy as np

from clinfa._core import distances as dense
from clinfa._core import kmeans, kmeans_csr, seeding
from tests.kernels.problems import noise

PANEL = kmeans.panel_size()


def cut(n, stripes=1):
    """Bounds of stripes of unequal lengths."""
    inner = n * np.sqrt(np.arange(1, stripes) / stripes)
    return np.unique(np.concatenate([[0], inner.astype(np.int64), [n]]))


def run(kernel, bounds, *, at_once=1):
    """Call `kernel(cursor, limit)` until all stripes are done, as `threads.Stripes.run` does."""
    cursor, stripes = np.zeros(1, np.int64), len(bounds) - 1
    while cursor[0] < stripes:
        kernel(cursor, at_once)


def pack(centres):
    k, d = centres.shape
    groups = -(-k // PANEL)
    panel = np.full(groups * d * PANEL, np.nan, centres.dtype)
    half_sq = np.full(groups * PANEL, np.nan, centres.dtype)
    kmeans.pack_centres(centres, panel, half_sq)
    return panel, half_sq


def pack_csr(centres, width=None):
    k, d = centres.shape
    width = width or -(-k // 16) * 16
    columns_, half_sq = (
        np.full((d, width), np.nan, centres.dtype),
        np.full(width, np.nan, centres.dtype),
    )
    kmeans_csr.pack_centres(centres, columns_, half_sq)
    return columns_, half_sq


class Assignment:
    """Labels, bounds and sums, kept from pass to pass; `narrow` lets single precision try first."""

    def __init__(self, p, k, *, stripes=1, sums=True, narrow=False):
        self.narrow = narrow
        n, d = p.X.shape
        self.p, self.k, self.bounds = p, k, cut(n, stripes)
        count = len(self.bounds) - 1
        self.labels = np.full(n, -1, np.int32)
        self.slack, self.lower = np.zeros(n, np.float32), np.zeros(n, np.float32)
        self.track, self.own, self.other = np.zeros((2, k)), np.zeros(k), np.zeros(k)
        self.sums = np.zeros((count, k * (d + 2))) if sums else np.zeros((count, 0))
        self.total = np.zeros((k, d + 2))
        self.counts = np.zeros((count, 2), np.int64)

    def assign(self, centres, mode=0):
        """One pass; returns how many labels changed and how many points were looked at."""
        p = self.p
        scratch = np.full(2 * 64 * p.X.shape[1] + 64, np.nan, p.X.dtype)
        room = ((self.own + self.other) * (1 + 1e-6)).astype(np.float32)
        packed = pack(centres)
        fast = [part.astype(np.float32) for part in packed] if self.narrow else packed
        bounds = (self.slack, self.lower, self.own, self.other, room, p.noise)
        run(
            lambda cursor, limit: kmeans.assign_pass(
                *(p.X, p.shift, p.scale, centres, *packed, *fast, p.weights, self.labels, mode),
                *(*bounds, self.sums.shape[1] > 0, self.sums, scratch),
                *(self.bounds, cursor, limit, self.counts),
            ),
            self.bounds,
        )
        return tuple(self.counts.sum(axis=0))

    def add_up(self):
        kmeans.reduce_sums(self.sums, self.total)
        return self.total

    def step(self, total, centres):
        """Move the centres, in place, to the means in `total`; returns squared step and wear."""
        return kmeans.step_centres(total, centres, self.track, self.own, self.other)

    def move_to(self, centres, target):
        """Move the centres to a place of one's choice."""
        k = len(target)
        self.step(np.hstack([target.astype(np.float64), np.ones((k, 2))]), centres)

    def lloyd_steps(self, centres, tol, most):
        p = self.p
        scratch = np.full(2 * 64 * p.X.shape[1] + 64, np.nan, p.X.dtype)
        no_bounds = np.empty(0, np.float32)
        return kmeans.lloyd_steps(
            *(p.X, p.shift, p.scale, centres, *pack(centres), p.weights, self.labels),
            *(self.track, self.own, self.other, no_bounds, self.sums, self.total, scratch),
            *(tol, most),
        )


class CsrAssignment(Assignment):
    """The same passes over CSR rows; `narrow` lets single precision decide what it can."""

    def __init__(self, rows, k, *, stripes=1, narrow=False):
        super().__init__(rows.p, k, stripes=stripes, sums=False, narrow=narrow)
        self.rows = rows
        self.before = np.full(len(rows.p.X), -1, np.int32)

    def assign(self, centres, mode=0):
        packed = pack_csr(centres)
        short = [(part if self.narrow else part[:0]).astype(np.float32) for part in packed]
        short_noise = noise(np.float32, centres.shape[1])
        scratch = np.full(packed[0].shape[1], np.nan, centres.dtype)
        state = (self.labels, mode, self.slack, self.lower, self.own, self.other)
        run(
            lambda cursor, limit: kmeans_csr.assign_pass(
                *(*self.rows.arrays, self.p.scale, *packed, *short, short_noise, *state),
                *(self.p.noise, scratch, self.bounds, cursor, limit, self.counts),
            ),
            self.bounds,
        )
        return tuple(self.counts.sum(axis=0))

    def add_up(self, ranges=2):
        bounds = cut(self.k, min(ranges, self.k))
        run(
            lambda cursor, limit: kmeans_csr.sums_pass(
                *self.rows.arrays,
                self.p.scale,
                self.p.weights,
                self.before,
                self.labels,
                bounds,
                cursor,
                limit,
                self.total,
            ),
            bounds,
        )
        self.before[:] = self.labels
        return self.total


def sums_by_slabs(p, before, labels, total, slabs=1):
    """`sums_pass`: move the points whose label changed, in place, in two blocks of rows."""
    n, d = p.X.shape
    bounds = cut(d, min(slabs, d))
    for lo, hi in ((0, n // 2), (n // 2, n)):
        run(
            lambda cursor, limit, lo=lo, hi=hi: kmeans.sums_pass(
                p.X,
                p.shift,
                p.scale,
                p.weights,
                before,
                labels,
                lo,
                hi,
                bounds,
                cursor,
                limit,
                total,
            ),
            bounds,
        )


def stripe_sums(p, labels, k, stripes=1):
    bounds = cut(len(p.X), stripes)
    sums = np.zeros((len(bounds) - 1, k * (p.X.shape[1] + 2)))
    run(
        lambda cursor, limit: kmeans.stripe_sums_pass(
            p.X, p.shift, p.scale, p.weights, labels, bounds, cursor, limit, sums
        ),
        bounds,
    )
    return sums


def reduce_sums(sums, k):
    total = np.full((k, sums.shape[1] // k), np.nan)
    kmeans.reduce_sums(sums, total)
    return total


def distances(p, centres, labels, stripes=1, each=True, csr=None):
    """Weighted sum of the squared distances by stripe, and each of them."""
    bounds = cut(len(p.X), stripes)
    inertia = np.full(len(bounds) - 1, np.nan)
    out = np.full(len(p.X) if each else 0, np.nan, p.X.dtype)
    if csr is None:
        run(
            lambda cursor, limit: dense.distances_pass(
                p.X,
                p.shift,
                p.scale,
                centres,
                p.weights,
                labels,
                bounds,
                cursor,
                limit,
                inertia,
                out,
            ),
            bounds,
        )
    else:
        half_sq = (centres.astype(np.float64) ** 2).sum(axis=1) / 2
        run(
            lambda cursor, limit: kmeans_csr.distances_pass(
                *csr.arrays,
                p.scale,
                centres,
                half_sq,
                p.weights,
                labels,
                bounds,
                cursor,
                limit,
                inertia,
                out,
            ),
            bounds,
        )
    return inertia, out


def products(csr, centres, noise_, stripes=1):
    """Squared distances of CSR rows to a few centres."""
    packed = pack_csr(centres)
    bounds = cut(len(csr.p.X), stripes)
    scratch = np.full(packed[0].shape[1], np.nan, centres.dtype)
    out = np.full((len(csr.p.X), len(centres)), np.nan, centres.dtype)
    run(
        lambda cursor, limit: kmeans_csr.products_pass(
            *csr.arrays, csr.p.scale, *packed, noise_, bounds, cursor, limit, scratch, out
        ),
        bounds,
    )
    return out


def transform(p, centres, stripes=1):
    n, d = p.X.shape
    bounds = cut(n, stripes)
    scratch = np.full((64 + 8) * d + 8 * 64 + 32, np.nan, p.X.dtype)
    out = np.full((n, len(centres)), np.nan, p.X.dtype)
    run(
        lambda cursor, limit: dense.transform_pass(
            p.X, p.shift, p.scale, centres, bounds, cursor, limit, scratch, out
        ),
        bounds,
    )
    return out


def try_candidates(p, candidates, closest, owner, safe, stripes=1):
    """The gain of each candidate, and what `follow` needs to know of the rows looked at."""
    n, d = p.X.shape
    bounds = cut(n, stripes)
    count, tile = len(bounds) - 1, seeding.tile_rows(p.X[0, :0])
    panel, half_sq = pack(candidates)
    scratch = np.full(64 * (d + PANEL) + 32, np.nan, p.X.dtype)
    gain = np.full((count, len(half_sq)), np.nan)
    lanes = np.full(len(half_sq) * 64, np.nan)
    tiles = n // tile + 2 * count
    kept = np.full((tiles, len(half_sq) * tile), np.nan, np.float32)
    rows, counts = np.full((tiles, tile), -1, np.int32), np.full(count, -1, np.int64)
    run(
        lambda cursor, limit: seeding.trial_pass(
            *(p.X, p.shift, p.scale, panel, p.weights, closest, owner, safe, scratch, lanes),
            *(bounds, cursor, limit, gain, kept, rows, counts),
        ),
        bounds,
    )
    return gain.sum(axis=0)[: len(candidates)], (bounds, kept, rows, counts)


def follow(p, looked_at, candidate, number, closest, owner, bucket, buckets):
    """Let points follow a candidate (`closest` and `owner` change); returns the loss by bucket."""
    bounds, kept, rows, counts = looked_at
    loss = np.full((len(bounds) - 1, buckets + 16), np.nan)
    run(
        lambda cursor, limit: seeding.follow_pass(
            *(kept, rows, counts, candidate, number, p.weights, closest, owner, bucket),
            *(bounds, cursor, limit, loss),
        ),
        bounds,
    )
    return loss.sum(axis=0)[:buckets]


def bucket_mass(closest, weights, bucket, buckets, stripes=1):
    bounds = cut(len(closest), stripes)
    mass = np.full((len(bounds) - 1, buckets + 16), np.nan)
    run(
        lambda cursor, limit: seeding.mass_pass(closest, weights, bucket, bounds, cursor, limit, mass),
        bounds,
    )
    return mass.sum(axis=0)[:buckets]


def plus_plus_small(p, order, uniforms, trials, k):
    n, d = p.X.shape
    chosen, centres = np.full(k, -1, np.int64), np.full((k, d), np.nan, p.X.dtype)
    seeding.plus_plus_small(
        p.X,
        p.shift,
        p.scale,
        order,
        p.weights,
        uniforms,
        trials,
        centres,
        np.full((trials + 1, n), np.nan, p.X.dtype),
        np.full(n, np.nan),
        chosen,
    )
    return chosen, centres


def batch_step(p, rows, weights, centres, mass):
    """One mini-batch (`centres` and `mass` change); returns labels, inertia, squared step."""
    k, d = centres.shape
    labels = np.full(len(rows), -1, np.int32)
    scratch = np.full(2 * 64 * d + 32, np.nan, p.X.dtype)
    inertia, moved = kmeans.batch_step(
        p.X,
        p.shift,
        p.scale,
        rows,
        weights,
        centres,
        mass,
        *pack(centres),
        scratch,
        np.full((k, d + 1), np.nan),
        labels,
    )
    return labels, inertia, moved


def draw_rows(order, size, ends, goals, weights, factor):
    out = np.full(len(goals), -1, np.int64)
    seeding.draw_rows(order, size, ends, goals, weights, factor, out)
    return out


def safe_radii(centres, count, candidates, noise):
    out = np.full(count, np.nan, candidates.dtype)
    seeding.safe_radii(centres, count, candidates, noise, out)
    return out
