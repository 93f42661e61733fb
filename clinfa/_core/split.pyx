# Growing trees: nodes are described, searched for their best split, divided. docs/kernels.md, "Trees".
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from clinfa._core.describe cimport describe, slack_of
from clinfa._core.categories cimport search_categories, search_projected
from clinfa._core.divide cimport SMALL, STRIDE, children, condense, divide, gather
from clinfa._core.heap cimport dequeue, enqueue
from clinfa._core.nodes cimport Job, Pending, Record, Rules, Split, Subtree, Work, column_t
from clinfa._core.random cimport draw, put_back, search_random
from clinfa._core.room cimport lay_out
from clinfa._core.scores cimport NONE, VARIANCE, scalar, xlogx
from clinfa._core.search cimport search_order, search_sums
from clinfa._core.small cimport FEWEST, goes_by_bits, grow_small
from clinfa._core.stored cimport leave_place, look_at, search_stored, settle, spread, take_place
from clinfa._core.types cimport clinfa_take


cdef class Plan:
    """The rules of a fit, and the arrays that they point to."""
    cdef Rules rules
    cdef object held
    cdef readonly int64_t most_weight

    def __init__(
        self, int measure, int64_t outputs, int64_t width, int64_t tried, int64_t min_split, int64_t min_leaf,
        int64_t max_depth, int64_t most_leaves, int64_t item, int64_t most_weight, double min_weight, double min_decrease, double scale,
        const int64_t[::1] n_values, const uint8_t[::1] missing, const int64_t[::1] classes,
        const int8_t[::1] monotonic, const uint8_t[::1] categories, const uint32_t[:, ::1] target_ranks, const int64_t[::1] n_target_values,
    ):
        cdef Rules* p = &self.rules
        p.measure, p.d, p.outputs, p.width = measure, missing.shape[0], outputs, width
        p.tried, p.min_split, p.min_leaf, p.max_depth = tried, min_split, min_leaf, max_depth
        p.most_weight = most_weight
        p.most_leaves, p.item, p.min_weight, p.min_decrease, p.scale = most_leaves, item, min_weight, min_decrease, scale
        p.n_values, p.missing = &n_values[0], &missing[0]
        p.classes = &classes[0] if classes is not None else NULL
        p.monotonic = &monotonic[0] if monotonic is not None else NULL
        p.categories = &categories[0] if categories is not None else NULL
        p.target_ranks, p.n_target_values, p.n, p.starts = NULL, NULL, 0, NULL
        if target_ranks is not None:
            p.target_ranks, p.n_target_values, p.n = &target_ranks[0, 0], &n_target_values[0], target_ranks.shape[1]
        self.most_weight = most_weight
        p.by_bits = goes_by_bits(p)
        self.held = (n_values, missing, classes, monotonic, categories, target_ranks, n_target_values)

    def store(
        self, const int64_t[::1] starts, const int32_t[::1] records_of, const uint32_t[::1] zeros,
        const int64_t[::1] row_starts, const int32_t[::1] row_columns, const uint8_t[::1] row_values,
    ):
        """What sparse records store: see `Rules`."""
        cdef Rules* p = &self.rules
        p.starts, p.records_of, p.zeros = &starts[0], &records_of[0], &zeros[0]
        p.row_starts, p.row_columns, p.row_values = &row_starts[0], &row_columns[0], &row_values[0]
        p.n = row_starts.shape[0] - 1
        p.by_bits = False
        p.stored_item = row_values.shape[0] // row_columns.shape[0]
        p.most_entries = max(row_columns.shape[0] // 8, min(row_columns.shape[0], MOST_ENTRIES))
        self.held += (starts, records_of, zeros, row_starts, row_columns, row_values)


cdef extern from "trees.h" nogil:
    enum:
        PROJECTIONS

cdef enum:
    MOST_ENTRIES = 65536  # what the records of a node store may be sorted by column up to here, or an eighth of all

PENDING_BYTES, SPLIT_BYTES = sizeof(Pending), sizeof(Split)


def room(Plan plan, int64_t m, int64_t U):
    """Bytes of the room of one thread: m records, U codes."""
    cdef Work work
    return lay_out(&work, NULL, &plan.rules, m, U)


def prepare(uint8_t[::1] given, Plan plan, int64_t m, int64_t U):
    """Set what has to be as it is between uses."""
    cdef Work work
    cdef int64_t i
    lay_out(&work, <char*> &given[0], &plan.rules, m, U)
    with nogil:
        memset(work.sums, 0, <char*> work.slot - <char*> work.sums)
        memset(work.slot, 255, 4 * U)
        for i in range(plan.rules.d):
            work.permutation[i] = <int32_t> i
        if work.table != NULL:
            for i in range(plan.rules.most_weight + 1):
                work.table[i] = xlogx(<double> i)
        if plan.rules.starts != NULL:
            memset(work.where, 255, 4 * plan.rules.n)
            for i in range(m):
                work.identity[i] = <int32_t> i


# (Structures that small fits pass come as bytes: to check their fields would take longer than to use them.)


def place(Plan plan, uint8_t[::1] subtrees):
    """Say where the nodes of each begin, as many as there may be: returns how many those are, and the most records."""
    cdef const Rules* p = &plan.rules
    cdef Subtree* one
    cdef int64_t j, m, leaves, count = 0, longest = 0
    for j in range(subtrees.shape[0] // <int64_t> sizeof(Subtree)):
        one = <Subtree*> &subtrees[0] + j
        m = one.end - one.begin
        leaves = max(m // max(p.min_leaf, 1), 1)
        if p.most_leaves:
            leaves = min(leaves, p.most_leaves)
        if p.max_depth - one.depth < 40:
            leaves = min(leaves, <int64_t> 1 << max(p.max_depth - one.depth, 0))
        one.first = count
        count += 2 * leaves - 1
        longest = max(longest, m)
    return count, longest


cdef inline void search(
    const Rules* p, const column_t* columns, int64_t n, const int64_t* n_values, int32_t f, const int32_t* rows,
    const double* w, const double* y, const double* z, int64_t m, double W, double centre, Pending* node, Work* work,
    Split* best, bint* constant
) noexcept nogil:
    """The best split of a node by one column, where it is better than the best so far."""
    cdef const column_t* column
    if p.starts != NULL:
        search_stored(p, columns, n_values, f, rows, w, y, z, m, W, centre, node, work, best, constant)
        return
    column = columns + f * n
    if column_t is float or column_t is double:
        constant[0] = False
        search_random(p, column, f, rows, w, y, z, m, W, centre, node, work, best, constant)
    else:
        constant[0] = n_values[f] < 2 and not p.missing[f]
        if constant[0]:
            return
        if p.categories != NULL and p.categories[f]:
            if scalar(p.measure):
                search_categories(p, column, f, rows, w, z, m, W, centre, node, work, best, constant)
            else:
                search_projected(p, column, f, rows, w, y, z, m, W, centre, node, work, best, constant)
        elif scalar(p.measure):
            search_sums(p, column, f, n_values[f], rows, w, z, m, W, centre, node, work, best, constant)
        else:
            search_order(p, column, f, n_values[f], rows, w, y, z, m, W, centre, node, work, best, constant)


cdef inline void seek(
    const Rules* p, const column_t* columns, int64_t n, const int64_t* n_values, const int32_t* rows, const double* w,
    const double* y, const double* z, int64_t m, double W, double centre, Pending* node, Work* work, Split* best
) noexcept nogil:
    """The best split of a node by as many columns as are tried; by more while all of them are constant."""
    cdef int64_t seen = 0, constants = 0, at, d = p.d
    cdef int32_t f
    cdef uint64_t state = node.seed
    cdef bint constant
    best.score = NONE
    best.left = best.right = best.threshold = 0
    if p.starts != NULL:
        look_at(p, columns, rows, node.begin, m, work)
        if p.tried >= d and work.sorted_by_column:  # (all other columns are constant)
            for at in range(work.n_touched):
                search(
                    p, columns, n, n_values, work.touched[at], rows, w, y, z, m, W, centre, node, work, best, &constant)
            return
    if p.tried >= d:
        for at in range(d):
            search(
                p, columns, n, n_values, <int32_t> at, rows, w, y, z, m, W, centre, node, work, best, &constant)
        return
    while seen < d and (seen < p.tried or seen == constants):
        f = draw(work.permutation, d, seen, &state)
        seen += 1
        search(p, columns, n, n_values, f, rows, w, y, z, m, W, centre, node, work, best, &constant)
        constants += constant
    put_back(work.permutation, d, seen)


cdef inline double gain_of(const Rules* p, const Split* split, double W, double base) noexcept nogil:
    """What a split gains, but for rounding, as a share of the whole tree's weight."""
    cdef double gain = split.score / W if p.measure == VARIANCE else split.score - base
    return gain * p.scale / p.total + 2.220446049250313e-16


cdef inline bint examine(
    const Rules* p, const column_t* columns, int64_t n, const int64_t* n_values, Job* job, Pending* node, Split* best,
    Work* work
) noexcept nogil:
    """Write a node down as a leaf; whether it may be divided, and how."""
    cdef int64_t m = node.end - node.begin, q = p.outputs
    cdef double base, centre
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
        p, rows, job.home, w, y, m, node, out, job.values + node.place * p.width, work.z, &base, &centre, work
    ):
        return False
    job.budget -= <double> (m + (0 if scalar(p.measure) else p.width)) * min(p.tried, p.d)
    if p.categories != NULL and not scalar(p.measure):
        job.budget -= <double> (2 * PROJECTIONS * m * q) * min(p.tried, p.d)
    seek(p, columns, n, n_values, rows, w, y, work.z, m, out.weight, centre, node, work, best)
    if not best.score > NONE:
        return False
    node.gain = gain_of(p, best, out.weight, base)
    return node.gain >= p.min_decrease


cdef inline int64_t part(
    const Rules* p, const column_t* columns, int64_t n, const int64_t* n_values, Job* job, Pending* node, const Split* split,
    Work* work
) noexcept nogil:
    """Divide a node; returns how many of its records go left."""
    cdef Record* out = job.nodes + node.place
    cdef int64_t b = node.begin, n_left
    if p.starts != NULL:
        columns, n = spread(p, columns, split.feature, job.rows + b, node.end - b, work), 0
    n_left = divide(
        p, columns, n, n_values, split, job.rows + b, job.w + b if job.w != NULL else NULL,
        job.y + b * p.outputs, node.end - b, work, out)
    if p.starts != NULL:
        settle(job.rows, b, node.end, work)
    if job.home != NULL:
        if out.low >= 0:
            out.low = job.home[out.low]
        if out.high >= 0:
            out.high = job.home[out.high]
    return n_left


cdef void descend(
    const Rules* p, const column_t* columns, int64_t n, const int64_t* n_values, bint tables, Job* job, int64_t floor,
    Work* work
) noexcept nogil:
    """Grow depth first what waits above `floor`, until the budget is spent."""
    cdef Pending node
    cdef Split best
    cdef int64_t m, i, n_left
    cdef int32_t* rows
    while job.waits > floor and job.budget > 0:
        node = job.waiting[job.waits - 1]
        m = node.end - node.begin
        # (What becomes a leaf at once needs no table.)
        if tables and FEWEST < m <= SMALL and m >= p.min_split and node.depth < p.max_depth:
            rows = job.rows + node.begin
            job.home = work.home
            if column_t is float or column_t is double:
                gather(<const column_t*> p.records, p.d, rows, m, work)
                descend[column_t](p, <column_t*> work.local, STRIDE, n_values, False, job, job.waits - 1, work)
            else:
                condense(p, columns, n, n_values, rows, m, work)
                descend[uint16_t](p, <uint16_t*> work.local, STRIDE, work.local_values, False, job, job.waits - 1, work)
            for i in range(m):
                rows[i] = work.home[rows[i]]
            job.home = NULL
            job.budget -= <double> (m * p.d)  # (by now something has grown, however little was left)
            continue
        job.waits -= 1
        if column_t is float or column_t is double:
            if m <= FEWEST and p.by_bits and job.w == NULL:
                grow_small(p, columns, n, job, &node, work)
                continue
        if not examine(p, columns, n, n_values, job, &node, &best, work):
            continue
        n_left = part(p, columns, n, n_values, job, &node, &best, work)
        children(p, &node, &best, n_left, node.place, job.waiting + job.waits + 1, job.waiting + job.waits)
        job.waits += 2


cdef void grow_best(
    const Rules* p, const column_t* columns, int64_t n, const int64_t* n_values, Job* job, Work* work
) noexcept nogil:
    """Divide what gains most, until there are leaves enough or the budget is spent."""
    cdef Pending node
    cdef Pending[2] side
    cdef int64_t n_left, i
    if job.count == 0:
        node = job.waiting[0]
        job.waits = 0
        job.leaves = 1
        if examine(p, columns, n, n_values, job, &node, &node.split, work):
            enqueue(job, &node)
    while job.waits and job.leaves < p.most_leaves and job.budget > 0:
        dequeue(job, &node)
        n_left = part(p, columns, n, n_values, job, &node, &node.split, work)
        children(p, &node, &node.split, n_left, node.place, &side[0], &side[1])
        job.leaves += 1
        for i in range(2):
            if examine(p, columns, n, n_values, job, &side[i], &side[i].split, work):
                enqueue(job, &side[i])
    if job.leaves >= p.most_leaves:
        job.waits = 0


cdef inline void own_rules(Rules* rules, const Rules* all, const Subtree* one) noexcept nogil:
    """Those rules that depend on the tree."""
    rules.total = one.total
    rules.min_weight = all.min_weight * one.total


cdef inline void root_of(const Subtree* one, Pending* root) noexcept nogil:
    """The root of a subtree, as it waits."""
    memset(root, 0, sizeof(Pending))
    root.begin, root.end, root.seed = one.begin, one.end, one.seed
    root.depth = <int32_t> one.depth
    root.lower, root.upper = one.lower, one.upper
    root.parent = -1


def grow_pass(
    Plan plan,
    const column_t[:, ::1] X,    # in     (d, n)        ranks of values; for cuts at random, the values; of sparse records
                                 #        (1, stored)   what each column stores
    const column_t[:, ::1] records,  # in  (n, d) or (0, d)  for cuts at random, the values record by record
    int32_t[::1] rows,           # inout  (m)           the records of all jobs
    double[::1] w,               # inout  (m + 7) or (0)  their weights, none of them zero, and zeros
    double[:, ::1] y,            # inout  (m, outputs)  numbers, or codes of classes
    uint8_t[::1] subtrees,       # inout  (jobs Subtree)
    uint8_t[::1] waiting,        # inout  (m Pending)
    int64_t[::1] free,           # inout  (1) or (0)    for one thread alone: where nodes are free, after those there are
    uint8_t[::1] nodes,          # inout  (room Record) those of a job begin at its first, or at the first that is free
    double[:, ::1] values,       # inout  (room, width)
    double budget,               # in                   work of one call for a job, in looks at a value
    uint8_t[:, ::1] rooms,       # inout  (slots, room)
    int64_t room_rows, int64_t room_codes,  # in       what the rooms were made for
    const int64_t[::1] bounds, int64_t[::1] cursor, int64_t limit, int64_t slot,
):
    cdef int64_t s, j, end, most = 0, stripes = bounds.shape[0] - 1, n = X.shape[1]
    cdef int64_t jobs = subtrees.shape[0] // <int64_t> sizeof(Subtree)
    cdef bint begins
    cdef Rules rules = plan.rules  # (a job's own)
    cdef const Rules* p = &rules
    cdef Work work
    cdef Job job
    cdef Subtree* one
    with nogil:
        lay_out(&work, <char*> &rooms[slot, 0], p, room_rows, room_codes)
        job.rows = &rows[0]
        job.w = &w[0] if w.shape[0] else NULL
        job.y = &y[0, 0]
        job.home = NULL
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for j in range(bounds[s], bounds[s + 1]):
                one = <Subtree*> &subtrees[0] + j
                if one.count and not one.waits:
                    continue
                own_rules(&rules, &plan.rules, one)
                rules.records = &records[0, 0] if records.shape[0] else NULL
                begins = one.count == 0 and free.shape[0] > 0
                if begins:
                    end = (one + 1).first if j + 1 < jobs else nodes.shape[0] // <int64_t> sizeof(Record)
                    most = end - one.first
                    one.first = free[0]
                job.waiting = <Pending*> &waiting[0] + one.begin
                job.nodes = <Record*> &nodes[0] + one.first
                job.values = &values[one.first, 0]
                job.waits, job.count, job.leaves = one.waits, one.count, one.leaves
                job.budget = budget
                if p.starts != NULL:
                    take_place(job.rows, one.begin, one.end, &work)
                if job.count == 0:
                    root_of(one, job.waiting)
                    job.waits = 1
                if p.most_leaves:
                    grow_best(p, &X[0, 0], n, p.n_values, &job, &work)
                else:
                    descend(p, &X[0, 0], n, p.n_values, p.item > 0, &job, 0, &work)
                if p.starts != NULL:
                    leave_place(job.rows, one.begin, one.end, &work)
                one.waits, one.count, one.leaves = job.waits, job.count, job.leaves
                if begins:
                    free[0] += most if one.waits else one.count


def seek_pass(
    Plan plan,
    const column_t[:, ::1] X,    # in     (d, n)
    const int32_t[::1] rows,     # in     (m)
    const double[::1] w,         # in     (m + 7) or (0)
    const double[:, ::1] y,      # in     (m, outputs)
    const Subtree[::1] subtrees, # in     (jobs)            whose roots are looked at
    const int64_t[:, ::1] tasks, # in     (tasks, 3)        a job, and the first and the last of the columns that are tried
    uint8_t[:, ::1] splits,      # out    (tasks, SPLIT_BYTES)  the best by those columns
    Record[::1] nodes,           # out    (tasks)           the root
    double[:, ::1] values,       # out    (tasks, width)
    uint8_t[:, ::1] rooms,       # inout  (slots, room)
    int64_t room_rows, int64_t room_codes,
    const int64_t[::1] bounds, int64_t[::1] cursor, int64_t limit, int64_t slot,
):
    """With fewer columns tried than there are, a task has to be all of them."""
    cdef int64_t s, t, f, b, m, stripes = bounds.shape[0] - 1, n = X.shape[1]
    cdef Rules rules = plan.rules
    cdef const Rules* p = &rules
    cdef Work work
    cdef Pending root
    cdef Split* best
    cdef double base, centre
    cdef const double* own_w
    cdef bint constant
    with nogil:
        lay_out(&work, <char*> &rooms[slot, 0], p, room_rows, room_codes)
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for t in range(bounds[s], bounds[s + 1]):
                own_rules(&rules, &plan.rules, &subtrees[tasks[t, 0]])
                root_of(&subtrees[tasks[t, 0]], &root)
                b, m = root.begin, root.end - root.begin
                own_w = &w[b] if w.shape[0] else NULL
                best = <Split*> &splits[t, 0]
                best.score = NONE
                best.left = best.right = best.threshold = 0
                if not describe(
                    p, &rows[b], NULL, own_w, &y[b, 0], m, &root, &nodes[t], &values[t, 0], work.z, &base, &centre, &work
                ):
                    continue
                if p.tried < p.d:
                    seek(
                        p, &X[0, 0], n, p.n_values, &rows[b], own_w, &y[b, 0], work.z, m, nodes[t].weight, centre, &root,
                        &work, best)
                else:
                    for f in range(tasks[t, 1], tasks[t, 2]):
                        search(
                            p, &X[0, 0], n, p.n_values, <int32_t> f, &rows[b], own_w, &y[b, 0], work.z, m,
                            nodes[t].weight, centre, &root, &work, best, &constant)
                if best.score > NONE and not gain_of(p, best, nodes[t].weight, base) >= p.min_decrease:
                    best.score = NONE


def part_pass(
    Plan plan,
    const column_t[:, ::1] X,    # in     (d, n)
    int32_t[::1] rows,           # inout  (m)
    double[::1] w,               # inout  (m + 7) or (0)
    double[:, ::1] y,            # inout  (m, outputs)
    const Subtree[::1] subtrees, # in     (jobs)
    const int64_t[::1] firsts,   # in     (jobs + 1)        where the tasks of `seek_pass` for a job begin
    uint8_t[:, ::1] splits,      # in     (tasks, SPLIT_BYTES)
    Record[::1] nodes,           # inout  (tasks)           that of a job's first task becomes what it is divided by
    Subtree[:, ::1] sides,       # out    (jobs, 2)         of those that are divided
    uint8_t[::1] divided,        # out    (jobs)
    uint8_t[:, ::1] rooms,       # inout  (slots, room)
    int64_t room_rows, int64_t room_codes,
    const int64_t[::1] bounds, int64_t[::1] cursor, int64_t limit, int64_t slot,
):
    """Divide nodes by the best split of each."""
    cdef int64_t s, j, t, b, m, n_left, side, stripes = bounds.shape[0] - 1, n = X.shape[1]
    cdef Rules rules = plan.rules
    cdef const Rules* p = &rules
    cdef Work work
    cdef Pending root
    cdef Pending[2] parts
    cdef const Split* best
    cdef const Split* other
    cdef Record* node
    cdef double slack
    with nogil:
        lay_out(&work, <char*> &rooms[slot, 0], p, room_rows, room_codes)
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for j in range(bounds[s], bounds[s + 1]):
                node = &nodes[firsts[j]]
                slack = slack_of(p, node)
                best = <const Split*> &splits[firsts[j], 0]
                for t in range(firsts[j] + 1, firsts[j + 1]):
                    other = <const Split*> &splits[t, 0]
                    if other.score > best.score + slack:
                        best = other
                divided[j] = best.score > NONE
                if not divided[j]:
                    continue
                root_of(&subtrees[j], &root)
                b, m = root.begin, root.end - root.begin
                n_left = divide(
                    p, &X[0, 0], n, p.n_values, best, &rows[b], &w[b] if w.shape[0] else NULL, &y[b, 0], m, &work, node)
                children(p, &root, best, n_left, 0, &parts[0], &parts[1])
                for side in range(2):
                    sides[j, side] = subtrees[j]
                    sides[j, side].begin, sides[j, side].end = parts[side].begin, parts[side].end
                    sides[j, side].seed, sides[j, side].depth = parts[side].seed, parts[side].depth
                    sides[j, side].lower, sides[j, side].upper = parts[side].lower, parts[side].upper
