# OPTICS: the walk in the order of reachability, over a tree that knows of each part what is open in it,
# and the xi-steep clusters of the plot that comes out (docs/kernels.md).
cimport cython
from libc.math cimport INFINITY, pow, rint, sqrt
from libc.stdint cimport int32_t, int64_t, uint32_t

from clinfa._core.lanes cimport (
    FAN, LEAF, MOST_LANES, exact_distance, lanes_boxes, lanes_points, lanes_slack, lanes_tiny, lowest_bit,
)
from clinfa._core.types cimport clinfa_take

cdef extern from "eights.h" nogil:
    uint32_t eight_at_most(const double*, const double*)
    double eight_greatest(const double*)
    double greater(double, double)

cdef enum:
    NOBODY = 2147483647

# How a reduced distance becomes a distance.
cdef enum:
    ROOT = 0    # of a square
    SAME = 1
    POWER = 2   # 1/p of a sum of p-th powers
    HALF = 3    # of a square between unit vectors: one minus the cosine

cdef struct Walk:
    const double* points
    const int32_t* names
    const double* boxes
    const int64_t* levels
    Py_ssize_t depth, d
    int metric, form
    double p, within, slack, tiny
    double* open       # reachability of each place of the tree; -inf once it has been taken, or holds no point
    double* bar        # a distance of the lanes that is greater does not lower it; -inf likewise
    int32_t* source    # whom it is from
    double* worst      # of each part of the tree: the greatest `bar`,
    double* best       # the least `open` that is not -inf,
    int32_t* first     # and the least row that has it
    const double* q
    double core, core_reduced
    int32_t row
    int64_t seen       # leaves looked at


cdef inline double _distance(double reduced, int form, double p) noexcept nogil:
    if form == ROOT:
        return sqrt(reduced)
    if form == POWER:
        return pow(reduced, 1 / p)
    return reduced / 2 if form == HALF else reduced


cdef inline double _reduced(double far, int form, double p) noexcept nogil:
    if form == ROOT:
        return far * far
    if form == POWER:
        return pow(far, p)
    return 2 * far if form == HALF else far


cdef inline double _rounded(double x) noexcept nogil:
    """To 15 decimals, so that what differs by rounding alone is a tie."""
    return rint(x * 1e15) / 1e15


cdef inline Py_ssize_t _part(const Walk* w, Py_ssize_t level, Py_ssize_t j) noexcept nogil:
    """The place of node j of a level among all parts: the root's is 0, then the children of each node."""
    return 0 if level == 0 else 1 + (w.levels[level - 1] + j // FAN) * FAN + j % FAN


cdef inline double _bar(const Walk* w, double reduced) noexcept nogil:
    """What no lane exceeds whose exact distance is at most this."""
    return reduced * w.slack + w.tiny


cdef inline void _offer(Walk* w, Py_ssize_t part, double reach, int32_t row) noexcept nogil:
    """Something in a part of the tree has been lowered."""
    if reach < w.best[part] or (reach == w.best[part] and row < w.first[part]):
        w.best[part] = reach
        w.first[part] = row


cdef void _sum_up(Walk* w, Py_ssize_t leaf) noexcept nogil:
    """What is known of a leaf, and of all parts that it lies in, after one of its points was taken."""
    cdef Py_ssize_t level = w.depth, j = leaf, at = _part(w, level, j), l
    w.worst[at] = greater(eight_greatest(w.bar + leaf * LEAF), eight_greatest(w.bar + leaf * LEAF + FAN))
    w.best[at] = INFINITY
    w.first[at] = NOBODY
    for l in range(leaf * LEAF, leaf * LEAF + LEAF):
        if w.open[l] >= 0:
            _offer(w, at, w.open[l], w.names[l])
    while level > 0:
        level -= 1
        j //= FAN
        _sum_up_node(w, level, j)


cdef inline void _sum_up_node(Walk* w, Py_ssize_t level, Py_ssize_t j) noexcept nogil:
    cdef Py_ssize_t c, at = _part(w, level, j), child = 1 + (w.levels[level] + j) * FAN
    w.worst[at] = eight_greatest(w.worst + child)
    w.best[at] = INFINITY
    w.first[at] = NOBODY
    for c in range(child, child + FAN):
        _offer(w, at, w.best[c], w.first[c])


cdef bint _reach(Walk* w, Py_ssize_t level, Py_ssize_t j) noexcept nogil:
    """Lower the reachability of what lies in node j of a level; whether something was."""
    cdef double lanes[MOST_LANES]
    cdef double far, reduced
    cdef Py_ssize_t at = _part(w, level, j), c, i, child
    cdef uint32_t bits
    cdef bint lower = False
    if level == w.depth:
        w.seen += 1
        lanes_points(w.q, w.points + j * w.d * LEAF, w.d, w.metric, w.p, INFINITY, lanes)
        bits = eight_at_most(lanes, w.bar + j * LEAF)
        bits |= eight_at_most(lanes + FAN, w.bar + j * LEAF + FAN) << FAN
        while bits:
            c = lowest_bit(bits)
            bits &= bits - 1
            i = j * LEAF + c
            reduced = exact_distance(w.q, w.points + j * w.d * LEAF + c, w.d, w.metric, w.p)
            far = _rounded(greater(_distance(reduced, w.form, w.p), w.core))
            if far < w.open[i] and reduced <= w.within:
                w.open[i] = far
                w.bar[i] = _bar(w, greater(reduced, w.core_reduced))
                w.source[i] = w.row
                _offer(w, at, far, w.names[i])
                lower = True
        if lower:
            w.worst[at] = greater(eight_greatest(w.bar + j * LEAF), eight_greatest(w.bar + j * LEAF + FAN))
        return lower
    child = 1 + (w.levels[level] + j) * FAN
    lanes_boxes(w.q, w.boxes + (w.levels[level] + j) * w.d * 2 * FAN, w.d, w.metric, w.p, INFINITY, lanes)
    bits = eight_at_most(lanes, w.worst + child)
    while bits:
        c = lowest_bit(bits)
        bits &= bits - 1
        if w.core_reduced <= w.worst[child + c] and _reach(w, level + 1, j * FAN + c):
            _offer(w, at, w.best[child + c], w.first[child + c])
            lower = True
    if lower:
        w.worst[at] = eight_greatest(w.worst + child)
    return lower


def bound(Py_ssize_t d, double p, double within):
    """What no distance of the lanes exceeds where the exact one is at most `within`."""
    return within * lanes_slack(<double> 0, d, p) + lanes_tiny(<double> 0)


def begin(
    const int32_t[:, ::1] names,  # in   (leaves, LEAF)
    const int64_t[::1] levels,    # in   (depth + 1)
    double most,                  # in                   beyond which nothing is reached, in the lanes
    double[:, ::1] open,          # out  (leaves, LEAF)
    double[:, ::1] bar,           # out  (leaves, LEAF)
    int32_t[::1] place,           # out  (n)             where in the tree each row lies
    double[::1] worst,            # out  (1 + nodes FAN) all -inf before
    double[::1] best,             # out  (1 + nodes FAN) all inf before
    int32_t[::1] first,           # out  (1 + nodes FAN) all NOBODY before
):
    cdef Py_ssize_t leaf, l, j, level, at, leaves = names.shape[0]
    cdef Walk w
    with nogil:
        w.levels = &levels[0]
        w.depth = levels.shape[0] - 1
        w.worst = &worst[0]
        w.best = &best[0]
        w.first = &first[0]
        for leaf in range(leaves):
            at = _part(&w, w.depth, leaf)
            for l in range(LEAF):
                open[leaf, l] = bar[leaf, l] = -INFINITY
                if names[leaf, l] != NOBODY:
                    open[leaf, l] = INFINITY
                    bar[leaf, l] = most
                    place[names[leaf, l]] = leaf * LEAF + l
                    worst[at] = most
                    _offer(&w, at, INFINITY, names[leaf, l])
        level = w.depth
        while level > 0:
            level -= 1
            for j in range(levels[level + 1] - levels[level]):
                _sum_up_node(&w, level, j)


def walk(
    const double[:, ::1] X,           # in     (n, d)
    const double[:, :, ::1] points,   # in     (leaves, d, LEAF)
    const int32_t[:, ::1] names,      # in     (leaves, LEAF)
    const double[:, :, :, ::1] boxes, # in     (nodes, d, 2, FAN)
    const int64_t[::1] levels,        # in     (depth + 1)
    int metric, int form, double p,   # in
    double within,                    # in                   reduced distance beyond which nothing is reached
    const double[::1] core,           # in     (n)           inf: no core point
    const int32_t[::1] place,         # in     (n)
    double[:, ::1] open,              # inout  (leaves, LEAF)
    double[:, ::1] bar,               # inout  (leaves, LEAF)
    int32_t[:, ::1] source,           # inout  (leaves, LEAF)
    double[::1] worst,                # inout  (1 + nodes FAN)
    double[::1] best,                 # inout  (1 + nodes FAN)
    int32_t[::1] first,               # inout  (1 + nodes FAN)
    int64_t begin,                    # in                   how many have been taken
    int64_t leaves,                   # in                   return after so many leaves
    int64_t[::1] ordering,            # inout  (n)
    double[::1] reachability,         # inout  (n)
    int64_t[::1] predecessor,         # inout  (n)
):
    """How many have been taken now."""
    cdef Walk w
    cdef int64_t n = X.shape[0], taken = begin
    cdef int32_t row
    cdef Py_ssize_t at
    with nogil:
        w.points = &points[0, 0, 0]
        w.names = &names[0, 0]
        w.boxes = &boxes[0, 0, 0, 0] if boxes.shape[0] else NULL
        w.levels = &levels[0]
        w.depth = levels.shape[0] - 1
        w.d = X.shape[1]
        w.metric = metric
        w.form = form
        w.p = p
        w.within = within
        w.slack = lanes_slack(<double> 0, w.d, p)
        w.tiny = lanes_tiny(<double> 0)
        w.open = &open[0, 0]
        w.bar = &bar[0, 0]
        w.source = &source[0, 0]
        w.worst = &worst[0]
        w.best = &best[0]
        w.first = &first[0]
        w.seen = 0
        while taken < n and w.seen < leaves:
            row = w.first[0]
            at = place[row]
            ordering[taken] = row
            taken += 1
            reachability[row] = w.open[at]
            predecessor[row] = w.source[at]
            w.open[at] = w.bar[at] = -INFINITY
            _sum_up(&w, at // LEAF)
            w.seen += 1
            if core[row] < INFINITY:
                w.q = &X[row, 0]
                w.core = core[row]
                w.core_reduced = _reduced(core[row], form, p)
                w.row = row
                _reach(&w, 0, 0)
    return taken


def distances_pass(
    const double[:, ::1] Q,          # in     (m, d)
    const double[:, :, ::1] points,  # in     (leaves, d, LEAF)
    int metric, double p,            # in
    const int64_t[::1] bounds,       # in     (stripes + 1)
    int64_t[::1] cursor,             # inout  (1)
    int64_t limit,                   # in
    double[:, :, ::1] out,           # out    (m, leaves, LEAF)  reduced; inf where there is no point
):
    cdef Py_ssize_t i, l, leaf, leaves = points.shape[0], d = Q.shape[1]
    cdef int64_t s, stripes = bounds.shape[0] - 1
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                for leaf in range(leaves):
                    for l in range(LEAF):
                        out[i, leaf, l] = exact_distance(&Q[i, 0], &points[leaf, 0, l], d, metric, p)


def core_pass(
    const double[::1] reduced,  # in   (m)  to the min_samples-th nearest
    int form, double p,         # in
    double most,                # in        beyond it there is no core point
    double[::1] out,            # out  (m)  core distances, inf where there is none
):
    cdef Py_ssize_t i
    cdef double far
    with nogil:
        for i in range(reduced.shape[0]):
            far = _distance(reduced[i], form, p)
            out[i] = _rounded(far) if far <= most else INFINITY


cdef enum:
    # What `xi_pass` keeps between calls.
    STEEP, INDEX, AREAS, NEXT, UP_END, STATE_SIZE

XI_STATE = STATE_SIZE


@cython.cdivision(True)  # reachabilities may be zero
cdef inline Py_ssize_t _extend(
    const double* plot, Py_ssize_t n, Py_ssize_t start, int64_t min_samples, double xi, bint down
) noexcept nogil:
    """The end of the steep area that begins at `start`."""
    cdef Py_ssize_t i, end = start, flat = 0
    cdef double ratio
    for i in range(start, n):
        ratio = plot[i] / plot[i + 1]
        if ratio >= 1 / xi if down else ratio <= xi:
            flat = 0
            end = i
        elif ratio < 1 if down else ratio > 1:
            break
        else:
            flat += 1
            if flat > min_samples:
                break
    return end


@cython.cdivision(True)
def xi_pass(
    const double[::1] plot,          # in     (n + 1)     reachability in order, then inf
    const int64_t[::1] before,       # in     (n)         where in the order each one's predecessor is; -1: none
    const int64_t[::1] steep,        # in     (m)         steep points, ascending
    double xi,                       # in                 one minus the steepness
    int64_t min_samples,             # in
    int64_t min_size,                # in
    bint correct,                    # in                 by predecessors
    int64_t work,                    # in                 return after about so many steps
    int64_t[::1] state,              # inout  (XI_STATE)  zeros at first, but NEXT -1
    double[::1] between,             # inout  (1)         the greatest reachability since the last area; 0 at first
    int64_t[:, ::1] area,            # inout  (m + 1, 2)  steep down areas: first and last point
    double[::1] highest,             # inout  (m + 1)     the greatest reachability after each
    int64_t[:, ::1] clusters,        # out    (room, 2)
):
    """How many clusters were found; all is done when state[0] = m."""
    cdef int64_t found = 0, room = clusters.shape[0], m = steep.shape[0], n = plot.shape[0] - 1
    cdef int64_t s, index, areas, next, up, up_end, i, kept, start, end
    cdef double mib = between[0], rise, top
    cdef bint is_cluster
    with nogil:
        s, index, areas, next, up_end = state[STEEP], state[INDEX], state[AREAS], state[NEXT], state[UP_END]
        while s < m:
            if next < 0:
                if work <= 0:
                    break
                if steep[s] < index:
                    s += 1
                    continue
                for i in range(index, steep[s] + 1):
                    mib = plot[i] if plot[i] > mib else mib
                work -= steep[s] + 1 - index + areas
                kept = 0
                if mib < INFINITY:
                    for i in range(areas):
                        if mib <= plot[area[i, 0]] * xi:
                            area[kept, 0], area[kept, 1] = area[i, 0], area[i, 1]
                            highest[kept] = highest[i] if highest[i] > mib else mib
                            kept += 1
                areas = kept
                if plot[steep[s]] / plot[steep[s] + 1] >= 1 / xi:
                    area[areas, 0] = steep[s]
                    area[areas, 1] = _extend(&plot[0], n, steep[s], min_samples, xi, True)
                    highest[areas] = 0
                    index = area[areas, 1] + 1
                    mib = plot[index]
                    areas += 1
                    s += 1
                    continue
                up_end = _extend(&plot[0], n, steep[s], min_samples, xi, False)
                index = up_end + 1
                mib = plot[index]
                # From the last area: smaller clusters come before those around them.
                next = areas - 1
            up = steep[s]
            rise = plot[up_end + 1]
            while next >= 0 and found < room and work > 0:
                work -= 1
                i = next
                next -= 1
                start, end = area[i, 0], up_end
                top = plot[start]
                if rise * xi < highest[i]:
                    continue
                if top * xi >= rise:
                    while plot[start + 1] > rise and start < area[i, 1]:
                        start += 1
                        work -= 1
                elif rise * xi >= top:
                    while end > up and plot[end - 1] > top:
                        end -= 1
                        work -= 1
                is_cluster = True
                if correct:
                    is_cluster = False
                    while start < end and not is_cluster:
                        is_cluster = plot[start] > plot[end] or start <= before[end] < end
                        if not is_cluster:
                            end -= 1
                            work -= 1
                if is_cluster and end - start + 1 >= min_size and start <= area[i, 1] and end >= up:
                    clusters[found, 0] = start
                    clusters[found, 1] = end
                    found += 1
            if next >= 0:
                break
            s += 1
        state[STEEP], state[INDEX], state[AREAS], state[NEXT], state[UP_END] = s, index, areas, next, up_end
        between[0] = mib
    return found


def label_pass(
    const int64_t[:, ::1] clusters,  # in     (k, 2)
    int64_t begin,                   # in              the first to look at
    int64_t work,                    # in              return after about so many steps
    int64_t[::1] count,              # inout  (1)      labels given
    int32_t[::1] labels,             # inout  (n)      in the order of the plot; -1 at first
):
    """A label for each cluster in which nobody has one; returns where to go on."""
    cdef int64_t c = begin, i, k = clusters.shape[0]
    with nogil:
        while c < k and work > 0:
            i = clusters[c, 0]
            while i <= clusters[c, 1] and labels[i] < 0:
                i += 1
            work -= 1 + i - clusters[c, 0]
            if i > clusters[c, 1]:
                for i in range(clusters[c, 0], clusters[c, 1] + 1):
                    labels[i] = <int32_t> count[0]
                count[0] += 1
            c += 1
    return c
