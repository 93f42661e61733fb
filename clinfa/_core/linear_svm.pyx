# Passes for linear support vector machines in the primal and for the interior-point method (docs/kernels.md, "Linear
# support vector machines"). A row's value u = w'x + b should lie in its band [low, high].
from libc.math cimport fmin
from libc.stdint cimport int64_t

from clinfa._core.linear_svm cimport interior_reach
from clinfa._core.types cimport real, clinfa_take

cdef extern from "linear_svm.h" nogil:
    double inner_f32(const float* x, const double* w, Py_ssize_t d)
    double inner_f64(const double* x, const double* w, Py_ssize_t d)


def values_pass(
    const real[:, ::1] X,       # in     (n, d)
    const double[::1] w,        # in     (d)
    double b,                   # in
    const int64_t[::1] bounds,  # in     (stripes + 1)
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    double[::1] out,            # out    (n)            X w + b
):
    cdef Py_ssize_t d = X.shape[1], i
    cdef int64_t s, stripes = bounds.shape[0] - 1
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                if real is float:
                    out[i] = inner_f32(&X[i, 0], &w[0], d) + b
                else:
                    out[i] = inner_f64(&X[i, 0], &w[0], d) + b


def sums_pass(
    const real[:, ::1] X,       # in     (n, d)
    const double[:, ::1] G,     # in     (k, n)
    const int64_t[::1] bounds,  # in     (stripes + 1)
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    double[:, :, ::1] out,      # inout  (stripes, k, > d)  G X, and in column d the row sums of G
):
    cdef Py_ssize_t d = X.shape[1], k = G.shape[0], i, j, f
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef double g
    cdef double* total
    cdef const real* x
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                x = &X[i, 0]
                for j in range(k):
                    g = G[j, i]
                    if g == 0:
                        continue
                    total = &out[s, j, 0]
                    for f in range(d):
                        total[f] += g * x[f]
                    total[d] += g


def band_pass(
    double[::1] u,              # inout  (n)
    const double[::1] du,       # in     (n)
    double t,                   # in
    bint move,                  # in                    whether u goes t du further, and g and h are wanted
    const double[::1] low,      # in     (n)
    const double[::1] high,     # in     (n)
    const double[::1] cost,     # in     (n)
    const int64_t[::1] bounds,  # in     (stripes + 1)
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    double[::1] g,              # out    (n)            first and second derivative of the loss by the value
    double[::1] h,              # out    (n)
    double[:, ::1] sums,        # out    (stripes, 16)  loss; its first and second derivative by t
):
    """The loss cost e^2 at u + t du, where e is how far the value lies outside of its band."""
    cdef Py_ssize_t i
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef double v, e, twice, loss, slope, bend
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            loss = slope = bend = 0
            for i in range(bounds[s], bounds[s + 1]):
                v = u[i] + t * du[i]
                e = v - low[i] if v < low[i] else (v - high[i] if v > high[i] else 0)
                twice = 2 * cost[i] if e != 0 else 0
                loss += 0.5 * twice * e * e
                slope += twice * e * du[i]
                bend += twice * du[i] * du[i]
                if move:
                    u[i] = v
                    g[i] = twice * e
                    h[i] = twice
            sums[s, 0] = loss
            sums[s, 1] = slope
            sums[s, 2] = bend


def interior_pass(
    const double[::1] u,         # in     (n)
    const double[:, ::1] sign,   # in     (sides, n)     a side asks for sign u + slack >= goal
    const double[:, ::1] goal,   # in     (sides, n)
    const double[::1] cost,      # in     (n)            of a unit of slack
    const double[:, ::1] alpha,  # in     (sides, n)     multipliers, within (0, cost)
    const double[:, ::1] room,   # in     (sides, n)     sign u + slack - goal
    const double[:, ::1] slack,  # in     (sides, n)
    const int64_t[::1] bounds,   # in     (stripes + 1)
    int64_t[::1] cursor,         # inout  (1)
    int64_t limit,               # in
    double[::1] theta,           # out    (n)            weights of the rows in the normal equations
    double[:, ::1] right,        # out    (3, n)         weights in right-hand sides: multipliers, affine, centre
    double[:, ::1] sums,         # out    (stripes, 16)  loss; goals times multipliers; complementarity
):
    cdef Py_ssize_t i, j, sides = sign.shape[0]
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef double a, b, lack, weight, total, plain, affine, centre, loss, gain, product
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            loss = gain = product = 0
            for i in range(bounds[s], bounds[s + 1]):
                total = plain = affine = centre = 0
                for j in range(sides):
                    a = alpha[j, i]
                    b = cost[i] - a
                    lack = goal[j, i] - sign[j, i] * u[i]
                    weight = 1 / (room[j, i] / a + slack[j, i] / b)
                    total += weight
                    plain += sign[j, i] * a
                    affine += sign[j, i] * weight * lack
                    centre += sign[j, i] * weight * (1 / a - 1 / b)
                    loss += cost[i] * lack if lack > 0 else 0
                    gain += goal[j, i] * a
                    product += a * room[j, i] + b * slack[j, i]
                theta[i] = total
                right[0, i] = plain
                right[1, i] = affine
                right[2, i] = centre
            sums[s, 0] = loss
            sums[s, 1] = gain
            sums[s, 2] = product


def interior_probe(
    const double[::1] u,         # in     (n)
    const double[::1] du,        # in     (n)            the affine step's
    const double[:, ::1] sign,   # in     (sides, n)     as interior_pass
    const double[:, ::1] goal,   # in     (sides, n)
    const double[::1] cost,      # in     (n)
    const double[:, ::1] alpha,  # in     (sides, n)
    const double[:, ::1] room,   # in     (sides, n)
    const double[:, ::1] slack,  # in     (sides, n)
    const int64_t[::1] bounds,   # in     (stripes + 1)
    int64_t[::1] cursor,         # inout  (1)
    int64_t limit,               # in
    double[:, ::1] right,        # out    (1, n)         weights of what the affine step leaves over
    double[:, ::1] sums,         # out    (stripes, 16)  how far the affine step may go; its products
):
    cdef Py_ssize_t i, j, sides = sign.shape[0]
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef double a, b, z, x, weight, da, dz, dx, over, t, product
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            t = 1e300
            product = 0
            for i in range(bounds[s], bounds[s + 1]):
                over = 0
                for j in range(sides):
                    a, z, x = alpha[j, i], room[j, i], slack[j, i]
                    b = cost[i] - a
                    weight = 1 / (z / a + x / b)
                    da = weight * (goal[j, i] - sign[j, i] * (u[i] + du[i]))
                    dz = -z - z * da / a
                    dx = -x + x * da / b
                    t = fmin(t, interior_reach(a, da, b, z, dz, x, dx))
                    product += da * (dz - dx)
                    over -= sign[j, i] * weight * da * (dz / a + dx / b)
                right[0, i] = over
            sums[s, 0] = t
            sums[s, 1] = product


def interior_step(
    const double[::1] u,         # in     (n)
    const double[::1] affine,    # in     (n)            du of the affine step
    const double[::1] du,        # in     (n)            of the step itself
    double target,               # in                    what products are to become
    const double[:, ::1] sign,   # in     (sides, n)     as interior_pass
    const double[:, ::1] goal,   # in     (sides, n)
    const double[::1] cost,      # in     (n)
    const double[:, ::1] alpha,  # in     (sides, n)
    const double[:, ::1] room,   # in     (sides, n)
    const double[:, ::1] slack,  # in     (sides, n)
    const int64_t[::1] bounds,   # in     (stripes + 1)
    int64_t[::1] cursor,         # inout  (1)
    int64_t limit,               # in
    double[:, :, ::1] change,    # out    (3, sides, n)  of alpha, room, slack
    double[:, ::1] sums,         # out    (stripes, 16)  how far the step may go
):
    cdef Py_ssize_t i, j, sides = sign.shape[0]
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef double a, b, z, x, weight, lack, da, dz, dx, from_z, from_x, t
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            t = 1e300
            for i in range(bounds[s], bounds[s + 1]):
                for j in range(sides):
                    a, z, x = alpha[j, i], room[j, i], slack[j, i]
                    b = cost[i] - a
                    weight = 1 / (z / a + x / b)
                    lack = goal[j, i] - sign[j, i] * u[i]
                    da = weight * (lack - sign[j, i] * affine[i])
                    from_z = (target + da * (z + z * da / a)) / a
                    from_x = (target - da * (x - x * da / b)) / b
                    da = weight * (lack + from_z - from_x - sign[j, i] * du[i])
                    dz = from_z - z - z * da / a
                    dx = from_x - x + x * da / b
                    t = fmin(t, interior_reach(a, da, b, z, dz, x, dx))
                    change[0, j, i] = da
                    change[1, j, i] = dz
                    change[2, j, i] = dx
            sums[s, 0] = t
