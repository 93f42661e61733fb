# Nodes that wait to be divided, that of greatest gain first.
from libc.stdint cimport int64_t

from clinfa._core.nodes cimport Job, Pending


cdef inline bint before(const Pending* a, const Pending* b) noexcept nogil:
    return a.gain > b.gain or (a.gain == b.gain and a.place < b.place)


cdef inline void enqueue(Job* job, const Pending* node) noexcept nogil:
    """Into the heap of those that wait."""
    cdef Pending* heap = job.waiting
    cdef int64_t at = job.waits
    job.waits += 1
    while at and before(node, heap + (at - 1) // 2):
        heap[at] = heap[(at - 1) // 2]
        at = (at - 1) // 2
    heap[at] = node[0]


cdef inline void dequeue(Job* job, Pending* first) noexcept nogil:
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
