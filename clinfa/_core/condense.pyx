# From the edges of a spanning tree to the single-linkage tree, and from that to HDBSCAN's condensed tree.
# All passes go once along a tree, on one thread. docs/kernels.md has the argument.
from libc.math cimport INFINITY
from libc.stdint cimport int32_t, int64_t, uint8_t

from clinfa._core.types cimport clinfa_take


def linkage_pass(
    const int32_t[:, ::1] edges,  # in     (n - 1, 2)  rows, lightest edge first
    const int64_t[::1] bounds,    # in     (stripes + 1)  of edges
    int64_t[::1] cursor,          # inout  (1)
    int64_t limit,                # in
    int64_t[::1] parent,          # inout  (2 n - 1)  each node its own at first
    int64_t[:, ::1] children,     # out    (n - 1, 2)  nodes joined, the lesser first; n + i is what edge i made
    int64_t[::1] size,            # out    (n - 1)
):
    cdef int64_t n = edges.shape[0] + 1, i, left, right, s, stripes = bounds.shape[0] - 1
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                left = edges[i, 0]
                right = edges[i, 1]
                while parent[left] != left:
                    parent[left] = parent[parent[left]]
                    left = parent[left]
                while parent[right] != right:
                    parent[right] = parent[parent[right]]
                    right = parent[right]
                parent[left] = parent[right] = n + i
                children[i, 0] = min(left, right)
                children[i, 1] = max(left, right)
                size[i] = (size[left - n] if left >= n else 1) + (size[right - n] if right >= n else 1)


def cut_pass(
    const int64_t[:, ::1] children,  # in     (merges, 2)
    const int64_t[::1] bounds,       # in     (stripes + 1)  of merges, counted from the last
    int64_t[::1] cursor,             # inout  (1)
    int64_t limit,                   # in
    int64_t[::1] group,              # inout  (nodes)   each its own at first; afterwards that of the node above all
):
    cdef int64_t merges = children.shape[0], n = group.shape[0] - merges, i, s, stripes = bounds.shape[0] - 1
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(merges - 1 - bounds[s], merges - 1 - bounds[s + 1], -1):
                group[children[i, 0]] = group[children[i, 1]] = group[n + i]


def condense_pass(
    const int64_t[:, ::1] children,  # in     (n - 1, 2)
    const double[::1] height,        # in     (n - 1)
    const int64_t[::1] size,         # in     (n - 1)
    int64_t least,                   # in                 a cluster holds so many points
    const int64_t[::1] bounds,       # in     (stripes + 1)  of merges, counted from the last
    int64_t[::1] cursor,             # inout  (1)
    int64_t limit,                   # in
    int64_t[::1] cluster,            # inout  (2 n - 1)   cluster of each node, the root's being 0
    double[::1] leaves,              # inout  (2 n - 1)   1 / distance at which it left its cluster, -1 if it did not
    int64_t[::1] parent,             # out    (room)      of each cluster
    double[::1] birth,               # out    (room)      1 / distance at which it split off
    int64_t[::1] members,            # out    (room)
    double[::1] death,               # inout  (room)      the greatest 1 / distance at which a part left, 0 at first
    double[::1] stability,           # inout  (room)      sum of (1 / distance - birth) over points, 0 at first
    int64_t[::1] found,              # inout  (1)         clusters so far
):
    cdef int64_t n = children.shape[0] + 1, i, side, node, c, new, s, stripes = bounds.shape[0] - 1
    cdef int64_t count[2]
    cdef double density
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(n - 2 - bounds[s], n - 2 - bounds[s + 1], -1):
                c = cluster[n + i]
                if leaves[n + i] >= 0:
                    for side in range(2):
                        cluster[children[i, side]] = c
                        leaves[children[i, side]] = leaves[n + i]
                    continue
                density = 1 / height[i] if height[i] > 0 else INFINITY
                for side in range(2):
                    node = children[i, side]
                    count[side] = size[node - n] if node >= n else 1
                death[c] = density  # (they only grow on the way down)
                if count[0] >= least and count[1] >= least and height[i] > 0:
                    stability[c] += (density - birth[c]) * (count[0] + count[1])
                    for side in range(2):
                        new = found[0]
                        found[0] += 1
                        parent[new] = c
                        birth[new] = density
                        members[new] = count[side]
                        cluster[children[i, side]] = new
                    continue
                for side in range(2):
                    node = children[i, side]
                    cluster[node] = c
                    # Points at one place are never parted.
                    if count[side] < least or height[i] <= 0:
                        leaves[node] = density
                        stability[c] += (density - birth[c]) * count[side]


def excess_of_mass(
    const int64_t[::1] parent,       # in     (m)  clusters, parents before children
    const int64_t[::1] members,      # in     (m)
    const double[::1] stability,     # in     (m)
    int64_t most,                    # in          no cluster is larger
    int64_t first,                   # in          0, or 1 to leave out the root
    double[::1] below,               # inout  (m)  what the best choice below yields, 0 at first
    uint8_t[::1] chosen,             # out    (m)
):
    """Choose the clusters of the greatest total stability, none within another."""
    cdef int64_t c, m = parent.shape[0]
    cdef double own
    with nogil:
        for c in range(m - 1, first - 1, -1):
            own = stability[c]
            chosen[c] = not (below[c] > own or members[c] > most)
            if not chosen[c]:
                own = below[c]
            if c:
                below[parent[c]] += own


def merge_below(
    const int64_t[::1] parent,   # in     (m)
    const double[::1] birth,     # in     (m)
    double density,              # in          1 / epsilon: clusters born at more are merged
    int64_t root_too,            # in          whether they may be merged into the root
    int64_t[::1] up,             # out    (m)  where each goes that was born at more than `density`
):
    cdef int64_t c, above
    with nogil:
        up[0] = 0
        for c in range(1, parent.shape[0]):
            above = parent[c]
            if above == 0:
                up[c] = 0 if root_too else c
            elif birth[above] < density:
                up[c] = above
            else:
                up[c] = up[above]


def climb_pass(
    const int64_t[::1] parent,   # in     (m)
    const double[::1] birth,     # in     (m)
    const double[::1] density,   # in     (n)  of points
    const int64_t[::1] bounds,   # in     (stripes + 1)  of points
    int64_t[::1] cursor,         # inout  (1)
    int64_t limit,               # in
    int64_t[::1] cluster,        # inout  (n)  afterwards the first above, or itself, that was not born later
):
    cdef int64_t i, c, s, stripes = bounds.shape[0] - 1
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                c = cluster[i]
                while c and birth[c] > density[i]:
                    c = parent[c]
                cluster[i] = c


def deepest_clusters(
    const int64_t[::1] parent,   # in     (m)
    double[::1] death,           # inout  (m)  afterwards the greatest of each and all within it
):
    cdef int64_t c
    with nogil:
        for c in range(parent.shape[0] - 1, 0, -1):
            if death[c] > death[parent[c]]:
                death[parent[c]] = death[c]


def meet_clusters(
    const int64_t[::1] parent,   # in     (m)
    const double[::1] birth,     # in     (m)
    const int64_t[::1] label,    # in     (m)  of the chosen cluster that each is or lies in, -1 for none
    const int64_t[::1] kept,     # in     (k)  the chosen clusters
    int64_t begin, int64_t end,  # in          columns to fill
    double[:, ::1] out,          # inout  (m, k)  the greatest density at which it is one with each; 0 at first
):
    cdef int64_t c, j
    with nogil:
        for j in range(begin, end):
            c = kept[j]
            out[0, j] = INFINITY
            while c:
                out[c, j] = INFINITY
                c = parent[c]
        for c in range(1, parent.shape[0]):
            for j in range(begin, end):
                if label[c] == j:
                    out[c, j] = INFINITY
                elif out[c, j] == 0:
                    out[c, j] = min(out[parent[c], j], birth[c])


def name_clusters(
    const int64_t[::1] parent,   # in     (m)
    uint8_t[::1] chosen,         # inout  (m)  afterwards none is within another
    int64_t[::1] label,          # out    (m)  of the chosen cluster that each is or lies in, -1 for none
):
    cdef int64_t c, labels = 0
    with nogil:
        for c in range(parent.shape[0]):
            if c and label[parent[c]] >= 0:
                label[c] = label[parent[c]]
                chosen[c] = 0
            elif chosen[c]:
                label[c] = labels
                labels += 1
            else:
                label[c] = -1
