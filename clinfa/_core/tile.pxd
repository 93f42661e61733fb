# The register tile of tile.h, for both floating types under one name.
from libc.stdint cimport int32_t, int64_t, uint64_t

from clinfa._core.types cimport real, value

cdef extern from "tile.h" nogil:
    const Py_ssize_t PANEL
    const Py_ssize_t MOST_KTH
    const Py_ssize_t TILE_F32
    const Py_ssize_t TILE_F64
    void tile_pack_f32(const float*, Py_ssize_t, const int32_t*, Py_ssize_t, Py_ssize_t, const float*, float, float*, float*)
    void tile_pack_f64(const double*, Py_ssize_t, const int32_t*, Py_ssize_t, Py_ssize_t, const double*, double, double*, double*)
    void tile_top1_f32(const float*, const float*, const float*, Py_ssize_t, Py_ssize_t, float*, int32_t*)
    void tile_top1_f64(const double*, const double*, const double*, Py_ssize_t, Py_ssize_t, double*, int64_t*)
    void tile_top2_f32(const float*, const float*, const float*, Py_ssize_t, Py_ssize_t, float*, float*, int32_t*)
    void tile_top2_f64(const double*, const double*, const double*, Py_ssize_t, Py_ssize_t, double*, double*, int64_t*)
    Py_ssize_t tile_above_f32(const float*, const float*, const float*, Py_ssize_t, Py_ssize_t, const float*, int32_t, int32_t*, int32_t*, int32_t*)
    Py_ssize_t tile_above_f64(const double*, const double*, const double*, Py_ssize_t, Py_ssize_t, const double*, int32_t, int32_t*, int32_t*, int32_t*)
    Py_ssize_t tile_hits_f32(const float*, const float*, const float*, Py_ssize_t, Py_ssize_t, const float*, int32_t*, int32_t*, float*)
    void tile_scores_f32(const float*, const float*, const float*, Py_ssize_t, Py_ssize_t, Py_ssize_t, float*, float*)
    Py_ssize_t scores_hits_f32(const float*, Py_ssize_t, const float*, int32_t*, int32_t*, float*)
    void tile_sqdist_f32(const float*, const float*, Py_ssize_t, float*)
    void tile_sqdist_f64(const double*, const double*, Py_ssize_t, double*)
    uint64_t unsettled(const float*, const int32_t*, const float*, Py_ssize_t, Py_ssize_t)
    int lowest_bit(uint64_t)
    void add_row_f32(double*, const float*, const float*, double, double, Py_ssize_t)
    void add_row_f64(double*, const double*, const double*, double, double, Py_ssize_t)
    float sq_distance_f32(const float*, const float*, float, const float*, Py_ssize_t)
    double sq_distance_f64(const double*, const double*, double, const double*, Py_ssize_t)

# No level has a larger tile than 64 points; arrays on the stack are made for that.
cdef enum:
    MOST = 64

# What a float's rounding is in terms of a double's.
cdef enum:
    NARROWER = 1 << 29


cdef inline Py_ssize_t tile_size(real one) noexcept nogil:
    if real is float:
        return TILE_F32
    else:
        return TILE_F64


cdef inline real* aligned(real* p) noexcept nogil:
    """The next address that starts a cache line; callers allow 64 bytes more."""
    return <real*> ((<size_t> p + 63) & ~(<size_t> 63))


cdef inline void tile_pack(
    const real* X, Py_ssize_t d, const int32_t* rows, Py_ssize_t first, Py_ssize_t count,
    const real* shift, real scale, real* xt, real* norms,
) noexcept nogil:
    if real is float:
        tile_pack_f32(X, d, rows, first, count, shift, scale, xt, norms)
    else:
        tile_pack_f64(X, d, rows, first, count, shift, scale, xt, norms)


cdef inline void tile_nearest(
    const real* xt, const real* panel, const real* half_sq, Py_ssize_t d, Py_ssize_t groups,
    real* best, real* second, int32_t* arg,
) noexcept nogil:
    """The greatest score of each lane and its centre; the second greatest where `second` is given."""
    cdef int64_t wide[MOST]
    cdef Py_ssize_t l
    if real is float:
        if second == NULL:
            tile_top1_f32(xt, panel, half_sq, d, groups, best, arg)
        else:
            tile_top2_f32(xt, panel, half_sq, d, groups, best, second, arg)
    else:
        if second == NULL:
            tile_top1_f64(xt, panel, half_sq, d, groups, best, wide)
        else:
            tile_top2_f64(xt, panel, half_sq, d, groups, best, second, wide)
        for l in range(TILE_F64):
            arg[l] = <int32_t> wide[l]


cdef inline Py_ssize_t tile_above(
    const real* xt, const real* panel, const real* half_sq, Py_ssize_t d, Py_ssize_t groups,
    const real* threshold, int32_t most, int32_t* count, int32_t* lane, int32_t* centre,
) noexcept nogil:
    if real is float:
        return tile_above_f32(xt, panel, half_sq, d, groups, threshold, most, count, lane, centre)
    else:
        return tile_above_f64(xt, panel, half_sq, d, groups, threshold, most, count, lane, centre)


cdef inline void tile_sqdist(const real* xt, const real* panel, Py_ssize_t d, real* out) noexcept nogil:
    if real is float:
        tile_sqdist_f32(xt, panel, d, out)
    else:
        tile_sqdist_f64(xt, panel, d, out)


cdef inline real sq_distance(
    const real* x, const real* shift, real scale, const real* c, Py_ssize_t d
) noexcept nogil:
    if real is float:
        return sq_distance_f32(x, shift, scale, c, d)
    else:
        return sq_distance_f64(x, shift, scale, c, d)


cdef inline void add_row(
    double* row, const real* x, const real* shift, double scale, double w, Py_ssize_t d
) noexcept nogil:
    if real is float:
        add_row_f32(row, x, shift, scale, w, d)
    else:
        add_row_f64(row, x, shift, scale, w, d)


cdef inline void tile_pack_narrow(
    const value* X, Py_ssize_t d, const int32_t* rows, Py_ssize_t count, const value* shift, double scale,
    value* part, real* xt, real* norms,
) noexcept nogil:
    """`tile_pack` into a tile of narrower type: centred and scaled in the data's type, then rounded."""
    cdef Py_ssize_t size = tile_size(<real> 0), step = tile_size(<value> 0), t, at, f, l, m
    cdef real* to
    cdef const value* row
    cdef real total[MOST]
    for l in range(size):
        total[l] = 0
    for t in range(size // step):
        at = t * step
        m = min(step, count - at)
        # (A part without rows of its own repeats the last one, as tile_pack does.)
        tile_pack(X, d, rows + (at if m > 0 else count - 1), 0, m if m > 0 else 1, shift, <value> scale, part, NULL)
        for f in range(d):
            to = xt + f * size + at
            row = part + f * step
            for l in range(step):
                to[l] = <real> row[l]
                total[at + l] += to[l] * to[l]
    for l in range(size):
        norms[l] = total[l]
