# What clustering by density shares: density.h, how work is counted, and nodes that wait for their turn.
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from clinfa._core.lanes cimport CHEBYSHEV, EUCLIDEAN, MANHATTAN

cdef extern from "density.h" nogil:
    uint32_t leaf_within(const double*, const double*, Py_ssize_t, int, double, const double*)
    double plain_distance(const double*, const double*, Py_ssize_t, int, double)
    void boxes_apart(
        const double*, const double*, const double*, Py_ssize_t, int, double, double*, double*)
    int32_t root_of(int32_t*, int32_t)
    void unite(int32_t*, int32_t, int32_t)
    int count_bits(uint32_t)
    void flag_set(uint8_t*)
    uint8_t flag_seen(uint8_t*)

cdef enum:
    NONE = 2147483647    # no point there
    EIGHT = 8            # FAN; arrays on the stack are made for it
    MOST_WORK = 4000000  # features of leaves: some 10 ms
    POWERS = 50          # how many times as long it takes to raise differences to a power


cdef inline Py_ssize_t cost_of(Py_ssize_t d, int metric) noexcept nogil:
    """The work of a look at a leaf, or at the boxes of a node."""
    return d if metric == EUCLIDEAN or metric == MANHATTAN or metric == CHEBYSHEV else POWERS * d


cdef inline void wait(
    double* stack_near, int64_t* stack_node, int32_t* stack_level, Py_ssize_t begin, Py_ssize_t waiting,
    double near, int64_t node, int32_t level
) noexcept nogil:
    """Add to those of one node that wait, the nearest last, so that it is taken next."""
    cdef Py_ssize_t at = waiting
    while at > begin and stack_near[at - 1] < near:
        stack_near[at] = stack_near[at - 1]
        stack_node[at] = stack_node[at - 1]
        at -= 1
    stack_near[at] = near
    stack_node[at] = node
    stack_level[waiting] = level
