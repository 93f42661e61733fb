# Distances of one query to the points of a leaf or the boxes of a node: lanes.h under one name for both types.
from libc.math cimport fabs, pow
from libc.stdint cimport int32_t, int64_t, uint32_t

from clinfa._core.types cimport real

cdef extern from "lanes.h" nogil:
    const Py_ssize_t LEAF
    const Py_ssize_t FAN
    const int EUCLIDEAN
    const int MANHATTAN
    const int CHEBYSHEV
    uint32_t lanes_points_f32(const float*, const float*, Py_ssize_t, int, double, float, float*)
    uint32_t lanes_points_f64(const double*, const double*, Py_ssize_t, int, double, double, double*)
    uint32_t lanes_boxes_f32(const float*, const float*, Py_ssize_t, int, double, float, float*)
    uint32_t lanes_boxes_f64(const double*, const double*, Py_ssize_t, int, double, double, double*)
    int lowest_bit(uint32_t)
    double lanes_rounded(double)
    const bint EXACT_LANES
    void lanes_keep(double*, int64_t*, Py_ssize_t, double, int64_t)

cdef enum:
    MOST_LANES = 16   # LEAF; arrays on the stack are made for it
    MOST_STACK = 128  # FAN - 1 nodes wait on each of at most 11 levels (2^31 points)


cdef inline uint32_t lanes_points(
    const real* q, const real* points, Py_ssize_t d, int metric, double p, real reach, real* out
) noexcept nogil:
    if real is float:
        return lanes_points_f32(q, points, d, metric, p, reach, out)
    else:
        return lanes_points_f64(q, points, d, metric, p, reach, out)


cdef inline uint32_t lanes_boxes(
    const real* q, const real* boxes, Py_ssize_t d, int metric, double p, real reach, real* out
) noexcept nogil:
    if real is float:
        return lanes_boxes_f32(q, boxes, d, metric, p, reach, out)
    else:
        return lanes_boxes_f64(q, boxes, d, metric, p, reach, out)


cdef inline double lanes_slack(real zero, Py_ssize_t d, double p) noexcept nogil:
    """How many times the exact distance those of the lanes are at most: d sums, rounded in either way."""
    if EXACT_LANES and real is double:
        return 1
    return 1 + (d + p + 8) * (2.0**-22 if real is float else 2.0**-51)


cdef inline double lanes_tiny(real zero) noexcept nogil:
    """And how much more, where they are so small that their digits are lost."""
    if EXACT_LANES and real is double:
        return 0
    return 1e-36 if real is float else 1e-300


cdef inline double exact_distance(
    const real* q, const real* point, Py_ssize_t d, int metric, double p
) noexcept nogil:
    """The reduced distance of a query and one point of a leaf: in double, feature by feature, every step rounded.

    So the bits are the same on every machine, and those that SciPy and plain loops have.
    """
    cdef double total = 0, t
    cdef Py_ssize_t f
    for f in range(d):
        t = <double> point[f * LEAF] - <double> q[f]
        if metric == EUCLIDEAN:
            total += lanes_rounded(t * t)
        elif metric == MANHATTAN:
            total += fabs(t)
        elif metric == CHEBYSHEV:
            total = max(total, fabs(t))
        else:
            total += pow(fabs(t), p)
    return total
