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
        smo_rows_f32* from_ "from"
        const int64_t* at
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
        smo_rows_f64* from_ "from"
        const int64_t* at
    int64_t smo_run_f32(smo_rows_f32*, const Py_ssize_t*, int, double*, double*, double*, double*, const double*, const double*, const double*, double, int64_t, double*)
    int64_t smo_run_f64(smo_rows_f64*, const Py_ssize_t*, int, double*, double*, double*, double*, const double*, const double*, const double*, double, int64_t, double*)
    void smo_add_rows_f32(const float*, Py_ssize_t, const int64_t*, const double*, Py_ssize_t, Py_ssize_t, Py_ssize_t, double*)
    void smo_add_rows_f64(const double*, Py_ssize_t, const int64_t*, const double*, Py_ssize_t, Py_ssize_t, Py_ssize_t, double*)
    void smo_diagonal_f32(const smo_rows_f32*, double*)
    void smo_begin_f32(smo_rows_f32*, const int64_t*, Py_ssize_t, Py_ssize_t, const double*, const double*, const double*, const double*, const double*, int64_t*, double*)
    void smo_diagonal_f64(const smo_rows_f64*, double*)
    void smo_begin_f64(smo_rows_f64*, const int64_t*, Py_ssize_t, Py_ssize_t, const double*, const double*, const double*, const double*, const double*, int64_t*, double*)
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
                squared, function, gamma, coef, degree, NULL, NULL)
            done = smo_run_f32(
                &single, bounds, groups, &state[0, 0], &state[1, 0], &state[2, 0], &state[3, 0], &state[4, 0],
                &state[5, 0], &state[6, 0], tolerance, most, &gap)
            used[0] = single.used
        else:
            wide = smo_rows_f64(
                &kept[0, 0], width, &slot[0], used[0], kept.shape[0], aligned(<double*> &tiles[0]), &X[0, 0], X.shape[1],
                squared, function, gamma, coef, degree, NULL, NULL)
            done = smo_run_f64(
                &wide, bounds, groups, &state[0, 0], &state[1, 0], &state[2, 0], &state[3, 0], &state[4, 0],
                &state[5, 0], &state[6, 0], tolerance, most, &gap)
            used[0] = wide.used
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


def problems_pass(
    const real[:, ::1] X,       # in     (n, d)     as in `lazy_pass`; any where all rows are there
    const real[::1] tiles,      # in
    bint squared,               # in
    int function,               # in
    double gamma, double coef, double degree,  # in
    double[::1] diagonal,       # inout  (n)        values of the records with themselves; made here where no row is there
    int32_t[::1] slot,          # inout  (n)        where the row of a record is kept; -1 where that is still to be made
    int64_t[::1] used,          # inout  (1)        how many are
    real[:, ::1] kept,          # inout  (n, n)
    const int64_t[:, ::1] ends, # in     (p, 3)     of each problem: its first variable, the first of its second group (or
                                #                   the last one's next), and the last one's next
    const int64_t[::1] records, # in     (m)        of the variables of all problems
    const double[:, ::1] limits,# in     (3, m)     v, low, high
    double[::1] b,              # inout  (m)
    double tolerance,           # in
    int64_t most,               # in                steps of a problem
    int64_t budget,             # in                variables that the steps of this call look at
    int64_t[::1] place,         # inout  (3)        which problem is worked on, whether it is begun, rows in `block`
    real[::1] block,            # scratch (w w)     w: the greatest problem in whole vectors
    int32_t[::1] own_slot,      # scratch (w)
    int64_t[::1] at,            # scratch (w)
    double[::1] state,          # scratch (7 w)     as in `steps_pass`
    double[:, ::1] found,       # out    (p, 4)     gaps, thresholds of both groups, objectives
    int64_t[::1] steps,         # inout  (p)        0 at first
):
    """Small problems of one kernel, one after another. A row is made once for all of them, if it is asked for."""
    cdef smo_rows_f32 single, single_own
    cdef smo_rows_f64 wide, wide_own
    cdef Py_ssize_t n = kept.shape[1], i, split, m, width, q
    cdef int64_t asked, done
    cdef Py_ssize_t[3] bounds
    cdef double* first = &state[0]
    with nogil:
        if real is float:
            single = smo_rows_f32(
                &kept[0, 0], n, &slot[0], used[0], n, aligned(<float*> &tiles[0]), &X[0, 0], X.shape[1],
                squared, function, gamma, coef, degree, NULL, NULL)
            if used[0] == 0:
                smo_diagonal_f32(&single, &diagonal[0])
        else:
            wide = smo_rows_f64(
                &kept[0, 0], n, &slot[0], used[0], n, aligned(<double*> &tiles[0]), &X[0, 0], X.shape[1],
                squared, function, gamma, coef, degree, NULL, NULL)
            if used[0] == 0:
                smo_diagonal_f64(&wide, &diagonal[0])
        while place[0] < ends.shape[0] and budget > 0:
            q = place[0]
            i, m = ends[q, 0], ends[q, 2] - ends[q, 0]
            split = ends[q, 1] - i
            bounds[0] = 0
            bounds[1] = (split + SMO_LANES - 1) // SMO_LANES * SMO_LANES
            width = bounds[2] = bounds[1] + (m - split + SMO_LANES - 1) // SMO_LANES * SMO_LANES
            asked = min(budget // width + 1, most - steps[q])
            if real is float:
                single_own = smo_rows_f32(
                    &block[0], width, &own_slot[0], place[2], width, NULL, NULL, 0, 0, 0, 0, 0, 0, &single, &at[0])
                if not place[1]:
                    smo_begin_f32(
                        &single_own, &records[i], m, split, &limits[0, i], &limits[1, i], &limits[2, i], &b[i],
                        &diagonal[0], &at[0], first)
                done = smo_run_f32(
                    &single_own, bounds, 1 if split == m else 2, first, first + width, first + 2 * width,
                    first + 3 * width, first + 4 * width, first + 5 * width, first + 6 * width, tolerance, asked,
                    &found[q, 0])
                place[2] = single_own.used
                used[0] = single.used
            else:
                wide_own = smo_rows_f64(
                    &block[0], width, &own_slot[0], place[2], width, NULL, NULL, 0, 0, 0, 0, 0, 0, &wide, &at[0])
                if not place[1]:
                    smo_begin_f64(
                        &wide_own, &records[i], m, split, &limits[0, i], &limits[1, i], &limits[2, i], &b[i],
                        &diagonal[0], &at[0], first)
                done = smo_run_f64(
                    &wide_own, bounds, 1 if split == m else 2, first, first + width, first + 2 * width,
                    first + 3 * width, first + 4 * width, first + 5 * width, first + 6 * width, tolerance, asked,
                    &found[q, 0])
                place[2] = wide_own.used
                used[0] = wide.used
            place[1] = 1
            steps[q] += done
            budget -= (done + 2) * width
            if done < asked or steps[q] == most:
                smo_end(first, m, split, width, &limits[0, i], &b[i], &found[q, 1], &found[q, 3])
                place[0] += 1
                place[1] = place[2] = 0
