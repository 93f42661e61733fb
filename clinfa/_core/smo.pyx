# Sequential minimal optimisation: steps on a block of variables, and what they change outside of it.
# Mathematics, layout and cost: docs/kernels.md, "SMO".
from libc.stdint cimport int64_t

from clinfa._core.types cimport clinfa_take, real

cdef extern from "smo.h" nogil:
    const Py_ssize_t SMO_LANES
    int64_t smo_run_f32(const float*, Py_ssize_t, const Py_ssize_t*, int, double*, double*, double*, double*, const double*, const double*, const double*, double, int64_t, double*)
    int64_t smo_run_f64(const double*, Py_ssize_t, const Py_ssize_t*, int, double*, double*, double*, double*, const double*, const double*, const double*, double, int64_t, double*)
    void smo_add_rows_f32(const float*, Py_ssize_t, const int64_t*, const double*, Py_ssize_t, Py_ssize_t, Py_ssize_t, double*)
    void smo_add_rows_f64(const double*, Py_ssize_t, const int64_t*, const double*, Py_ssize_t, Py_ssize_t, Py_ssize_t, double*)
    void smo_begin_f32(const float*, Py_ssize_t, const int64_t*, Py_ssize_t, Py_ssize_t, Py_ssize_t, const double*, const double*, const double*, const double*, float*, double*)
    void smo_begin_f64(const double*, Py_ssize_t, const int64_t*, Py_ssize_t, Py_ssize_t, Py_ssize_t, const double*, const double*, const double*, const double*, double*, double*)
    void smo_end(const double*, Py_ssize_t, Py_ssize_t, Py_ssize_t, const double*, double*, double*, double*)

LANES = SMO_LANES


def steps_pass(
    const real[:, ::1] K,       # in     (q, w)  of the block: w is q in whole vectors
    Py_ssize_t split,           # in             where the second group begins, or w
    double[:, ::1] state,       # inout  (7, w)  gradient, up, down, b, low, high, diagonal
    double tolerance,           # in
    int64_t most,               # in             steps
):
    """Steps until the gap between who should grow and who should shrink is small. Returns (steps, gap left)."""
    cdef Py_ssize_t width = state.shape[1]
    cdef Py_ssize_t[3] bounds
    cdef double gap = 0
    cdef int64_t done
    bounds[0] = 0
    bounds[1] = split
    bounds[2] = width
    cdef int groups = 1 if split == width else 2
    with nogil:
        if real is float:
            done = smo_run_f32(
                &K[0, 0], K.shape[1], bounds, groups, &state[0, 0], &state[1, 0], &state[2, 0], &state[3, 0],
                &state[4, 0], &state[5, 0], &state[6, 0], tolerance, most, &gap)
        else:
            done = smo_run_f64(
                &K[0, 0], K.shape[1], bounds, groups, &state[0, 0], &state[1, 0], &state[2, 0], &state[3, 0],
                &state[4, 0], &state[5, 0], &state[6, 0], tolerance, most, &gap)
    return done, gap


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
    cdef Py_ssize_t[3] bounds
    cdef int groups = 1 if split == m else 2
    cdef int64_t done
    bounds[0] = 0
    bounds[1] = width if groups == 1 else (split + SMO_LANES - 1) // SMO_LANES * SMO_LANES
    bounds[2] = width
    with nogil:
        if real is float:
            if not begun:
                smo_begin_f32(
                    &K[0, 0], K.shape[1], &records[0], m, split, width, &v[0], &low[0], &high[0], &b[0], &block[0, 0],
                    &state[0, 0])
            done = smo_run_f32(
                &block[0, 0], width, bounds, groups, &state[0, 0], &state[1, 0], &state[2, 0], &state[3, 0],
                &state[4, 0], &state[5, 0], &state[6, 0], tolerance, most, &found[0])
        else:
            if not begun:
                smo_begin_f64(
                    &K[0, 0], K.shape[1], &records[0], m, split, width, &v[0], &low[0], &high[0], &b[0], &block[0, 0],
                    &state[0, 0])
            done = smo_run_f64(
                &block[0, 0], width, bounds, groups, &state[0, 0], &state[1, 0], &state[2, 0], &state[3, 0],
                &state[4, 0], &state[5, 0], &state[6, 0], tolerance, most, &found[0])
        smo_end(&state[0, 0], m, split, width, &v[0], &b[0], &found[1], &found[3])
    return done
