# The k nearest points by the tile: blocks of points, packed; tiles of queries; what a tile's products cannot rule
# out goes through exact distances. The mathematics and the costs stand in docs/kernels.md, "Panels".
from libc.math cimport INFINITY, sqrt
from libc.stdint cimport int32_t, int64_t

from clinfa._core.lanes cimport EUCLIDEAN, LEAF, MOST_LANES, lanes_keep, lanes_points, lanes_rounded
from clinfa._core.select cimport select
from clinfa._core.tile cimport (
    MOST, MOST_KTH, PANEL, TILE_F32, aligned, scores_hits_f32, tile_hits_f32, tile_scores_f32,
)
from clinfa._core.types cimport clinfa_take, value

cdef enum:
    NOBODY = 2147483647  # a row that is none
    TOGETHER = 4         # exact distances
    WAIT = 8             # points for a query before their exact distances are found
    MOST_WORK = 2000000  # features of a group of points: after that many a pass returns, some 10 ms later

PANEL_SIZE = PANEL
TILE_SIZE = TILE_F32
GROUP = LEAF  # of centres
MOST_WAITING = WAIT

cdef float FARTHEST = 3.4e38  # of finite floats


cdef inline float _above(double x) noexcept nogil:
    """A float that is not below x >= 0."""
    return <float> (x * (1 + 2.0**-20))


def pack_blocks(
    const value[:, ::1] X,        # in     (n, d)
    const int32_t[::1] names,     # in     (n)              rows in the order of the blocks
    const int64_t[::1] starts,    # in     (blocks + 1)     where each block begins in `names`
    double scale,                 # in                      a power of two
    double noise,                 # in                      rounding of a squared distance, relative
    const int64_t[::1] bounds,    # in     (stripes + 1)    of blocks
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
    value[:, :, ::1] centres,     # out    (blocks / GROUP, d, GROUP)
    double[::1] radii,            # out    (blocks)         in the units of X
    float[:, :, :, ::1] panel,    # out    (blocks, groups, d, PANEL)  points less their block's centre, scaled
    float[:, ::1] half_sq,        # out    (blocks, groups * PANEL)    half their squared norms, less rounding
):
    cdef Py_ssize_t d = X.shape[1], groups = panel.shape[1], b, f, i, g, r, j
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef double total, most, t
    cdef value* centre
    cdef float y
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for b in range(bounds[s], bounds[s + 1]):
                centre = &centres[b // LEAF, 0, b % LEAF]
                for f in range(d):
                    total = 0
                    for i in range(starts[b], starts[b + 1]):
                        total += X[names[i], f]
                    centre[f * LEAF] = <value> (total / (starts[b + 1] - starts[b]))
                most = 0
                for j in range(groups * PANEL):
                    g = j // PANEL
                    r = j % PANEL
                    i = starts[b] + j
                    if i >= starts[b + 1]:
                        half_sq[b, j] = <float> INFINITY
                        for f in range(d):
                            panel[b, g, f, r] = 0
                        continue
                    total = 0
                    for f in range(d):
                        y = <float> ((X[names[i], f] - centre[f * LEAF]) * scale)
                        panel[b, g, f, r] = y
                        total += <double> y * y
                    half_sq[b, j] = <float> (total * (0.5 - noise))
                    most = max(most, total)
                radii[b] = sqrt(most) * (1 + noise) / scale


cdef inline void _exact(
    const value* X, const int32_t* rows, Py_ssize_t some, Py_ssize_t d, const value* q, double* distance
) noexcept nogil:
    """Squared distances in double, feature by feature, every step rounded; TOGETHER rows in the time of one: a sum alone waits for each of its additions."""
    cdef Py_ssize_t f
    cdef const value* a = X + rows[0] * d
    cdef const value* b = X + rows[min(1, some - 1)] * d
    cdef const value* c = X + rows[min(2, some - 1)] * d
    cdef const value* e = X + rows[min(3, some - 1)] * d
    cdef double of_a = 0, of_b = 0, of_c = 0, of_e = 0, t, u, v, w, x
    for f in range(d):
        x = q[f]
        t = a[f] - x
        u = b[f] - x
        v = c[f] - x
        w = e[f] - x
        of_a += lanes_rounded(t * t)
        of_b += lanes_rounded(u * u)
        of_c += lanes_rounded(v * v)
        of_e += lanes_rounded(w * w)
    distance[0] = of_a
    distance[1] = of_b
    distance[2] = of_c
    distance[3] = of_e


cdef inline void _flush(
    const value* X, Py_ssize_t d, const value* q, float* low, int32_t* row, int32_t* count,
    double* best, int64_t* who, Py_ssize_t k, double scale, float* most, float* root, int32_t* before, int64_t* work,
) noexcept nogil:
    """Exact distances of those that wait, the most promising first."""
    cdef Py_ssize_t i = 0, j, n = count[0], some
    cdef int32_t rows[TOGETHER]
    cdef double distance[TOGETHER]
    if n > 2 * k:
        select(low, row, 0, n - 1, k - 1)
    while i < n:
        some = 0
        while i < n and some < TOGETHER:
            if low[i] <= most[0] and row[i] < before[0]:
                rows[some] = row[i]
                some += 1
            i += 1
        if some == 0:
            break
        work[0] += some * (d // 16 + 1)
        _exact(X, rows, some, d, q, distance)
        for j in range(some):
            if distance[j] < best[k - 1] or (distance[j] == best[k - 1] and rows[j] < who[k - 1]):
                lanes_keep(best, who, k, distance[j], rows[j])
        most[0] = min(most[0], _above(best[k - 1] * scale * scale))
    root[0] = _above(sqrt(<double> most[0]))
    if best[k - 1] == 0:
        before[0] = <int32_t> who[k - 1]
    count[0] = 0


cdef inline void _sink(double* key, int32_t* block, Py_ssize_t i, Py_ssize_t n) noexcept nogil:
    """Restore the heap below place i."""
    cdef Py_ssize_t c
    cdef double x = key[i]
    cdef int32_t b = block[i]
    while True:
        c = 2 * i + 1
        if c >= n:
            break
        if c + 1 < n and (key[c + 1] < key[c] or (key[c + 1] == key[c] and block[c + 1] < block[c])):
            c += 1
        if x < key[c] or (x == key[c] and b < block[c]):
            break
        key[i] = key[c]
        block[i] = block[c]
        i = c
    key[i] = x
    block[i] = b


def nearest_pass(
    const value[:, ::1] X,          # in     (n, d)
    const int32_t[::1] names,       # in     (n)            rows in the order of the blocks
    const int64_t[::1] starts,      # in     (blocks + 1)
    const int32_t[::1] first,       # in     (blocks)       the least row in each
    const value[:, :, ::1] centres, # in     (blocks / GROUP, d, GROUP)
    const double[::1] radii,        # in     (blocks)
    const float[:, :, :, ::1] panel,# in     (blocks, groups, d, PANEL)
    const float[:, ::1] half_sq,    # in     (blocks, groups * PANEL)
    double scale, double noise,     # in
    const value[:, ::1] Q,          # in     (m, d)
    const int32_t[::1] turn,        # in                    which queries, in the order of the tiles
    const int64_t[::1] todo,        # in     (stripes)      tiles that have blocks left
    int64_t[::1] cursor,            # inout  (1)
    int64_t limit,                  # in
    value[:, ::1] values,           # scratch (slots, (TILE + 1) d + 16)
    float[:, ::1] floats,           # scratch (slots, TILE (d + 2 groups PANEL + room) + 16)
    int32_t[:, ::1] integers,       # scratch (slots, TILE (2 groups PANEL + room))
    double[:, ::1] keys,            # scratch (slots, blocks)
    int32_t[:, ::1] heap,           # scratch (slots, blocks)
    int64_t room,                   # in                    points that may wait for each query
    int64_t slot,                   # in
    double[::1] after,              # inout  (tiles)        key of the last block looked at; infinite at the end
    int32_t[::1] last,              # inout  (tiles)        and the block
    double[:, ::1] far,             # inout  (m, k)         squared distances, ascending
    int64_t[:, ::1] nearest,        # inout  (m, k)         rows
):
    cdef Py_ssize_t d = X.shape[1], m = turn.shape[0], k = far.shape[1]
    cdef Py_ssize_t blocks = starts.shape[0] - 1, groups = panel.shape[1], size = TILE_F32
    cdef Py_ssize_t i, l, f, b, h, c, hits, count, waiting, tile
    cdef int64_t s, stripes = todo.shape[0], work = 0, at
    cdef value* xt = aligned(&values[slot, 0])
    cdef value* middle = xt + size * d
    cdef float* y = aligned(&floats[slot, 0])
    cdef float* score = y + size * d
    cdef float* scores = score + size * groups * PANEL
    cdef float* low = scores + size * groups * PANEL
    cdef int32_t* lane = &integers[slot, 0]
    cdef int32_t* point = lane + size * groups * PANEL
    cdef int32_t* rows = point + size * groups * PANEL
    cdef double* key = &keys[slot, 0]
    cdef int32_t* block = &heap[slot, 0]
    cdef float most[MOST]
    cdef float root[MOST]
    cdef float norm[MOST]
    cdef float limits[MOST]
    cdef int32_t wait[MOST]
    cdef int32_t before[MOST]  # only rows below it can be nearer
    cdef value lanes[MOST_LANES]
    cdef int32_t least
    cdef value t
    cdef double x, wide, slack = 1 - (d + 8) * (2.0**-22 if value is float else 2.0**-51)
    cdef float u, radius, reach, farthest
    cdef float fewer = <float> (0.5 - 2 * noise), smaller = <float> (1 - 4 * noise)
    cdef float larger = <float> (1 + 8 * noise), doubt = <float> (8 * noise)
    cdef const value* q
    cdef int any, near, unbounded
    with nogil:
        while limit > 0 and work < MOST_WORK:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            tile = todo[s]
            i = tile * size
            count = min(size, m - i)
            for l in range(size):
                q = &Q[turn[i + min(l, count - 1)], 0]
                for f in range(d):
                    xt[f * size + l] = q[f]
            for f in range(d):
                x = 0
                for l in range(count):
                    x += xt[f * size + l]
                middle[f] = <value> (x / count)
            for l in range(size):
                norm[l] = 0
                wait[l] = 0
                most[l] = 0
                root[l] = -FARTHEST  # lanes without a query
                before[l] = NOBODY
            wide = 0
            for l in range(count):
                most[l] = _above(far[turn[i + l], k - 1] * scale * scale)
                root[l] = _above(sqrt(<double> most[l]))
                if far[turn[i + l], k - 1] == 0:
                    before[l] = <int32_t> nearest[turn[i + l], k - 1]
                x = 0
                for f in range(d):
                    x += (<double> xt[f * size + l] - middle[f]) * (<double> xt[f * size + l] - middle[f])
                wide = max(wide, x)
            wide = sqrt(wide) * (2 - slack)
            waiting = 0
            for c in range((blocks + LEAF - 1) // LEAF):
                b = c * LEAF
                lanes_points(middle, &centres[c, 0, 0], d, EUCLIDEAN, 2, <value> INFINITY, lanes)
                for l in range(min(<Py_ssize_t> LEAF, blocks - b)):
                    x = sqrt(<double> lanes[l]) * slack - wide - radii[b + l]
                    if x > after[tile] or (x == after[tile] and b + l > last[tile]):
                        key[waiting] = x
                        block[waiting] = <int32_t> (b + l)
                        waiting += 1
            for l in range(waiting // 2 - 1, -1, -1):
                _sink(key, block, l, waiting)
            while True:
                farthest = 0
                for l in range(size):
                    farthest = root[l] if root[l] > farthest else farthest
                if waiting == 0 or key[0] > farthest / scale:
                    after[tile] = INFINITY
                    break
                if work >= MOST_WORK:
                    break
                b = block[0]
                after[tile] = key[0]
                last[tile] = <int32_t> b
                waiting -= 1
                key[0] = key[waiting]
                block[0] = block[waiting]
                _sink(key, block, 0, waiting)
                # The queries as seen from the block's centre.
                for l in range(size):
                    norm[l] = 0
                for f in range(d):
                    t = centres[b // LEAF, f, b % LEAF]
                    for l in range(size):
                        u = <float> ((xt[f * size + l] - t) * <value> scale)
                        y[f * size + l] = u
                        norm[l] += u * u
                radius = _above(radii[b] * scale)
                unbounded = 0
                if k <= MOST_KTH:
                    for l in range(size):
                        unbounded |= root[l] >= FARTHEST
                if unbounded:
                    # No bound yet: the k-th least distance within this block is one.
                    tile_scores_f32(y, &panel[b, 0, 0, 0], &half_sq[b, 0], d, groups, k, scores, limits)
                    for l in range(size):
                        u = norm[l] * larger - 2 * limits[l] + doubt * radius * radius + <float> 1e-30
                        u = u * (1 + <float> 2.0**-20)
                        most[l] = u if u < most[l] else most[l]
                        root[l] = _above(sqrt(<double> most[l])) if root[l] >= 0 else root[l]
                least = first[b]
                any = 0
                for l in range(size):
                    reach = root[l] + radius
                    near = (norm[l] * smaller <= reach * reach) & (reach >= 0) & (least < before[l])
                    u = norm[l] * fewer - most[l] * <float> 0.5 - <float> 1e-30
                    u = u if u > -FARTHEST else -FARTHEST
                    limits[l] = u if near else FARTHEST
                    any |= near
                work += groups + d // 4
                if not any:
                    continue
                work += groups * d
                if unbounded:
                    hits = scores_hits_f32(scores, groups * PANEL, limits, lane, point, score)
                else:
                    hits = tile_hits_f32(
                        y, &panel[b, 0, 0, 0], &half_sq[b, 0], d, groups, limits, lane, point, score)
                for h in range(hits):
                    l = lane[h]
                    c = l * room + wait[l]
                    low[c] = norm[l] * smaller - 2 * score[h]
                    rows[c] = names[starts[b] + point[h]]
                    wait[l] += 1
                for l in range(count):
                    if wait[l] > WAIT or (wait[l] > 0 and root[l] >= FARTHEST):
                        at = turn[i + l]
                        _flush(
                            &X[0, 0], d, &Q[at, 0], low + l * room, rows + l * room, &wait[l],
                            &far[at, 0], &nearest[at, 0], k, scale, &most[l], &root[l], &before[l], &work)
            for l in range(count):
                at = turn[i + l]
                _flush(
                    &X[0, 0], d, &Q[at, 0], low + l * room, rows + l * room, &wait[l],
                    &far[at, 0], &nearest[at, 0], k, scale, &most[l], &root[l], &before[l], &work)
