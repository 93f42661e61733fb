# Mutual information expected by chance. The mathematics stands in docs/kernels.md.
from libc.math cimport fabs, floor, log1p
from libc.stdint cimport int64_t

from clinfa._core.types cimport clinfa_take


cdef inline double _excess(double t) noexcept nogil:
    """(1 + t) log(1 + t) - t for t >= -1, without cancellation."""
    cdef double power, total, term
    cdef int m
    if t <= -1:
        return 1
    if fabs(t) > 0.1:
        return (1 + t) * log1p(t) - t
    total = term = t * t / 2  # t^2 / (1 2) - t^3 / (2 3) + t^4 / (3 4) ...
    power = t * t
    for m in range(3, 40):
        power *= -t
        term = power / (m * (m - 1))
        total += term
        if fabs(term) < 1e-17 * total:
            break
    return total


cdef double _expected(double a, double b, double n) noexcept nogil:
    """The mean of k log(k / mu) - k + mu, where k is how many of a drawn rows lie among b of n; mu = ab / n."""
    cdef double mu = a * (b / n), k0 = floor((a + 1) * ((b + 1) / (n + 2)))
    cdef double low = max(0.0, a + b - n), high = min(a, b), k, w, total, mass
    k0 = min(max(k0, low), high)
    mass = 1
    total = _excess((k0 - mu) / mu)
    # Probabilities relative to that of the mode, by their quotients; what is left out is below 1e-20 of the whole.
    w, k = 1, k0
    while k < high and w > 1e-22:
        w *= ((a - k) / (k + 1)) * ((b - k) / (n - a - b + k + 1))
        k += 1
        mass += w
        total += w * _excess((k - mu) / mu)
    w, k = 1, k0
    while k > low and w > 1e-22:
        w *= (k / (a - k + 1)) * ((n - a - b + k) / (b - k + 1))
        k -= 1
        mass += w
        total += w * _excess((k - mu) / mu)
    return mu * total / mass


def expected_pass(
    const double[::1] a,        # in     (r)             different sizes of true clusters
    const double[::1] a_times,  # in     (r)             how many clusters have that size
    const double[::1] b,        # in     (c)             of predicted ones
    const double[::1] b_times,  # in     (c)
    double n,                   # in                     rows
    const int64_t[::1] bounds,  # in     (stripes + 1)   of pairs: a is the slower index
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    double[:, ::1] out,         # out    (stripes, 1 or more)  n times the stripe's share of the expected information
):
    cdef Py_ssize_t c = b.shape[0], p, i, j
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef double total
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            total = 0
            for p in range(bounds[s], bounds[s + 1]):
                i = p // c
                j = p - i * c
                total += a_times[i] * b_times[j] * _expected(a[i], b[j], n)
            out[s, 0] = total
