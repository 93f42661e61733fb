# Minimal cost-complexity pruning: the weakest link first (Breiman, Friedman, Olshen and Stone 1984, chapter 3).
from libc.stdint cimport int32_t, int64_t, uint8_t


cdef inline void lift(double* cost, int64_t* winner, int64_t width, int64_t at) noexcept nogil:
    """Who is least, on the way up from a place of the tournament."""
    at = (at + width) // 2
    while at:
        winner[at] = winner[2 * at] if cost[winner[2 * at]] <= cost[winner[2 * at + 1]] else winner[2 * at + 1]
        at //= 2


cdef inline double link(double own, double below, int64_t leaves) noexcept nogil:
    """What a leaf less costs if everything below a node goes."""
    return (own - below) / <double> (leaves - 1)


def prune_pass(
    const int64_t[::1] left,     # in     (n)          children; -1 in leaves
    const int64_t[::1] right,    # in     (n)
    const int64_t[::1] parent,   # in     (n)          -1 for the root, which is the first; parents come before children
    const double[::1] risk,      # in     (n)          the share of all impurity that a node has as a leaf
    double alpha,                # in                  prune while a link costs at most this
    uint8_t[::1] cut,            # out    (n)          whether a node was made a leaf
    double[::1] below,           # out    (n)          scratch: risk of the leaves below
    int64_t[::1] leaves,         # out    (n)          scratch: how many they are
    double[::1] cost,            # out    (width)      scratch: a power of two of at least n; inf where there is no link
    int64_t[::1] winner,         # out    (2 width)    scratch
    double[:, ::1] path,         # out    (inner, 2)   alpha and risk of the tree after each pruning
):
    """How many nodes were made leaves."""
    cdef int64_t n = left.shape[0], width = cost.shape[0], i, k, steps = 0
    cdef double inf = float("inf"), less, weakest
    cdef int64_t fewer
    with nogil:
        for i in range(n):
            below[i] = risk[i]
            leaves[i] = 1
            cut[i] = 0
        for i in range(n - 1, -1, -1):
            if left[i] >= 0:
                below[i] = below[left[i]] + below[right[i]]
                leaves[i] = leaves[left[i]] + leaves[right[i]]
        for i in range(width):
            cost[i] = link(risk[i], below[i], leaves[i]) if i < n and left[i] >= 0 else inf
            winner[width + i] = i
        for i in range(width - 1, 0, -1):
            winner[i] = winner[2 * i] if cost[winner[2 * i]] <= cost[winner[2 * i + 1]] else winner[2 * i + 1]
        while True:
            k = winner[1]
            weakest = cost[k]
            if not weakest < inf or weakest > alpha:
                break
            cut[k] = 1
            less = risk[k] - below[k]
            fewer = leaves[k] - 1
            # What lies below is gone: nothing there is a link any more.
            i = k
            while True:  # through the nodes below, from parent to child and back
                if left[i] >= 0 and cost[i] < inf:
                    cost[i] = inf
                    lift(&cost[0], &winner[0], width, i)
                    i = left[i]
                    continue
                while i != k and i == right[parent[i]]:
                    i = parent[i]
                if i == k:
                    break
                i = right[parent[i]]
            below[k] = risk[k]
            leaves[k] = 1
            i = parent[k]
            while i >= 0:
                below[i] += less
                leaves[i] -= fewer
                cost[i] = link(risk[i], below[i], leaves[i])
                lift(&cost[0], &winner[0], width, i)
                i = parent[i]
            path[steps, 0] = weakest
            path[steps, 1] = below[0]
            steps += 1
    return steps
