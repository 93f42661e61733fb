# Coordinate descent in the dual of linear support vector machines (docs/kernels.md, "Linear support vector machines").
#
# A sweep goes over the rows that are still worked on in random order; rows at a bound that will stay there are put
# behind them. One call does `budget` stored values of work at most, and goes on where the last one stopped:
#     place[0] the next row of the sweep, place[1] how many rows are worked on, place[2] the state of the random
#     numbers, place[3] whether the sweep is over.
# Dense records are CSR whose rows all have the same column numbers (`dense`).
from libc.math cimport fabs, fmax, fmin, HUGE_VAL
from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.string cimport memset

from clinfa._core.types cimport index_t, real, clinfa_prefetch, clinfa_take, prefetch

cdef extern from "linear_svm.h" nogil:
    ctypedef double eight
    ctypedef int64_t eight_bits
    double inner_f32(const float* x, const double* w, Py_ssize_t d)
    double inner_f64(const double* x, const double* w, Py_ssize_t d)
    double picked_f32_i32(const float*, const int32_t*, Py_ssize_t, const double*, const float*, const int32_t*, Py_ssize_t)
    double picked_f32_i64(const float*, const int64_t*, Py_ssize_t, const double*, const float*, const int64_t*, Py_ssize_t)
    double picked_f64_i32(const double*, const int32_t*, Py_ssize_t, const double*, const double*, const int32_t*, Py_ssize_t)
    double picked_f64_i64(const double*, const int64_t*, Py_ssize_t, const double*, const double*, const int64_t*, Py_ssize_t)
    eight dual_step(
        eight, eight_bits, eight*, eight, eight, double, double, int, eight, eight_bits, eight*, eight_bits*)

cdef enum:
    MOST_CLASSES = 8  # side by side
    MOST_ASKED = 512  # stored values of a row that are asked for ahead of time
    LATER = 8  # rows until one whose numbers are asked for


cdef inline void _shuffle(int64_t[::1] rows, int64_t* place) noexcept nogil:
    """Begin a sweep: the rows that are worked on in a new order."""
    cdef uint64_t state = <uint64_t> place[2]
    cdef int64_t i, j, count = place[1]
    for i in range(count - 1):
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        j = i + <int64_t> (((state >> 32) * <uint64_t> (count - i)) >> 32)
        rows[i], rows[j] = rows[j], rows[i]
    place[2] = <int64_t> state


cdef inline void _ask_for(const real* data, const index_t* indices, int64_t count) noexcept nogil:
    """Have a row, which lies where nobody expects it, on its way from memory."""
    prefetch(data, min(count, MOST_ASKED) * sizeof(real))
    prefetch(indices, min(count, MOST_ASKED) * sizeof(index_t))


cdef inline void _put_behind(int64_t[::1] rows, int64_t* place) noexcept nogil:
    """The row that is looked at is worked on no more."""
    place[1] -= 1
    rows[place[0]], rows[place[1]] = rows[place[1]], rows[place[0]]


def squares_pass(
    const real[::1] data,         # in     (stored)
    const index_t[::1] indptr,    # in     (n + 1)
    double bias,                  # in                the last column of every row
    const int64_t[::1] bounds,    # in     (stripes + 1)
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
    double[::1] out,              # out    (n)        squared lengths of the rows
):
    cdef Py_ssize_t i, p
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef double total
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                total = bias * bias
                for p in range(indptr[i], indptr[i + 1]):
                    total += <double> data[p] * data[p]
                out[i] = total


cdef inline double _value(
    const real* x, const index_t* at, int64_t n, bint dense, const double* w,
    const real* x_later, const index_t* at_later, int64_t n_later,
) noexcept nogil:
    """A row times w, while another is asked for."""
    if dense:
        prefetch(x_later, n_later * sizeof(real))
        if real is float:
            return inner_f32(x, w, n)
        else:
            return inner_f64(x, w, n)
    elif real is float:
        if index_t is int32_t:
            return picked_f32_i32(x, at, n, w, x_later, at_later, n_later)
        else:
            return picked_f32_i64(x, at, n, w, x_later, at_later, n_later)
    else:
        if index_t is int32_t:
            return picked_f64_i32(x, at, n, w, x_later, at_later, n_later)
        else:
            return picked_f64_i64(x, at, n, w, x_later, at_later, n_later)


cdef inline double _violation(double b, double cap, double up, double down) noexcept nogil:
    """How far a multiplier is from where it should be, in slopes towards greater and lesser values."""
    if b == 0:
        return -up if up < 0 else (down if down > 0 else 0)
    if b >= cap:
        return up if up > 0 else 0
    if b <= -cap:
        return -down if down < 0 else 0
    return fabs(up) if b > 0 else fabs(down)


def band_descent(
    const real[::1] data,         # in     (stored)
    const index_t[::1] indices,   # in     (stored), or (d) for dense records
    const index_t[::1] indptr,    # in     (n + 1)
    bint dense,                   # in
    double bias,                  # in                the last column of every row
    const double[:, ::1] terms,   # in     (n, 4)     of a row: the band [low, high] that its value should lie in, the
                                  #                   cost of lying outside, its squared length
    bint squared,                 # in                whether the loss is the square of the distance
    double reach,                 # in                rows at a bound whose slope is beyond this are put behind
    int64_t budget,               # in
    int64_t[::1] rows,            # inout  (n)        those that are worked on first
    int64_t[::1] place,           # inout  (4)
    double[::1] beta,             # inout  (n)        multipliers, within [-cost, cost]
    double[::1] w,                # inout  (d + 1)    the rows times beta
    double[::1] found,            # inout  (2)        of this sweep: greatest violation, their sum
):
    cdef int64_t s, i, p, first, last, ahead, length
    cdef double value, pull, cap, up, down, size, step, bent, b
    cdef const index_t* at
    cdef const index_t* at_later
    cdef const real* x
    with nogil:
        if place[0] == 0:
            _shuffle(rows, &place[0])
            found[0] = found[1] = 0
        while place[0] < place[1] and budget > 0:
            s = place[0]
            i = rows[s]
            first = indptr[i]
            last = indptr[i + 1] - first
            at = &indices[0] if dense else &indices[first]
            x = &data[first]
            budget -= last + 8
            if s + LATER < place[1]:
                ahead = rows[s + LATER]
                clinfa_prefetch(&indptr[ahead])
                clinfa_prefetch(&terms[ahead, 0])
                clinfa_prefetch(&beta[ahead])
            ahead = rows[s + 2] if s + 2 < place[1] else i
            length = min(indptr[ahead + 1] - indptr[ahead], MOST_ASKED)
            ahead = indptr[ahead]
            at_later = &indices[0] if dense else &indices[ahead]
            value = bias * w[w.shape[0] - 1] + _value(x, at, last, dense, &w[0], &data[ahead], at_later, length)
            b = beta[i]
            pull = 0.5 / terms[i, 2] if squared else 0
            cap = HUGE_VAL if squared else terms[i, 2]
            up = value - terms[i, 0] + pull * b       # slope of the dual towards values that are greater
            down = value - terms[i, 1] + pull * b    # and towards those that are less
            size = _violation(b, cap, up, down)
            if size == 0 and (
                (b == 0 and up > reach and down < -reach) or (b >= cap and up < -reach) or (b <= -cap and down > reach)
            ):
                _put_behind(rows, &place[0])
                continue
            place[0] += 1
            if size == 0:
                continue
            found[0] = fmax(found[0], size)
            found[1] += size
            bent = terms[i, 3] + pull
            if up < bent * b:
                step = b - up / bent
            elif down > bent * b:
                step = b - down / bent
            else:
                step = 0
            step = fmin(fmax(step, -cap), cap)
            beta[i] = step
            step -= b
            if step != 0:
                w[w.shape[0] - 1] += step * bias
                if dense:
                    for p in range(last):
                        w[p] += step * x[p]
                else:
                    for p in range(last):
                        w[at[p]] += step * x[p]
        place[3] = place[0] >= place[1]


def violations_pass(
    const real[::1] data,         # in     (stored)   as band_descent
    const index_t[::1] indices,   # in     (stored), or (d) for dense records
    const index_t[::1] indptr,    # in     (n + 1)
    bint dense,                   # in
    double bias,                  # in
    const double[:, ::1] terms,   # in     (n, 4)
    bint squared,                 # in
    const int64_t[::1] rows,      # in     (m)        that are looked at
    const double[::1] beta,       # in     (n)
    const double[::1] w,          # in     (d + 1)
    const int64_t[::1] bounds,    # in     (stripes + 1)  of `rows`
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
    double[:, ::1] out,           # out    (stripes, 16)  the greatest violation, their sum
):
    """What multipliers would have to move for, if they could."""
    cdef int64_t s, i, t, first, stripes = bounds.shape[0] - 1
    cdef double value, pull, cap, size, worst, total
    cdef const index_t* at
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            worst = total = 0
            for t in range(bounds[s], bounds[s + 1]):
                i = rows[t]
                first = indptr[i]
                at = &indices[0] if dense else &indices[first]
                value = bias * w[w.shape[0] - 1] + _value(
                    &data[first], at, indptr[i + 1] - first, dense, &w[0], &data[first], at, 0)
                pull = 0.5 / terms[i, 2] if squared else 0
                cap = HUGE_VAL if squared else terms[i, 2]
                size = _violation(beta[i], cap, value - terms[i, 0] + pull * beta[i], value - terms[i, 1] + pull * beta[i])
                worst = fmax(worst, size)
                total += size
            out[s, 0] = worst
            out[s, 1] = total


def class_descent(
    const real[::1] data,         # in     (stored)   as band_descent
    const index_t[::1] indices,   # in     (stored), or (d) for dense records
    const index_t[::1] indptr,    # in     (n + 1)
    bint dense,                   # in
    double bias,                  # in
    const double[::1] square,     # in     (n)
    const int64_t[::1] codes,     # in     (n)        classes of the rows
    int64_t start,                # in                the class in the first lane
    const double[::1] weight,     # in     (n)        what a row's costs are multiplied by
    const double[::1] inside,     # in     (8)        cost of a row of the lane's class
    const double[::1] outside,    # in     (8)        and of another
    bint squared,                 # in
    const double[::1] reach,      # in     (8)
    const int64_t[::1] live,      # in     (8)        -1 for lanes that are worked on, 0 for others
    int64_t budget,               # in
    int64_t[::1] rows,            # inout  (n)
    int64_t[::1] place,           # inout  (4)
    double[:, ::1] alpha,         # inout  (n, 8)
    double[:, ::1] W,             # inout  (d + 1, 8) a column for each class
    double[:, ::1] found,         # inout  (2, 8)
):
    """Eight classes against their rest, side by side: a row is read once for all of them."""
    cdef int64_t s, i, p, first, last, ahead, code, l
    cdef eight value, move, violation, most, total, near, far, beyond
    cdef eight_bits own, idle, on
    cdef bint all_idle, moves
    cdef const index_t* at
    cdef const real* x
    cdef const index_t* at_next
    cdef int64_t length_next
    cdef double* end
    with nogil:
        if place[0] == 0:
            _shuffle(rows, &place[0])
            memset(&found[0, 0], 0, 2 * MOST_CLASSES * sizeof(double))
        end = &W[W.shape[0] - 1, 0]
        near, far, beyond = (<eight*> &inside[0])[0], (<eight*> &outside[0])[0], (<eight*> &reach[0])[0]
        on = (<eight_bits*> &live[0])[0]
        while place[0] < place[1] and budget > 0:
            s = place[0]
            i = rows[s]
            first = indptr[i]
            last = indptr[i + 1] - first
            at = &indices[0] if dense else &indices[first]
            x = &data[first]
            budget -= 4 * last + 16
            length_next = 0
            if s + 1 < place[1] and not dense:
                ahead = rows[s + 1]
                at_next = &indices[indptr[ahead]]
                length_next = indptr[ahead + 1] - indptr[ahead]
            if s + 3 < place[1]:
                ahead = rows[s + 3]
                clinfa_prefetch(&alpha[ahead, 0])
                p = indptr[ahead]
                _ask_for(&data[p], &indices[0] if dense else &indices[p], indptr[ahead + 1] - p)
            value = bias * (<eight*> end)[0]
            for p in range(last):
                if p < length_next:
                    clinfa_prefetch(&W[at_next[p], 0])
                value = value + <double> x[p] * (<eight*> &W[at[p], 0])[0]
            code = codes[i] - start
            memset(&own, 0, sizeof(own))
            if 0 <= code < MOST_CLASSES:
                (<int64_t*> &own)[code] = -1
            move = dual_step(
                value, own, <eight*> &alpha[i, 0], near, far, weight[i], square[i], squared, beyond, on, &violation, &idle)
            all_idle = True
            moves = False
            for l in range(MOST_CLASSES):
                found[0, l] = fmax(found[0, l], (<double*> &violation)[l])
                found[1, l] += (<double*> &violation)[l]
                all_idle &= (<int64_t*> &idle)[l] != 0
                moves |= (<double*> &move)[l] != 0
            if all_idle:
                _put_behind(rows, &place[0])
                continue
            place[0] += 1
            if moves:
                (<eight*> end)[0] = (<eight*> end)[0] + bias * move
                for p in range(last):
                    (<eight*> &W[at[p], 0])[0] = (<eight*> &W[at[p], 0])[0] + <double> x[p] * move
        place[3] = place[0] >= place[1]


cdef inline void _nearest(
    int64_t k, const double* slope, double square, int64_t own, double cost, const double* a, double* wish, double* sorted,
) noexcept nogil:
    """The multipliers of one row that are best for it: sum 0, at most `cost` for its own class, at most 0 for others."""
    cdef int64_t m, q
    cdef double level, v
    for m in range(k):
        v = slope[m] - square * a[m]
        wish[m] = v
        v += square * cost if m == own else 0
        q = m
        while q > 0 and sorted[q - 1] < v:
            sorted[q] = sorted[q - 1]
            q -= 1
        sorted[q] = v
    level = sorted[0] - square * cost
    q = 1
    while q < k and level < q * sorted[q]:
        level += sorted[q]
        q += 1
    level /= q
    for m in range(k):
        wish[m] = fmin(cost if m == own else 0, (level - wish[m]) / square)


def joint_descent(
    const real[::1] data,         # in     (stored)   as band_descent
    const index_t[::1] indices,   # in     (stored), or (d) for dense records
    const index_t[::1] indptr,    # in     (n + 1)
    bint dense,                   # in
    double bias,                  # in
    const double[::1] square,     # in     (n)
    const int64_t[::1] codes,     # in     (n)        classes of the rows
    const double[::1] cost,       # in     (n)
    double tol,                   # in                the greatest violation to stop at
    int64_t sweeps,               # in                at most
    int64_t budget,               # in
    int64_t[::1] rows,            # inout  (n)
    int64_t[::1] place,           # inout  (6)        as above; place[3] whether it is done; then how many sweeps there
                                  #                   were, and whether this one is over all rows
    double[:, ::1] alpha,         # inout  (n, k)
    double[:, ::1] W,             # inout  (d + 1, k) a column for each class
    double[::1] scratch,          # scratch (3 k)
    double[::1] found,            # inout  (2)        greatest violation in this sweep; below what all rows come back
):
    """All classes in one problem, the loss of a row being that against the class that comes nearest."""
    cdef int64_t s, i, p, first, last, ahead, m, own, free, k = alpha.shape[1]
    cdef double least, most, top, low
    cdef double* slope = &scratch[0]
    cdef double* wish = &scratch[k]
    cdef double* a
    cdef double* column
    cdef const index_t* at
    cdef const real* x
    cdef bint moves
    with nogil:
        while budget > 0 and not place[3] and place[4] < sweeps:
            if place[0] == 0:
                _shuffle(rows, &place[0])
                found[0] = 0
            while place[0] < place[1] and budget > 0:
                s = place[0]
                i = rows[s]
                first = indptr[i]
                last = indptr[i + 1] - first
                at = &indices[0] if dense else &indices[first]
                x = &data[first]
                own = codes[i]
                a = &alpha[i, 0]
                budget -= (last + k) * (k // 8 + 1) + 8
                if s + 1 < place[1]:
                    ahead = indptr[rows[s + 1]]
                    _ask_for(&data[ahead], &indices[0] if dense else &indices[ahead], indptr[rows[s + 1] + 1] - ahead)
                    clinfa_prefetch(&alpha[rows[s + 1], 0])
                column = &W[W.shape[0] - 1, 0]
                for m in range(k):
                    slope[m] = 1 + bias * column[m]
                slope[own] -= 1
                for p in range(last):
                    column = &W[at[p], 0]
                    for m in range(k):
                        slope[m] += x[p] * column[m]
                least = HUGE_VAL
                most = -HUGE_VAL
                for m in range(k):
                    most = fmax(most, slope[m])
                    if a[m] < (cost[i] if m == own else 0):
                        least = fmin(least, slope[m])
                # What is at its bound and wants to stay there counts no more; a row with one class left is done.
                free = 0
                for m in range(k):
                    free += not (a[m] >= (cost[i] if m == own else 0) and slope[m] < least)
                # (If all are at their bounds, the row's own class has no multiplier to give.)
                low = slope[own] if least == HUGE_VAL else least
                if free <= 1:
                    _put_behind(rows, &place[0])
                    continue
                place[0] += 1
                top = most - low
                if top <= 0 or square[i] <= 0:
                    continue
                found[0] = fmax(found[0], top)
                _nearest(k, slope, square[i], own, cost[i], a, wish, &scratch[2 * k])
                moves = False
                for m in range(k):
                    slope[m] = wish[m] - a[m]
                    a[m] = wish[m]
                    moves |= slope[m] != 0
                if moves:
                    column = &W[W.shape[0] - 1, 0]
                    for m in range(k):
                        column[m] += bias * slope[m]
                    for p in range(last):
                        column = &W[at[p], 0]
                        for m in range(k):
                            column[m] += x[p] * slope[m]
            if place[0] < place[1]:
                break
            place[0] = 0
            place[4] += 1
            if found[0] >= found[1]:
                place[5] = 0
            elif found[0] <= tol and place[5]:
                place[3] = 1
            else:
                place[1] = rows.shape[0]
                place[5] = 1
                found[1] = fmax(found[1] / 2, tol)
