# Linear support vector machines of a few records: whole iterations in one call, one after another.
# What is computed, and why, stands in svm/_newton.py and svm/_interior.py, which do the same for many.
from libc.math cimport fabs, fmax, fmin, sqrt, HUGE_VAL
from libc.stdint cimport int64_t

from clinfa._core.linear_svm cimport interior_reach
from clinfa._core.types cimport real


cdef inline void _band_sums(
    Py_ssize_t n, const double* u, const double* du, double t, const double* low, const double* high,
    const double* cost, double* loss, double* slope, double* bend,
) noexcept nogil:
    """As band_pass."""
    cdef Py_ssize_t i
    cdef double v, e, twice
    loss[0] = slope[0] = bend[0] = 0
    for i in range(n):
        v = u[i] + t * du[i]
        e = v - low[i] if v < low[i] else (v - high[i] if v > high[i] else 0)
        twice = 2 * cost[i] if e != 0 else 0
        loss[0] += 0.5 * twice * e * e
        slope[0] += twice * e * du[i]
        bend[0] += twice * du[i] * du[i]


cdef inline bint _factor(double[:, ::1] H) noexcept nogil:
    """Cholesky in the lower triangle of H; False where H is not positive definite."""
    cdef Py_ssize_t i, j, f, m = H.shape[0]
    cdef double total
    for j in range(m):
        for i in range(j, m):
            total = H[i, j]
            for f in range(j):
                total -= H[i, f] * H[j, f]
            if i == j:
                if not total > 0:
                    return False
                H[j, j] = sqrt(total)
            else:
                H[i, j] = total / H[j, j]
    return True


cdef inline void _solve(const double[:, ::1] H, double* x) noexcept nogil:
    """x := H^-1 x, once H is factored."""
    cdef Py_ssize_t i, f, m = H.shape[0]
    for i in range(m):
        for f in range(i):
            x[i] -= H[i, f] * x[f]
        x[i] /= H[i, i]
    for i in range(m - 1, -1, -1):
        for f in range(i + 1, m):
            x[i] -= H[f, i] * x[f]
        x[i] /= H[i, i]


cdef inline void _values(const real[:, ::1] X, double constant, const double* w, double* out) noexcept nogil:
    cdef Py_ssize_t i, f, d = X.shape[1]
    for i in range(X.shape[0]):
        out[i] = constant * w[d] if constant != 0 else 0
        for f in range(d):
            out[i] += X[i, f] * w[f]


def newton_steps(
    const real[:, ::1] X,       # in     (n, d)
    double constant,            # in                 the last column; none where 0
    const double[::1] low,      # in     (n)
    const double[::1] high,     # in     (n)
    const double[::1] cost,     # in     (n)
    double enough,              # in                 half the squared gradient, by the objective, where it ends
    int64_t steps,              # in                 at most
    double[::1] w,              # inout  (m)         m is d, or d + 1 with a constant
    double[::1] u,              # inout  (n)         X w
    double[:, ::1] H,           # scratch (m, m)
    double[:, ::1] scratch,     # scratch (2, n + 2 m)
    double first,               # in                 the loss at w = 0
    int64_t[::1] state,         # inout  (2)         steps taken; 1 at the end, 2 where H is not definite to rounding
):
    """Newton's method for squared losses of a few records, as svm/_newton.py has it for many."""
    cdef Py_ssize_t n = X.shape[0], d = X.shape[1], m = w.shape[0], i, j, f, search
    cdef double* du = &scratch[0, 0]
    cdef double* row = &scratch[0, n]
    cdef double* gradient = &scratch[1, 0]
    cdef double* dw = &scratch[1, m]
    cdef double e, twice, loss, slope, bend, along, length, size, objective, now, left, right, t, stop, v
    with nogil:
        row[m - 1] = constant
        while steps >= 0 and state[1] == 0:
            # The gradient and the second derivatives
            loss = size = 0
            for f in range(m):
                gradient[f] = w[f]
                size += w[f] * w[f]
                for j in range(f + 1):
                    H[f, j] = f == j
            for i in range(n):
                v = u[i]
                e = v - low[i] if v < low[i] else (v - high[i] if v > high[i] else 0)
                if e == 0:
                    continue
                twice = 2 * cost[i]
                loss += 0.5 * twice * e * e
                for f in range(d):
                    row[f] = X[i, f]
                for f in range(m):
                    gradient[f] += twice * e * row[f]
                    for j in range(f + 1):
                        H[f, j] += twice * row[f] * row[j]
            objective = loss + size / 2
            slope = 0
            for f in range(m):
                slope += gradient[f] * gradient[f]
                dw[f] = -gradient[f]
            if slope / 2 <= enough * fmin(objective, first - objective + slope / 2):
                state[1] = 1
                break
            if steps == 0:
                break
            steps -= 1
            if not _factor(H):
                state[1] = 2
                break
            _solve(H, dw)
            _values(X, constant, dw, du)
            # Where on the line
            along = length = 0
            for f in range(m):
                along += w[f] * dw[f]
                length += dw[f] * dw[f]
            _band_sums(n, &u[0], du, 0, &low[0], &high[0], &cost[0], &loss, &slope, &bend)
            slope += along
            state[0] += 1
            if not slope < 0:
                state[1] = 1
                break
            left, right, t, stop = 0, HUGE_VAL, 1, -0.01 * slope
            for search in range(40):
                _band_sums(n, &u[0], du, t, &low[0], &high[0], &cost[0], &loss, &slope, &bend)
                slope += along + t * length
                if fabs(slope) <= stop:
                    break
                if slope < 0:
                    left = t
                else:
                    right = t
                t -= slope / (bend + length)
                if not left < t < right:
                    t = (left + right) / 2 if right < HUGE_VAL else 2 * left
            _band_sums(n, &u[0], du, t, &low[0], &high[0], &cost[0], &loss, &slope, &bend)
            now = loss
            for f in range(m):
                w[f] += t * dw[f]
                now += w[f] * w[f] / 2
            for i in range(n):
                u[i] += t * du[i]
            if now >= objective:  # no digits are left
                state[1] = 1


def interior_steps(
    const real[:, ::1] X,       # in     (n, d)
    double constant,            # in                 the last column; none where 0
    const double[:, ::1] sign,  # in     (sides, n)  as linear_svm.interior_pass
    const double[:, ::1] goal,  # in     (sides, n)
    const double[::1] cost,     # in     (n)
    double least,               # in                 the gap, by the objective, where it ends
    int64_t steps,              # in                 at most
    double[:, ::1] alpha,       # inout  (sides, n)
    double[:, ::1] room,        # inout  (sides, n)
    double[:, ::1] slack,       # inout  (sides, n)
    double[:, ::1] w,           # inout  (2, m)      where it is, and the best there was; m is d, or d + 1
    double[::1] u,              # inout  (n)         X w[0]
    double[:, ::1] H,           # scratch (m, m)
    double[:, ::1] sums,        # scratch (5, m)
    double[:, ::1] values,      # scratch (2, n)
    double[:, :, ::1] change,   # scratch (3, sides, n)
    double[::1] marks,          # inout  (6)         best objective; greatest bound below it; the share of the first
                                #                    infeasibility that is left; the least gap; the loss at w = 0; the
                                #                    least complementarity
    int64_t[::1] state,         # inout  (3)         steps taken; 1 at the end, 2 where H is not definite to rounding, 3
                                #                    without progress; steps since that was halved
):
    cdef Py_ssize_t n = X.shape[0], d = X.shape[1], m = w.shape[1], sides = sign.shape[0], i, j, f, q
    cdef double a, b, z, x, lack, weight, total, plain, affine, centre, loss, gain, product, size, dual, now, inner
    cdef double da, dz, dx, from_z, from_x, over, t, left, target, row
    cdef double* du = &values[1, 0]
    with nogil:
        while state[1] == 0:
            # The normal equations
            for f in range(m):
                for j in range(f + 1):
                    H[f, j] = f == j
                for j in range(5):
                    sums[j, f] = 0
            loss = gain = product = 0
            for i in range(n):
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
                for f in range(m):
                    row = X[i, f] if f < d else constant
                    sums[0, f] += plain * row
                    sums[1, f] += affine * row
                    sums[2, f] += centre * row
                    row *= total
                    for q in range(min(f + 1, d)):
                        H[f, q] += row * X[i, q]
                    if f == d:
                        H[f, f] += row * constant
            # Where it stands
            size = dual = 0
            for f in range(m):
                size += w[0, f] * w[0, f]
                dual += sums[0, f] * sums[0, f]
            loss += size / 2
            dual = gain - dual / 2
            if loss < marks[0]:
                marks[0] = loss
                for f in range(m):
                    w[1, f] = w[0, f]
            marks[1] = fmax(marks[1], dual)
            inner = product if marks[2] < 1e-9 else HUGE_VAL
            now = fmin(marks[0] - marks[1], inner)
            marks[3] = fmin(marks[3], now)
            state[2] += 1
            if product < 0.5 * marks[5]:
                marks[5] = product
                state[2] = 0
            size = fmax(marks[0] if marks[0] - marks[1] <= inner else fabs(dual) + product, 1e-300)
            if marks[3] <= least * fmin(size, marks[4] - marks[1]):
                if inner <= marks[0] - marks[1]:
                    for f in range(m):
                        w[1, f] = w[0, f]
                state[1] = 1
                break
            if product <= 1e-13 * size:  # no digits are left
                for f in range(m):
                    w[1, f] = w[0, f]
                state[1] = 1
                break
            if state[2] > 12 or not product > 0:
                marks[3] /= size
                state[1] = 3
                break
            if steps <= 0:
                break
            steps -= 1
            state[0] += 1
            if not _factor(H):
                state[1] = 2
                break
            # The affine step, and how far it goes
            for f in range(m):
                sums[3, f] = sums[0, f] + sums[1, f] - w[0, f]
            _solve(H, &sums[3, 0])
            _values(X, constant, &sums[3, 0], &values[0, 0])
            t = 1
            left = 0
            for i in range(n):
                over = 0
                for j in range(sides):
                    a, z, x = alpha[j, i], room[j, i], slack[j, i]
                    b = cost[i] - a
                    weight = 1 / (z / a + x / b)
                    da = weight * (goal[j, i] - sign[j, i] * (u[i] + values[0, i]))
                    dz = -z - z * da / a
                    dx = -x + x * da / b
                    t = fmin(t, interior_reach(a, da, b, z, dz, x, dx))
                    left += da * (dz - dx)
                    over -= sign[j, i] * weight * da * (dz / a + dx / b)
                for f in range(d):
                    sums[4, f] += over * X[i, f]
                if m > d:
                    sums[4, d] += over * constant
            left = fmax((1 - t) * product + t * t * left, 0) / product
            target = left * left * left * product / (2 * n * sides)
            # The step itself
            for f in range(m):
                sums[3, f] = sums[0, f] + sums[1, f] + target * sums[2, f] + sums[4, f] - w[0, f]
            _solve(H, &sums[3, 0])
            _values(X, constant, &sums[3, 0], du)
            t = 1e300
            for i in range(n):
                for j in range(sides):
                    a, z, x = alpha[j, i], room[j, i], slack[j, i]
                    b = cost[i] - a
                    weight = 1 / (z / a + x / b)
                    lack = goal[j, i] - sign[j, i] * u[i]
                    da = weight * (lack - sign[j, i] * values[0, i])
                    from_z = (target + da * (z + z * da / a)) / a
                    from_x = (target - da * (x - x * da / b)) / b
                    da = weight * (lack + from_z - from_x - sign[j, i] * du[i])
                    dz = from_z - z - z * da / a
                    dx = from_x - x + x * da / b
                    t = fmin(t, interior_reach(a, da, b, z, dz, x, dx))
                    change[0, j, i] = da
                    change[1, j, i] = dz
                    change[2, j, i] = dx
            t = fmin(1, 0.995 * t)
            for f in range(m):
                w[0, f] += t * sums[3, f]
            for i in range(n):
                u[i] += t * du[i]
                for j in range(sides):
                    alpha[j, i] += t * change[0, j, i]
                    room[j, i] += t * change[1, j, i]
                    slack[j, i] += t * change[2, j, i]
            marks[2] *= 1 - t
