# Where everything lies in the room of a thread that grows trees. docs/kernels.md, "Trees".
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from clinfa._core.divide cimport SMALL, STRIDE
from clinfa._core.nodes cimport Rules, Work
from clinfa._core.orders cimport FEW
from clinfa._core.scores cimport ABSOLUTE, scalar


cdef inline char* piece(char** at, int64_t size) noexcept nogil:
    """The next so many bytes of a thread's room."""
    cdef char* out = at[0]
    at[0] = out + (size + 63) // 64 * 64
    return out


cdef inline int64_t lay_out(Work* k, char* at, const Rules* p, int64_t m, int64_t U) noexcept nogil:
    """Where everything lies in a thread's room; returns its size."""
    cdef char* begin = at
    cdef bint sums = scalar(p.measure), deviations = p.measure == ABSOLUTE
    cdef bint categories = p.categories != NULL, counted = p.min_leaf > 1 or categories
    cdef int64_t few = min(m, FEW), q = p.outputs
    cdef bint stored = p.starts != NULL
    cdef int64_t entries = p.most_entries if stored else 0
    k.sums = <double*> piece(&at, 16 * U if sums else 0)
    k.counts = <double*> piece(&at, 8 * U if sums and counted else 0)
    k.bits = <uint64_t*> piece(&at, (U // 64 + 1) * 8)
    k.tops = <uint64_t*> piece(&at, (U // 4096 + 1) * 8)
    k.held = <int32_t*> piece(&at, 4 * p.d if stored else 0)
    k.columns = <uint64_t*> piece(&at, (p.d // 64 + 1) * 8 if stored else 0)
    k.column_tops = <uint64_t*> piece(&at, (p.d // 4096 + 1) * 8 if stored else 0)
    k.slot = <int32_t*> piece(&at, 4 * U)
    k.where = <int32_t*> piece(&at, 4 * p.n if stored else 0)  # the end of what `prepare` sets
    k.permutation = <int32_t*> piece(&at, 8 * p.d)
    k.chain = <int32_t*> piece(&at, 0 if sums else 4 * m)
    k.order = <int32_t*> piece(&at, 4 * (few if sums else m))
    k.codes = <uint32_t*> piece(&at, 4 * m + 4)
    k.weight = <double*> piece(&at, 8 * m)
    k.sum = <double*> piece(&at, 8 * m + 64)
    k.count = <double*> piece(&at, 8 * (few if sums and not counted else m))
    k.score = <double*> piece(&at, 8 * m)
    k.left = <double*> piece(&at, 8 * m if p.monotonic != NULL or deviations else 0)
    k.right = <double*> piece(&at, 8 * m if p.monotonic != NULL or deviations else 0)
    k.z = <double*> piece(&at, 8 * m * q + 64)
    k.moved = <double*> piece(&at, 8 * m * q + 128)
    k.moved_rows = <int32_t*> piece(&at, 4 * m + 64)
    k.totals = <double*> piece(&at, 32 * p.width)
    k.local = piece(&at, p.item * STRIDE * p.d)
    k.home = <int32_t*> piece(&at, 4 * SMALL)
    k.local_values = <int64_t*> piece(&at, 8 * p.d)
    k.rank = <int32_t*> piece(&at, 4 * m * q if deviations else 0)
    k.ordered = <int32_t*> piece(&at, 4 * m * q if deviations else 0)
    k.sorted = <double*> piece(&at, 8 * m * q if deviations else 0)
    k.tree = <double*> piece(&at, 16 * (m + 1) + 8 if deviations else 0)
    k.side = <uint8_t*> piece(&at, m)
    k.most_codes = U
    k.means = <double*> piece(
        &at, 0 if not categories else 8 * m if sums else
        8 * (2 * min(m, U) + min(min(m, U) * p.width, m * q) + 3 * p.width))
    k.goes = <uint8_t*> piece(&at, U if categories else 0)
    k.touched = <int32_t*> piece(&at, 4 * min(entries, p.d))
    k.ends = <int32_t*> piece(&at, 4 * (min(entries, p.d) + 1))
    k.entry_at = <int32_t*> piece(&at, 4 * entries)
    k.entries = piece(&at, p.stored_item * entries)
    k.room_at = <int32_t*> piece(&at, 4 * (m + 1) if stored else 0)
    k.room_found = piece(&at, p.stored_item * (m + 1) if stored else 0)
    k.spread = piece(&at, p.stored_item * p.n if stored else 0)
    k.identity = <int32_t*> piece(&at, 4 * m if stored else 0)
    # (The last, so that nothing moves where a room made for more is used for less.)
    k.table = <double*> piece(&at, 8 * p.most_weight + 8) if p.most_weight else NULL
    return at - begin
