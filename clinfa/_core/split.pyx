# Growing trees: nodes are described, searched for their best split, divided. docs/kernels.md, "Trees".
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from clinfa._core.nodes cimport Pending, Record, Rules, Split, Work, code_t
from clinfa._core.orders cimport clinfa_ctz, mark
from clinfa._core.scores cimport ABSOLUTE, ANY, NONE, VARIANCE
from clinfa._core.search cimport (
    describe, mixed, of_classes, scalar, search_order, search_random, search_sums, uniform,
)
from clinfa._core.types cimport clinfa_take

cdef extern from "trees.h" nogil:
    uint64_t seed_of_side(uint64_t, int)

cdef enum:
    SMALL = 4096      # records of a node that gets codes of its own
    FEWEST = 64       # where that does not pay any more

CONDENSED = SMALL


cdef class Plan:
    """The rules of a fit, and the arrays that they point to."""
    cdef Rules rules
    cdef object held

    def __init__(
        self, int measure, bint random, int64_t outputs, int64_t width, int64_t tried, int64_t min_split, int64_t min_leaf,
        int64_t max_depth, int64_t most_leaves, int64_t words, double min_weight, double min_decrease, double scale,
        const int64_t[::1] n_values, const uint8_t[::1] missing, const int64_t[::1] classes,
        const int8_t[::1] monotonic, const uint8_t[::1] categorical, const double[::1] values, const int64_t[::1] first_value,
    ):
        cdef Rules* p = &self.rules
        p.measure, p.random, p.d, p.outputs, p.width = measure, random, missing.shape[0], outputs, width
        p.tried, p.min_split, p.min_leaf, p.max_depth = tried, min_split, min_leaf, max_depth
        p.most_leaves, p.words, p.min_weight, p.min_decrease = most_leaves, words, min_weight, min_decrease
        p.scale = scale
        p.n_values, p.missing = &n_values[0], &missing[0]
        p.classes = &classes[0] if classes is not None else NULL
        p.monotonic = &monotonic[0] if monotonic is not None else NULL
        p.categorical = &categorical[0] if categorical is not None else NULL
        p.values = &values[0] if values is not None else NULL
        p.first_value = &first_value[0] if first_value is not None else NULL
        self.held = (n_values, missing, classes, monotonic, categorical, values, first_value)


def sizes():
    """Bytes of a record of a node, and of a node that waits."""
    return sizeof(Record), sizeof(Pending)


cdef inline char* piece(char** at, int64_t size) noexcept nogil:
    """The next so many bytes of a thread's room."""
    cdef char* out = at[0]
    at[0] = out + (size + 63) // 64 * 64
    return out


cdef int64_t lay_out(Work* k, char* at, int64_t m, int64_t U, int64_t columns, int64_t d, int64_t q, int64_t width, int64_t words) noexcept nogil:
    """Where everything lies in a thread's room; returns its size."""
    cdef char* begin = at
    k.sums = <double*> piece(&at, 16 * U)
    k.counts = <double*> piece(&at, 8 * U)
    k.bits = <uint64_t*> piece(&at, (U // 64 + 1) * 8)
    k.tops = <uint64_t*> piece(&at, (U // 4096 + 1) * 8)
    k.slot = <int32_t*> piece(&at, 4 * U)          # the end of what `prepare` sets
    k.permutation = <int32_t*> piece(&at, 8 * d)
    k.chain = <int32_t*> piece(&at, 4 * m)
    k.order = <int32_t*> piece(&at, 4 * m)
    k.codes = <uint32_t*> piece(&at, 4 * m + 4)
    k.weight = <double*> piece(&at, 8 * m)
    k.sum = <double*> piece(&at, 8 * m)
    k.count = <double*> piece(&at, 8 * m)
    k.score = <double*> piece(&at, 8 * m)
    k.left = <double*> piece(&at, 8 * m)
    k.right = <double*> piece(&at, 8 * m)
    k.z = <double*> piece(&at, 8 * m * q)
    k.moved = <double*> piece(&at, 8 * m * (1 + q))
    k.moved_rows = <int32_t*> piece(&at, 4 * m)
    k.totals = <double*> piece(&at, 24 * width)
    k.local = <uint16_t*> piece(&at, 2 * SMALL * columns)
    k.home = <int32_t*> piece(&at, 4 * SMALL)
    k.local_values = <int64_t*> piece(&at, 8 * columns)
    k.category = <uint64_t*> piece(&at, 8 * words)
    k.rank = <int32_t*> piece(&at, 4 * m * q)
    k.ordered = <int32_t*> piece(&at, 4 * m * q)
    k.sorted = <double*> piece(&at, 8 * m * q)
    k.tree = <double*> piece(&at, 16 * (m + 1))
    k.side = <uint8_t*> piece(&at, m)
    return at - begin


def room(int64_t m, int64_t U, int64_t columns, int64_t d, int64_t q, int64_t width, int64_t words):
    """Bytes of the room of one thread: m records, U codes."""
    cdef Work work
    return lay_out(&work, NULL, m, U, columns, d, q, width, words)


def prepare(uint8_t[::1] given, int64_t m, int64_t U, int64_t columns, int64_t d, int64_t q, int64_t width, int64_t words):
    """Set what has to be as it is between uses."""
    cdef Work work
    cdef int64_t i
    lay_out(&work, <char*> &given[0], m, U, columns, d, q, width, words)
    with nogil:
        memset(work.sums, 0, <char*> work.slot - <char*> work.sums)
        memset(work.slot, 255, 4 * U)
        for i in range(d):
            work.permutation[i] = <int32_t> i


cdef inline void search(
    const Rules* p, const code_t* codes, int64_t n, const int64_t* n_values, int32_t f, const int32_t* rows,
    const double* w, const double* y, const double* z, int64_t m, double W, double centre, Pending* node, Work* work,
    Split* best, bint* constant
) noexcept nogil:
    """The best split of a node by one column, where it is better than the best so far."""
    cdef const code_t* code = codes + f * n
    constant[0] = n_values[f] < 2 and not p.missing[f]
    if constant[0]:
        return
    if p.random:
        search_random(p, code, f, n_values[f], rows, w, y, z, m, W, centre, node, work, best, constant)
    elif scalar(p.measure):
        search_sums(p, code, f, n_values[f], rows, w, z, m, W, centre, node, work, best, constant)
    else:
        search_order(p, code, f, n_values[f], rows, w, y, z, m, W, centre, node, work, best, constant)


cdef inline void seek(
    const Rules* p, const code_t* codes, int64_t n, const int64_t* n_values, const int32_t* rows, const double* w,
    const double* y, const double* z, int64_t m, double W, double centre, Pending* node, Work* work, Split* best
) noexcept nogil:
    """The best split of a node by as many columns as are tried; by more while all of them are constant."""
    cdef int64_t seen = 0, constants = 0, at, d = p.d
    cdef int32_t f
    cdef uint64_t state = node.seed
    cdef int32_t* drawn = work.permutation
    cdef int32_t* swapped = work.permutation + d
    cdef bint constant
    best.score = NONE
    best.left = best.right = best.threshold = 0
    if p.tried >= d:
        for at in range(d):
            search(
                p, codes, n, n_values, <int32_t> at, rows, w, y, z, m, W, centre, node, work, best, &constant)
        return
    while seen < d and (seen < p.tried or seen == constants):
        state = mixed(state)
        at = seen + <int64_t> (uniform(state) * <double> (d - seen))
        f = drawn[at]
        drawn[at] = drawn[seen]
        drawn[seen] = f
        swapped[seen] = <int32_t> at
        seen += 1
        search(p, codes, n, n_values, f, rows, w, y, z, m, W, centre, node, work, best, &constant)
        constants += constant
    # Back to what it was, so that the draws of a node depend on nothing but its seed.
    while seen:
        seen -= 1
        at = swapped[seen]
        f = drawn[at]
        drawn[at] = drawn[seen]
        drawn[seen] = f


cdef inline int64_t divide(
    const Rules* p, const code_t* codes, int64_t n, const int64_t* n_values, const Split* split, const uint64_t* bits,
    int32_t* rows, double* w, double* y, int64_t m, Work* work, Record* out
) noexcept nogil:
    """Move the records that go left before the others, each in their order; returns how many do."""
    cdef const code_t* code = codes + split.feature * n
    cdef int64_t i, o, q = p.outputs, k = 0, g = 0
    cdef int32_t r
    cdef uint32_t c, low = split.low, high = split.high, lacking = <uint32_t> n_values[split.feature]
    cdef int left, missing_left = split.missing_left, lacks = 0
    cdef int32_t at_low = -1, at_high = -1
    cdef bint of_category
    cdef int32_t* moved_rows = work.moved_rows
    cdef double* moved = work.moved
    cdef double* moved_y = work.moved + m
    of_category = p.categorical != NULL and p.categorical[split.feature] != 0
    if not p.missing[split.feature]:
        lacking = 0xFFFFFFFF
    for i in range(m):
        r = rows[i]
        c = code[r]
        if of_category:
            left = (bits[c >> 6] >> (c & 63)) & 1
        else:
            left = (c <= low) | (missing_left & (c == lacking))
        lacks |= c == lacking
        rows[k] = r
        moved_rows[g] = r
        if w != NULL:
            moved[g] = w[i]
            w[k] = w[i]
        if q == 1:
            moved_y[g] = y[i]
            y[k] = y[i]
        else:
            for o in range(q):
                moved_y[g * q + o] = y[i * q + o]
                y[k * q + o] = y[i * q + o]
        k += left
        g += 1 - left
        at_low = r if c == low else at_low
        at_high = r if c == high else at_high
    out.low = at_low
    out.high = at_high
    memcpy(rows + k, moved_rows, g * sizeof(int32_t))
    if w != NULL:
        memcpy(w + k, moved, g * sizeof(double))
    memcpy(y + k * q, moved_y, g * q * sizeof(double))
    out.feature = split.feature
    out.threshold = split.threshold
    # Where nothing is missing here, what will be missing goes where most go.
    out.missing_left = missing_left if lacks else k > g
    return k


cdef inline void children(
    const Rules* p, const Pending* node, const Split* split, int64_t n_left, int32_t place, Pending* left, Pending* right
) noexcept nogil:
    """The two sides of a node that was divided."""
    cdef double middle
    left[0] = node[0]
    right[0] = node[0]
    left.end = right.begin = node.begin + n_left
    left.parent = right.parent = place
    left.depth = right.depth = node.depth + 1
    left.side = 0
    right.side = 1
    left.seed = seed_of_side(node.seed, 0)
    right.seed = seed_of_side(node.seed, 1)
    if p.monotonic != NULL and p.monotonic[split.feature] != 0:
        middle = split.left / 2 + split.right / 2
        if p.monotonic[split.feature] > 0:
            left.upper = right.lower = middle
        else:
            left.lower = right.upper = middle


cdef struct Job:          # one subtree
    int32_t* rows         # the samples of all jobs
    double* w
    double* y
    Pending* waiting      # this job's own
    Record* nodes
    double* values
    uint64_t* bits
    const int32_t* home   # which records those of `rows` are, where they have been given other numbers
    int64_t waits, count, leaves
    double budget


cdef inline bint examine(
    const Rules* p, const code_t* codes, int64_t n, const int64_t* n_values, Job* job, Pending* node, Split* best,
    Work* work
) noexcept nogil:
    """Write a node down as a leaf; whether it may be divided, and how."""
    cdef int64_t m = node.end - node.begin, q = p.outputs
    cdef double base, centre, gain
    cdef int32_t* rows = job.rows + node.begin
    cdef double* w = job.w + node.begin if job.w != NULL else NULL
    cdef double* y = job.y + node.begin * q
    cdef Record* out
    node.place = <int32_t> job.count
    out = job.nodes + job.count
    job.count += 1
    if node.parent >= 0:
        if node.side:
            job.nodes[node.parent].right = node.place
        else:
            job.nodes[node.parent].left = node.place
    job.budget -= 200 + 4 * m
    if not describe(
        p, codes, n, rows, w, y, m, node, out, job.values + node.place * p.width, work.z, &base, &centre, work
    ):
        return False
    job.budget -= <double> m * (p.tried if p.tried < p.d else p.d)
    seek(p, codes, n, n_values, rows, w, y, work.z, m, out.weight, centre, node, work, best)
    if not best.score > NONE:
        return False
    gain = (best.score / out.weight if p.measure == VARIANCE else best.score - base) * p.scale / p.total
    node.gain = gain
    return gain + 2.220446049250313e-16 >= p.min_decrease


cdef inline int64_t part(
    const Rules* p, const code_t* codes, int64_t n, const int64_t* n_values, Job* job, Pending* node, const Split* split,
    Work* work
) noexcept nogil:
    """Divide a node; returns how many of its records go left."""
    cdef Record* out = job.nodes + node.place
    cdef int64_t b = node.begin
    cdef int64_t n_left = divide(
        p, codes, n, n_values, split, job.bits + node.place * p.words, job.rows + b,
        job.w + b if job.w != NULL else NULL, job.y + b * p.outputs, node.end - b, work, out)
    if job.home != NULL:
        if out.low >= 0:
            out.low = job.home[out.low]
        if out.high >= 0:
            out.high = job.home[out.high]
    return n_left


cdef void condense(
    const Rules* p, const code_t* codes, int64_t n, const int64_t* n_values, int64_t columns, int32_t* rows, int64_t m,
    Work* work
) noexcept nogil:
    """Give the records of a node numbers of their own, and codes without gaps."""
    cdef int64_t f, i, t, word, last, k
    cdef uint32_t c
    cdef uint64_t top, found
    cdef const code_t* code
    cdef uint16_t* local
    cdef bint lacks
    for f in range(columns):
        code = codes + f * n
        local = work.local + f * SMALL
        last = mark(code, rows, m, work.bits, work.tops)
        k = 0
        lacks = False
        for t in range(last):
            top = work.tops[t]
            work.tops[t] = 0
            while top:
                word = t * 64 + clinfa_ctz(top)
                top &= top - 1
                found = work.bits[word]
                work.bits[word] = 0
                while found:
                    c = <uint32_t> (word * 64 + clinfa_ctz(found))
                    found &= found - 1
                    work.slot[c] = <int32_t> k
                    k += 1
                    lacks = c == <uint32_t> n_values[f]
        for i in range(m):
            local[i] = <uint16_t> work.slot[code[rows[i]]]
        for i in range(m):
            work.slot[code[rows[i]]] = -1
        work.local_values[f] = k - lacks
    for i in range(m):
        work.home[i] = rows[i]
        rows[i] = <int32_t> i


cdef void descend(
    const Rules* p, const code_t* codes, int64_t n, const int64_t* n_values, int64_t columns, bint condenses, Job* job,
    int64_t floor, Work* work
) noexcept nogil:
    """Grow depth first what waits above `floor`, until the budget is spent."""
    cdef Pending node
    cdef Split best
    cdef int64_t m, i, n_left
    cdef int32_t* rows
    while job.waits > floor and job.budget > 0:
        node = job.waiting[job.waits - 1]
        m = node.end - node.begin
        if condenses and FEWEST < m <= SMALL:
            rows = job.rows + node.begin
            condense(p, codes, n, n_values, columns, rows, m, work)
            job.home = work.home
            job.budget -= <double> (m * columns)
            descend[uint16_t](
                p, work.local, SMALL, work.local_values, columns, False, job, job.waits - 1, work)
            for i in range(m):
                rows[i] = work.home[rows[i]]
            job.home = NULL
            continue
        job.waits -= 1
        if not examine(p, codes, n, n_values, job, &node, &best, work):
            continue
        n_left = part(p, codes, n, n_values, job, &node, &best, work)
        children(p, &node, &best, n_left, node.place, job.waiting + job.waits + 1, job.waiting + job.waits)
        job.waits += 2


cdef inline bint before(const Pending* a, const Pending* b) noexcept nogil:
    return a.gain > b.gain or (a.gain == b.gain and a.place < b.place)


cdef void enqueue(Job* job, const Pending* node) noexcept nogil:
    """Into the heap of those that wait."""
    cdef Pending* heap = job.waiting
    cdef int64_t at = job.waits
    job.waits += 1
    while at and before(node, heap + (at - 1) // 2):
        heap[at] = heap[(at - 1) // 2]
        at = (at - 1) // 2
    heap[at] = node[0]


cdef void dequeue(Job* job, Pending* first) noexcept nogil:
    """The one of greatest gain out of the heap."""
    cdef Pending* heap = job.waiting
    cdef Pending last
    cdef int64_t at = 0, child
    first[0] = heap[0]
    job.waits -= 1
    last = heap[job.waits]
    while 2 * at + 1 < job.waits:
        child = 2 * at + 1
        if child + 1 < job.waits and before(heap + child + 1, heap + child):
            child += 1
        if not before(heap + child, &last):
            break
        heap[at] = heap[child]
        at = child
    heap[at] = last


cdef void grow_best(
    const Rules* p, const code_t* codes, int64_t n, const int64_t* n_values, Job* job, Work* work
) noexcept nogil:
    """Divide what gains most, until there are leaves enough or the budget is spent."""
    cdef Pending node, side[2]
    cdef int64_t n_left, i
    if job.count == 0:
        node = job.waiting[0]
        job.waits = 0
        job.leaves = 1
        if examine(p, codes, n, n_values, job, &node, &node.split, work):
            enqueue(job, &node)
    while job.waits and job.leaves < p.most_leaves and job.budget > 0:
        dequeue(job, &node)
        n_left = part(p, codes, n, n_values, job, &node, &node.split, work)
        children(p, &node, &node.split, n_left, node.place, &side[0], &side[1])
        job.leaves += 1
        for i in range(2):
            if examine(p, codes, n, n_values, job, &side[i], &side[i].split, work):
                enqueue(job, &side[i])
    if job.leaves >= p.most_leaves:
        job.waits = 0


def grow_pass(
    Plan plan,
    const code_t[:, ::1] codes,  # in     (columns, n)  ranks of values, and of targets for absolute errors
    bint condenses,              # in                   whether small nodes get codes of their own
    int32_t[::1] rows,           # inout  (m)           the records of all jobs
    double[::1] w,               # inout  (m) or (0)    their weights, none of them zero
    double[:, ::1] y,            # inout  (m, outputs)  numbers, or codes of classes
    const int64_t[::1] begins,   # in     (jobs)        the records of each
    const int64_t[::1] ends,     # in     (jobs)
    const uint64_t[::1] seeds,   # in     (jobs)
    const int64_t[::1] depths,   # in     (jobs)
    const double[:, ::1] limits, # in     (jobs, 2)     what they may predict
    const double[::1] totals,    # in     (jobs)        the weight of all of a tree
    const double[::1] shares,    # in     (jobs)        what gains are divided by
    int64_t[:, ::1] state,       # inout  (jobs, 3)     nodes that wait, nodes there are, leaves; zeros at first
    uint8_t[::1] waiting,        # inout  (m Pending)
    Record[::1] nodes,           # inout  (2 m)         those of a job begin at twice its first record
    double[:, ::1] values,       # inout  (2 m, width)
    uint64_t[:, ::1] bits,       # inout  (2 m or 0, words)  categories that go left
    double budget,               # in                   work of one call for a job, in looks at a value
    uint8_t[:, ::1] rooms,       # inout  (slots, room)
    int64_t room_rows, int64_t room_codes,  # in       what the rooms were made for
    const int64_t[::1] bounds, int64_t[::1] cursor, int64_t limit, int64_t slot,
):
    cdef int64_t s, j, stripes = bounds.shape[0] - 1, columns = codes.shape[0], n = codes.shape[1]
    cdef Rules rules = plan.rules  # (a job's own)
    cdef const Rules* p = &rules
    cdef Work work
    cdef Job job
    cdef Pending* root
    with nogil:
        lay_out(
            &work, <char*> &rooms[slot, 0], room_rows, room_codes, columns, p.d, p.outputs, p.width, p.words)
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for j in range(bounds[s], bounds[s + 1]):
                rules.total = shares[j]
                rules.min_weight = plan.rules.min_weight * totals[j]
                job.rows = &rows[0]
                job.w = &w[0] if w.shape[0] else NULL
                job.y = &y[0, 0]
                job.waiting = <Pending*> &waiting[0] + begins[j]
                job.nodes = &nodes[2 * begins[j]]
                job.values = &values[2 * begins[j], 0]
                job.bits = &bits[2 * begins[j], 0] if p.words else NULL
                job.home = NULL
                job.waits, job.count, job.leaves = state[j, 0], state[j, 1], state[j, 2]
                job.budget = budget
                if job.count == 0:
                    root = job.waiting
                    memset(root, 0, sizeof(Pending))
                    root.begin, root.end, root.seed = begins[j], ends[j], seeds[j]
                    root.depth = <int32_t> depths[j]
                    root.lower, root.upper = limits[j, 0], limits[j, 1]
                    root.parent = -1
                    job.waits = 1
                if p.most_leaves:
                    grow_best(p, &codes[0, 0], n, p.n_values, &job, &work)
                else:
                    descend(p, &codes[0, 0], n, p.n_values, columns, condenses, &job, 0, &work)
                state[j, 0], state[j, 1], state[j, 2] = job.waits, job.count, job.leaves
