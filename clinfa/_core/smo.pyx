# Sequential minimal optimisation: steps on a block of variables, and what they change outside of it.
# Mathematics, layout and cost: docs/kernels.md, "SMO".
from libc.stdint cimport int32_t, int64_t

from clinfa._core.tile cimport aligned
from clinfa._core.types cimport clinfa_take, real

cdef extern from "smo.h" nogil:
    const Py_ssize_t SMO_LANES
    ctypedef struct smo_rows_f32:
        float* K
        Py_ssize_t stride
        int32_t* slot
        int64_t used, slots
        const float* tiles
        const float* X
        Py_ssize_t d
        int squared, function
        double gamma, coef, degree
    ctypedef struct smo_rows_f64:
        double* K
        Py_ssize_t stride
        int32_t* slot
        int64_t used, slots
        const double* tiles
        const double* X
        Py_ssize_t d
        int squared, function
        double gamma, coef, degree
    int64_t smo_run_f32(smo_rows_f32*, const Py_ssize_t*, int, double*, double*, double*, double*, const double*, const double*, const double*, double, int64_t, double*)
    int64_t smo_run_f64(smo_rows_f64*, const Py_ssize_t*, int, double*, double*, double*, double*, const double*, const double*, const double*, double, int64_t, double*)
    void smo_add_rows_f32(const float*, Py_ssize_t, const int64_t*, const double*, Py_ssize_t, Py_ssize_t, Py_ssize_t, double*)
    void smo_add_rows_f64(const double*, Py_ssize_t, const int64_t*, const double*, Py_ssize_t, Py_ssize_t, Py_ssize_t, double*)
    void smo_begin_f32(const float*, Py_ssize_t, const int64_t*, Py_ssize_t, Py_ssize_t, Py_ssize_t, const double*, const double*, const double*, const double*, float*, double*)
    void smo_begin_f64(const double*, Py_ssize_t, const int64_t*, Py_ssize_t, Py_ssize_t, Py_ssize_t, const double*, const double*, const double*, const double*, double*, double*)
    void smo_end(const double*, Py_ssize_t, Py_ssize_t, Py_ssize_t, const double*, double*, double*, double*)

LANES = SMO_LANES


cdef int64_t _steps(
    real* K, Py_ssize_t stride, Py_ssize_t split, double[:, ::1] state, double tolerance, int64_t most, double* gap
) noexcept nogil:
    """Steps on rows that are there."""
    cdef smo_rows_f32 single
    cdef smo_rows_f64 wide
    cdef Py_ssize_t[3] bounds
    cdef int groups = 1 if split == stride else 2
    bounds[0] = 0
    bounds[1] = split
    bounds[2] = stride
    if real is float:
        single.K = K
        single.stride = stride
        single.slot = NULL
        return smo_run_f32(
            &single, bounds, groups, &state[0, 0], &state[1, 0], &state[2, 0], &state[3, 0], &state[4, 0], &state[5, 0],
            &state[6, 0], tolerance, most, gap)
    else:
        wide.K = K
        wide.stride = stride
        wide.slot = NULL
        return smo_run_f64(
            &wide, bounds, groups, &state[0, 0], &state[1, 0], &state[2, 0], &state[3, 0], &state[4, 0], &state[5, 0],
            &state[6, 0], tolerance, most, gap)


def steps_pass(
    real[:, ::1] K,             # in     (q, w)  of the block: w is q in whole vectors
    Py_ssize_t split,           # in             where the second group begins, or w
    double[:, ::1] state,       # inout  (7, w)  gradient, up, down, b, low, high, diagonal
    double tolerance,           # in
    int64_t most,               # in             steps
):
    """Steps until the gap between who should grow and who should shrink is small. Returns (steps, gap left)."""
    cdef double gap = 0
    cdef int64_t done
    with nogil:
        done = _steps(&K[0, 0], K.shape[1], split, state, tolerance, most, &gap)
    return done, gap


def lazy_pass(
    const real[:, ::1] X,       # in     (w, d)  records, less what was taken off those in tiles; any where none is
    const real[::1] tiles,      # in             the same in lanes, as kernel_rows.pack_pass leaves them
    bint squared,               # in             whether the kernel is of squared distances, not of products
    int function,               # in             and what is made of them: see rows.h
    double gamma, double coef, double degree,  # in
    Py_ssize_t split,           # in             where the second group begins, or w
    double[:, ::1] state,       # inout  (7, w)  as in `steps_pass`
    double tolerance,           # in
    int64_t most,               # in             steps
    int32_t[::1] slot,          # inout  (w)     where the row of a record is kept; -1 at first
    int64_t[::1] used,          # inout  (1)     how many are
    real[:, ::1] kept,          # inout  (slots, w)
):
    """The same where rows are computed when they are needed. Returns (steps, gap left); no steps where no row fits."""
    cdef double gap = 0
    cdef int64_t done
    cdef Py_ssize_t width = state.shape[1]
    cdef smo_rows_f32 single
    cdef smo_rows_f64 wide
    cdef Py_ssize_t[3] bounds
    cdef int groups = 1 if split == width else 2
    bounds[0] = 0
    bounds[1] = split
    bounds[2] = width
    with nogil:
        if real is float:
            single = smo_rows_f32(
                &kept[0, 0], width, &slot[0], used[0], kept.shape[0], aligned(<float*> &tiles[0]), &X[0, 0], X.shape[1],
                squared, function, gamma, coef, degree)
            done = smo_run_f32(
                &single, bounds, groups, &state[0, 0], &state[1, 0], &state[2, 0], &state[3, 0], &state[4, 0],
                &state[5, 0], &state[6, 0], tolerance, most, &gap)
            used[0] = single.used
        else:
            wide = smo_rows_f64(
                &kept[0, 0], width, &slot[0], used[0], kept.shape[0], aligned(<double*> &tiles[0]), &X[0, 0], X.shape[1],
                squared, function, gamma, coef, degree)
            done = smo_run_f64(
                &wide, bounds, groups, &state[0, 0], &state[1, 0], &state[2, 0], &state[3, 0], &state[4, 0],
                &state[5, 0], &state[6, 0], tolerance, most, &gap)
            used[0] = wide.used
    return done, gap


def end_pass(
    const double[:, ::1] state, # in     (7, w)
    Py_ssize_t split,           # in     where the second group begins, or m
    const double[::1] v,        # in     (m)
    double[::1] b,              # out    (m)
    double[::1] found,          # out    (4)  beside the first: the thresholds of both groups, the objective
):
    """Coefficients, thresholds and objective from the state of all variables."""
    with nogil:
        smo_end(&state[0, 0], v.shape[0], split, state.shape[1], &v[0], &b[0], &found[1], &found[3])


def add_rows_pass(
    const real[:, ::1] rows,    # in     (slots, n)
    const int64_t[::1] which,   # in     (m)        slots
    const double[::1] coefficients,  # in  (m)
    const int64_t[::1] bounds,  # in     (stripes + 1)  of columns
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    double[::1] total,          # inout  (n)        to which the rows, each times its coefficient, are added
):
    cdef int64_t s, stripes = bounds.shape[0] - 1
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            if real is float:
                smo_add_rows_f32(
                    &rows[0, 0], rows.shape[1], &which[0], &coefficients[0], which.shape[0], bounds[s], bounds[s + 1],
                    &total[0])
            else:
                smo_add_rows_f64(
                    &rows[0, 0], rows.shape[1], &which[0], &coefficients[0], which.shape[0], bounds[s], bounds[s + 1],
                    &total[0])


def whole_pass(
    const real[:, ::1] K,       # in     (n, n)
    const int64_t[::1] records, # in     (m)        whose row of K belongs to each variable
    Py_ssize_t split,           # in                where the second group begins, or m
    const double[::1] v,        # in     (m)
    const double[::1] low,      # in     (m)
    const double[::1] high,     # in     (m)
    double[::1] b,              # inout  (m)
    double tolerance,           # in
    int64_t most,               # in                steps
    bint begun,                 # in                whether the block and the state are those of an earlier call
    real[:, ::1] block,         # inout  (w, w)     w: both groups in whole vectors
    double[:, ::1] state,       # inout  (7, w)     as in `steps_pass`
    double[::1] found,          # out    (4)        the gap, the thresholds of both groups, the objective
):
    """Steps on a problem that is one block, of a matrix that is there already. Returns how many."""
    cdef Py_ssize_t m = records.shape[0], width = state.shape[1]
    cdef Py_ssize_t at = width if split == m else (split + SMO_LANES - 1) // SMO_LANES * SMO_LANES
    cdef int64_t done
    with nogil:
        if not begun:
            if real is float:
                smo_begin_f32(
                    &K[0, 0], K.shape[1], &records[0], m, split, width, &v[0], &low[0], &high[0], &b[0], &block[0, 0],
                    &state[0, 0])
            else:
                smo_begin_f64(
                    &K[0, 0], K.shape[1], &records[0], m, split, width, &v[0], &low[0], &high[0], &b[0], &block[0, 0],
                    &state[0, 0])
        done = _steps(&block[0, 0], width, at, state, tolerance, most, &found[0])
        smo_end(&state[0, 0], m, split, width, &v[0], &b[0], &found[1], &found[3])
    return done
