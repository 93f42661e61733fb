# Squared hinge loss with an L1 penalty: coordinate descent over columns, and over a quadratic model
# (docs/kernels.md, "Linear support vector machines").
from libc.math cimport fabs, fmax
from libc.stdint cimport int64_t, uint64_t

from clinfa._core.types cimport index_t, real, clinfa_prefetch

cdef enum:
    MOST_HALVINGS = 30


def model_descent(
    const double[:, ::1] H,       # in     (d, d)    second derivatives of the loss
    double least,                 # in               below which a diagonal entry of H is taken for this
    int64_t budget,               # in               entries of H that are looked at
    double enough,                # in               sum of violations to stop at
    double[::1] slope,            # inout  (d)       of the loss at v: g + H (v - w)
    double[::1] v,                # inout  (d)       what minimises the model plus |v|
    double[::1] found,            # out    (1)       sum of the violations in the last sweep
):
    """Sweeps over the coordinates of the model g'(v - w) + (v - w)'H (v - w) / 2 + |v|."""
    cdef Py_ssize_t d = v.shape[0], j, f
    cdef double bent, up, down, step, size, total
    cdef const double* row
    with nogil:
        while budget > 0:
            total = 0
            budget -= d
            for j in range(d):
                up = slope[j] + 1
                down = slope[j] - 1
                if v[j] > 0:
                    size = fabs(up)
                elif v[j] < 0:
                    size = fabs(down)
                else:
                    size = fmax(fmax(-up, down), 0)
                if size == 0:
                    continue
                total += size
                bent = fmax(H[j, j], least)
                if up < bent * v[j]:
                    step = -up / bent
                elif down > bent * v[j]:
                    step = -down / bent
                else:
                    step = -v[j]
                if step == 0:
                    continue
                v[j] = v[j] + step if step != -v[j] else 0
                row = &H[j, 0]
                for f in range(d):
                    slope[f] += step * row[f]
                budget -= d
            found[0] = total
            if total <= enough:
                break


def column_descent(
    const real[::1] data,         # in     (stored)   by columns
    const index_t[::1] indices,   # in     (stored), or (n) for dense columns
    const index_t[::1] indptr,    # in     (d + 1)
    bint dense,                   # in
    const double[::1] sign,       # in     (n)        of the rows: 1 or -1
    const double[::1] cost,       # in     (n)
    const double[::1] bound,      # in     (d)        the sums of cost x^2, twice which no second derivative exceeds
    double reach,                 # in                columns at 0 with so much room are put behind
    int64_t budget,               # in
    int64_t[::1] columns,         # inout  (d)        those that are worked on first
    int64_t[::1] place,           # inout  (4)        as in linear_dual.pyx
    double[::1] lack,             # inout  (n)        1 - sign (X w)
    double[::1] w,                # inout  (d)
    double[::1] found,            # inout  (2)        of this sweep: greatest violation, their sum
):
    """One sweep: a Newton step in each coordinate, halved until the objective falls."""
    cdef int64_t s, j, i, p, first, last, halving
    cdef uint64_t state
    cdef double slope, bent, up, down, size, step, before, drop, wish, loss, now, value, change, x
    cdef const index_t* at
    cdef const real* stored
    with nogil:
        if place[0] == 0:
            state = <uint64_t> place[2]
            for s in range(place[1] - 1):
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                j = s + <int64_t> ((state >> 11) % <uint64_t> (place[1] - s))
                columns[s], columns[j] = columns[j], columns[s]
            place[2] = <int64_t> state
            found[0] = found[1] = 0
        while place[0] < place[1] and budget > 0:
            s = place[0]
            j = columns[s]
            first = indptr[j]
            last = indptr[j + 1] - first
            at = &indices[0] if dense else &indices[first]
            stored = &data[first]
            budget -= last + 8
            if s + 1 < place[1]:
                clinfa_prefetch(&data[indptr[columns[s + 1]]])
                clinfa_prefetch(&indices[0] if dense else &indices[indptr[columns[s + 1]]])
            slope = bent = 0
            for p in range(last):
                i = at[p]
                if lack[i] > 0:
                    x = cost[i] * stored[p]
                    slope -= x * sign[i] * lack[i]
                    bent += x * stored[p]
            slope *= 2
            bent = fmax(2 * bent, 1e-12 * bound[j])
            up = slope + 1
            down = slope - 1
            if w[j] > 0:
                size = fabs(up)
            elif w[j] < 0:
                size = fabs(down)
            else:
                size = fmax(fmax(-up, down), 0)
                if up > reach and down < -reach:
                    place[1] -= 1
                    columns[s], columns[place[1]] = columns[place[1]], columns[s]
                    continue
            place[0] += 1
            found[0] = fmax(found[0], size)
            found[1] += size
            if size == 0 or bent == 0:
                continue
            if up < bent * w[j]:
                step = -up / bent
            elif down > bent * w[j]:
                step = -down / bent
            else:
                step = -w[j]
            if step == 0:
                continue
            # The step is halved until the objective falls by a share of what it falls to first order.
            wish = fabs(w[j] + step) - fabs(w[j]) + slope * step
            before = 0
            loss = -1
            for halving in range(MOST_HALVINGS):
                change = fabs(w[j] + step) - fabs(w[j])
                if bound[j] * step * step + slope * step + change <= 0.01 * wish:
                    for p in range(last):
                        i = at[p]
                        lack[i] += (before - step) * sign[i] * stored[p]
                    break
                if loss < 0:
                    loss = 0
                    for p in range(last):
                        value = lack[at[p]]
                        if value > 0:
                            loss += cost[at[p]] * value * value
                now = 0
                for p in range(last):
                    i = at[p]
                    value = lack[i] + (before - step) * sign[i] * stored[p]
                    lack[i] = value
                    if value > 0:
                        now += cost[i] * value * value
                budget -= last
                before = step
                if now - loss + change <= 0.01 * wish:
                    break
                step *= 0.5
                wish *= 0.5
            else:  # rounding alone is left: nothing moves
                for p in range(last):
                    i = at[p]
                    lack[i] += before * sign[i] * stored[p]
                step = 0
            w[j] += step
        place[3] = place[0] >= place[1]
