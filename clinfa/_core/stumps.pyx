# The best single cut of a table, again and again under other weights: columns are sorted once, a round of boosting
# walks along each of them. docs/kernels.md, "stumps.pyx".
from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.string cimport memset

from clinfa._core.nodes cimport code_t
from clinfa._core.scores cimport GINI_ALL, NONE, first_greatest, score_sums
from clinfa._core.types cimport clinfa_take

cdef enum:
    CHUNK = 512                 # cuts that are scored together
    MOST = 0x7FFFFFFF           # the part of a place in the order that is the record, and the greatest there may be
    JOINED = <uint32_t> 1 << 31  # its bit where the next record has the same value: no cut lies between them


def order_pass(
    const code_t[:, ::1] codes,  # in       (d, n)  ranks of values, `n_values` where one is missing
    const int64_t[::1] n_values, # in       (d)
    uint32_t[:, ::1] order,      # out      (d, n)  records by their value, and JOINED
    int64_t[::1] known,          # out      (d)     how many have a value: the first ones
    int64_t[:, ::1] counts,      # scratch  (slots, n_values + 2)
    const int64_t[::1] bounds, int64_t[::1] cursor, int64_t limit, int64_t slot,
):
    cdef int64_t s, f, i, u, n = codes.shape[1], stripes = bounds.shape[0] - 1
    cdef const code_t* code
    cdef uint32_t* own
    cdef int64_t* count
    with nogil:
        count = &counts[slot, 0]
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for f in range(bounds[s], bounds[s + 1]):
                code, own = &codes[f, 0], &order[f, 0]
                memset(count, 0, 8 * (n_values[f] + 2))
                for i in range(n):
                    count[code[i] + 1] += 1
                known[f] = n - count[n_values[f] + 1]
                for u in range(n_values[f]):
                    count[u + 1] += count[u]
                for i in range(n):
                    u = count[code[i]]
                    count[code[i]] = u + 1
                    own[u] = <uint32_t> i
                for i in range(n - 1):
                    if code[own[i]] == code[own[i + 1]]:
                        own[i] |= JOINED
                own[n - 1] |= JOINED


cdef inline void walk_two(
    int measure, const uint32_t* order, int64_t m, const double* records, double wl, double sl, double W, double S,
    double slack, double* best, int64_t* place
) noexcept nogil:
    """The best of the cuts behind the first m records, for two classes; `wl` and `sl` lie left of them all."""
    cdef double[CHUNK] weight
    cdef double[CHUNK] sum
    cdef double[CHUNK] score
    cdef int64_t[CHUNK] at
    cdef int64_t j = 0, c, t
    cdef uint32_t o
    while j < m:
        c = 0
        while j < m and c < CHUNK:
            o = order[j]
            wl += records[2 * <int64_t> (o & MOST)]
            sl += records[2 * <int64_t> (o & MOST) + 1]
            weight[c], sum[c], at[c] = wl, sl, j
            c += (o & JOINED) == 0
            j += 1
        if c:
            score_sums(measure, weight, sum, c, W, S, score)
            t = first_greatest(score, c, slack)
            if score[t] > best[0] + slack:
                best[0], place[0] = score[t], at[t]


cdef inline void walk_all(
    const uint32_t* order, int64_t m, const double* records, double wl, double* left, const double* totals, int64_t k,
    double W, double slack, double* best, int64_t* place
) noexcept nogil:
    """The same for more classes by Gini's measure; `left` is what lies left of them all, by class."""
    cdef int64_t j, c
    cdef uint32_t o
    cdef double ww, a, b, rest
    for j in range(m):
        o = order[j]
        ww = records[2 * <int64_t> (o & MOST)]
        left[<int64_t> records[2 * <int64_t> (o & MOST) + 1]] += ww
        wl += ww
        if o & JOINED or not W - wl > 0:
            continue
        # (All sums of squares anew: what little is left on the right would drown in the rounding of updates.)
        a = b = 0
        for c in range(k):
            rest = totals[c] - left[c]
            a += left[c] * left[c]
            b += rest * rest
        a = a / wl + b / (W - wl)
        if a > best[0] + slack:
            best[0], place[0] = a, j


def cut_pass(
    int measure,                   # in       one of scores.pxd, for two classes or more
    const uint32_t[:, ::1] order,  # in       (d, n)  of `order_pass`
    const int64_t[::1] known,      # in       (d)
    const double[:, ::1] records,  # in       (n, 2)  weight > 0; its part in the second class, or of many the class
    const double[::1] totals,      # in       (k)     weight of each class
    double W,                      # in               and of all
    double slack,                  # in               scores that differ by less are equal
    double[:, ::1] rooms,          # scratch  (slots, k)
    double[::1] scores,            # out      (d)     NONE where there is no cut
    int64_t[::1] places,           # out      (d)     the last record in order that goes left, but for what is missing
    uint8_t[::1] missing_left,     # out      (d)
    const int64_t[::1] bounds, int64_t[::1] cursor, int64_t limit, int64_t slot,
):
    cdef int64_t s, f, j, m, n = order.shape[1], k = totals.shape[0], stripes = bounds.shape[0] - 1, i, place
    cdef double wl, sl, best, other
    cdef double* left
    cdef const double* record = &records[0, 0]
    with nogil:
        left = &rooms[slot, 0]
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for f in range(bounds[s], bounds[s + 1]):
                m, best, place = known[f], NONE, -1
                memset(left, 0, 8 * k)
                if measure == GINI_ALL:
                    walk_all(&order[f, 0], m, record, 0, left, &totals[0], k, W, slack, &best, &place)
                else:
                    walk_two(measure, &order[f, 0], m, record, 0, 0, W, totals[1], slack, &best, &place)
                scores[f], places[f], missing_left[f] = best, place, False
                if m == n:
                    continue
                # Once more with what is missing on the left.
                wl, sl, other, place = 0, 0, best, -1
                memset(left, 0, 8 * k)
                for j in range(m, n):
                    i = order[f, j] & MOST
                    wl += record[2 * i]
                    if measure == GINI_ALL:
                        left[<int64_t> record[2 * i + 1]] += record[2 * i]
                    else:
                        sl += record[2 * i + 1]
                if measure == GINI_ALL:
                    walk_all(&order[f, 0], m - 1, record, wl, left, &totals[0], k, W, slack, &other, &place)
                else:
                    walk_two(measure, &order[f, 0], m - 1, record, wl, sl, W, totals[1], slack, &other, &place)
                if other > best:
                    scores[f], places[f], missing_left[f] = other, place, True
