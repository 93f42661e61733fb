# Passes over scores and what is true: scores by range and class, pairs, curves; and over probabilities.
# The mathematics and the costs stand in docs/kernels.md.
from libc.math cimport fabs, log
from libc.stdint cimport int64_t, uint8_t

from clinfa._core.types cimport real, clinfa_take

ctypedef fused score:
    float
    double
    int64_t

ctypedef fused code:
    uint8_t
    int64_t

cdef enum:
    RANGES = 32     # the most ranges of scores
    TOGETHER = 128  # rows whose range is found in one sweep of the vectors


def range_limit():
    """The most ranges that these kernels take."""
    return RANGES


def bucket_pass(
    const score[::1] scores,        # in     (n)
    const uint8_t[::1] positive,    # in     (n)            0 or 1
    const double[::1] weights,      # in     (n) or (0) for ones
    const score[::1] splitters,     # in     (ranges - 1)   ascending, at most RANGES - 1
    const int64_t[::1] bounds,      # in     (stripes + 1)
    int64_t[::1] cursor,            # inout  (1)
    int64_t limit,                  # in
    uint8_t[::1] bucket,            # out    (n)            2 range + positive; 2 ranges for weight 0
    int64_t[:, ::1] counts,         # out    (stripes, 2 ranges + 1)
    double[::1] bad,                # out    (stripes)      0, or NaN where a score is not finite
):
    cdef Py_ssize_t i, j, r, width, ranges = splitters.shape[0] + 1
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef bint weighted = weights.shape[0] > 0
    cdef score above[TOGETHER]  # (counted in the scores' own type: one vector width throughout)
    cdef score spoilt[TOGETHER]
    cdef score splitter
    cdef const score* x
    cdef int64_t count[2 * RANGES + 1]
    cdef uint8_t b
    cdef double total
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for r in range(2 * ranges + 1):
                count[r] = 0
            for j in range(TOGETHER):
                spoilt[j] = 0
            i = bounds[s]
            while i < bounds[s + 1]:
                width = min(<Py_ssize_t> TOGETHER, bounds[s + 1] - i)
                x = &scores[i]
                for j in range(width):
                    above[j] = 0
                    spoilt[j] += x[j] * 0
                for r in range(ranges - 1):
                    splitter = splitters[r]
                    for j in range(width):
                        above[j] += <score> 1 if x[j] >= splitter else <score> 0
                for j in range(width):
                    b = <uint8_t> (2 * <int64_t> above[j]) + positive[i + j]
                    if weighted and weights[i + j] == 0:
                        b = <uint8_t> (2 * ranges)
                    bucket[i + j] = b
                    count[b] += 1
                i += width
            for r in range(2 * ranges + 1):
                counts[s, r] = count[r]
            total = 0
            for j in range(TOGETHER):
                total += spoilt[j]
            bad[s] = total


def scatter_pass(
    const score[::1] scores,        # in     (n)
    const double[::1] weights,      # in     (n) or (0) for ones
    const uint8_t[::1] bucket,      # in     (n)
    const int64_t[:, ::1] places,   # in     (stripes, 2 ranges) where a stripe's first of a bucket goes
    const int64_t[::1] bounds,      # in     (stripes + 1)
    int64_t[::1] cursor,            # inout  (1)
    int64_t limit,                  # in
    score[::1] out,                 # out    (kept)         by bucket, in the order of rows in each
    double[::1] out_weights,        # out    (kept) or (0)
):
    cdef Py_ssize_t i, r, buckets = places.shape[1]
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef bint weighted = weights.shape[0] > 0
    cdef int64_t place[2 * RANGES]
    cdef uint8_t b
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for r in range(buckets):
                place[r] = places[s, r]
            for i in range(bounds[s], bounds[s + 1]):
                b = bucket[i]
                if b < buckets:
                    out[place[b]] = scores[i]
                    if weighted:
                        out_weights[place[b]] = weights[i]
                    place[b] += 1


def pairs_pass(
    const score[::1] scores,        # in     (n)            ascending in each bucket
    const int64_t[::1] starts,      # in     (2 ranges + 1) negatives of a range, then its positives
    int64_t[::1] cursor,            # inout  (1)
    int64_t limit,                  # in                    ranges to take
    int64_t[::1] out,               # out    (ranges)       2 (pairs in order) + (tied pairs), within a range
):
    cdef Py_ssize_t i, j, last_i, last_j, i2, j2
    cdef int64_t b, ranges = (starts.shape[0] - 1) // 2, below, step
    with nogil:
        while limit > 0:
            limit -= 1
            b = clinfa_take(&cursor[0])
            if b >= ranges:
                break
            # Two merges without a branch that depends on the data: for each positive, the negatives below it,
            # and those not above it. Their sum counts a pair in order twice and a tied pair once.
            below = 0
            j = j2 = starts[2 * b]
            last_j = i = i2 = starts[2 * b + 1]
            last_i = starts[2 * b + 2]
            while i < last_i and j < last_j and i2 < last_i and j2 < last_j:
                step = scores[j] < scores[i]
                below += (j - starts[2 * b]) & (step - 1)
                j += step
                i += 1 - step
                step = scores[j2] <= scores[i2]
                below += (j2 - starts[2 * b]) & (step - 1)
                j2 += step
                i2 += 1 - step
            while i < last_i and j < last_j:
                step = scores[j] < scores[i]
                below += (j - starts[2 * b]) & (step - 1)
                j += step
                i += 1 - step
            while i2 < last_i and j2 < last_j:
                step = scores[j2] <= scores[i2]
                below += (j2 - starts[2 * b]) & (step - 1)
                j2 += step
                i2 += 1 - step
            below += (last_i - i) * (j - starts[2 * b]) + (last_i - i2) * (j2 - starts[2 * b])
            out[b] = below


def curve_pass(
    const score[::1] scores,        # in     (n)            ascending in each bucket
    const double[::1] weights,      # in     (n) or (0) for ones
    const int64_t[::1] starts,      # in     (2 ranges + 1)
    int64_t[::1] cursor,            # inout  (1)
    int64_t limit,                  # in                    ranges to take
    score[::1] thresholds,          # out    (n)            a range's different scores from its start on, descending
    double[::1] fps,                # out    (n)            negatives of this range at or above each of them
    double[::1] tps,                # out    (n)            positives
    int64_t[::1] lengths,           # out    (ranges)       how many
):
    cdef Py_ssize_t i, j, low_i, low_j, m
    cdef int64_t b, ranges = (starts.shape[0] - 1) // 2
    cdef bint weighted = weights.shape[0] > 0
    cdef double fp, tp
    cdef score t
    with nogil:
        while limit > 0:
            limit -= 1
            b = clinfa_take(&cursor[0])
            if b >= ranges:
                break
            low_j, low_i = starts[2 * b], starts[2 * b + 1]
            j, i, m = low_i - 1, starts[2 * b + 2] - 1, low_j
            fp = tp = 0
            while i >= low_i or j >= low_j:
                t = scores[i] if j < low_j or (i >= low_i and scores[i] >= scores[j]) else scores[j]
                while i >= low_i and scores[i] == t:
                    tp += weights[i] if weighted else 1
                    i -= 1
                while j >= low_j and scores[j] == t:
                    fp += weights[j] if weighted else 1
                    j -= 1
                thresholds[m], fps[m], tps[m] = t, fp, tp
                m += 1
            lengths[b] = m - low_j


def area_pass(
    const score[::1] scores,        # in     (n)            ascending in each bucket
    const double[::1] weights,      # in     (n) or (0) for ones
    const int64_t[::1] starts,      # in     (2 ranges + 1)
    const double[:, ::1] above,     # in     (ranges, 2)    weight of negatives and positives in the ranges above
    bint precision,                 # in                    whose area: of precision by recall, else of the ROC
    int64_t[::1] cursor,            # inout  (1)
    int64_t limit,                  # in                    ranges to take
    double[::1] out,                # out    (ranges)       area, in units of weight
):
    cdef Py_ssize_t i, j, low_i, low_j
    cdef int64_t b, ranges = (starts.shape[0] - 1) // 2
    cdef bint weighted = weights.shape[0] > 0
    cdef double fp, tp, new_fp, new_tp, area
    cdef score t
    with nogil:
        while limit > 0:
            limit -= 1
            b = clinfa_take(&cursor[0])
            if b >= ranges:
                break
            low_j, low_i = starts[2 * b], starts[2 * b + 1]
            j, i = low_i - 1, starts[2 * b + 2] - 1
            fp, tp, area = above[b, 0], above[b, 1], 0
            while i >= low_i or j >= low_j:
                t = scores[i] if j < low_j or (i >= low_i and scores[i] >= scores[j]) else scores[j]
                new_fp = new_tp = 0
                while i >= low_i and scores[i] == t:
                    new_tp += weights[i] if weighted else 1
                    i -= 1
                while j >= low_j and scores[j] == t:
                    new_fp += weights[j] if weighted else 1
                    j -= 1
                if precision:
                    fp += new_fp
                    tp += new_tp
                    if new_tp != 0 and tp + fp != 0:
                        area += new_tp * (tp / (tp + fp))
                else:
                    area += new_fp * (tp + new_tp / 2)
                    tp += new_tp
            out[b] = area


def corners_pass(
    const double[::1] x,            # in     (m)
    const double[::1] y,            # in     (m)
    const score[::1] thresholds,    # in     (m)
    const int64_t[::1] bounds,      # in     (stripes + 1)
    int64_t[::1] cursor,            # inout  (1)
    int64_t limit,                  # in
    double[::1] out_x,              # out    (m)            a stripe's corners from its start on
    double[::1] out_y,              # out    (m)
    score[::1] out_thresholds,      # out    (m)
    int64_t[::1] lengths,           # out    (stripes)      how many
):
    cdef Py_ssize_t i, at, m = x.shape[0]
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef bint kept
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            at = bounds[s]
            for i in range(bounds[s], bounds[s + 1]):
                kept = (
                    i == 0
                    or i == m - 1
                    or (x[i + 1] - x[i]) - (x[i] - x[i - 1]) != 0
                    or (y[i + 1] - y[i]) - (y[i] - y[i - 1]) != 0
                )
                # (Written in any case, and passed over if it is no corner: no branch to mispredict.)
                out_x[at], out_y[at], out_thresholds[at] = x[i], y[i], thresholds[i]
                at += kept
            lengths[s] = at - bounds[s]


def probability_pass(
    const real[:, ::1] p,           # in     (n, k)         k = 1: the probability of class 1 of two
    const code[::1] codes,          # in     (n)            the true class, below max(k, 2)
    const double[::1] weights,      # in     (n) or (0) for ones
    bint squared,                   # in                    which loss: squared distance to the truth, else -log
    double tolerance,               # in                    how far from 1 a row may sum to
    const int64_t[::1] bounds,      # in     (stripes + 1)
    int64_t[::1] cursor,            # inout  (1)
    int64_t limit,                  # in
    double[:, ::1] out,             # out    (stripes, 16)  loss, least, greatest, 0 or NaN, rows that sum to another
):
    cdef Py_ssize_t i, c, k = p.shape[1]
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef bint weighted = weights.shape[0] > 0
    cdef double loss, row, total, bad, off, others
    cdef real low, high, v, true_p, eps = <real> (1.1920928955078125e-07 if real is float else 2.220446049250313e-16)
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            loss = bad = off = 0
            low = high = p[bounds[s], 0]
            for i in range(bounds[s], bounds[s + 1]):
                total = others = 0
                for c in range(k):
                    v = p[i, c]
                    low = v if v < low else low
                    high = v if v > high else high
                    bad += v * 0
                    total += v
                    others += <double> v * v if c != codes[i] else 0
                if k == 1:
                    true_p = p[i, 0] if codes[i] else 1 - p[i, 0]
                    others = (1 - <double> true_p) * (1 - <double> true_p)
                    total = 1
                else:
                    true_p = p[i, codes[i]]
                off += fabs(total - 1) > tolerance
                if squared:
                    row = others + (1 - <double> true_p) * (1 - <double> true_p)
                else:
                    row = -log(<double> min(max(true_p, eps), 1 - eps))
                loss += weights[i] * row if weighted else row
            out[s, 0], out[s, 1], out[s, 2], out[s, 3], out[s, 4] = loss, low, high, bad, off
