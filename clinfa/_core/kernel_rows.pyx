# Rows of kernel and distance matrices, their products with blocks of columns, and single entries, by the tile.
# Mathematics, layout and cost: docs/kernels.md, "Kernel rows".
from libc.stdint cimport int64_t
from libc.string cimport memcpy, memset

from clinfa._core.tile cimport PANEL, TILE_F32, TILE_F64, aligned, tile_pack, tile_size
from clinfa._core.types cimport clinfa_take, index_t, real

cdef extern from "rows.h" nogil:
    const int _INNER "INNER"
    const int _SQUARED "SQUARED"
    const int _CITY "CITY"
    const int _CHI "CHI"
    const int _KNOWN "KNOWN"
    const int _PLAIN "PLAIN"
    const int _DECAY "DECAY"
    const int _POWER "POWER"
    const int _TANGENT "TANGENT"
    const int _ROOT "ROOT"
    const int _ANGLE "ANGLE"
    void finish_f32(int, float, float, double, float*, Py_ssize_t)
    void finish_f64(int, double, double, double, double*, Py_ssize_t)
    void products_f32(const float*, const float*, Py_ssize_t, float*)
    void products_f64(const double*, const double*, Py_ssize_t, double*)
    void squares_f32(const float*, const float*, Py_ssize_t, float*)
    void squares_f64(const double*, const double*, Py_ssize_t, double*)
    void cities_f32(const float*, const float*, Py_ssize_t, float*)
    void cities_f64(const double*, const double*, Py_ssize_t, double*)
    void chis_f32(const float*, const float*, Py_ssize_t, float*)
    void known_squares_f32(const float*, const float*, Py_ssize_t, float*)
    void chis_f64(const double*, const double*, Py_ssize_t, double*)
    void known_squares_f64(const double*, const double*, Py_ssize_t, double*)
    void mended_squares_f32(const float*, const float*, Py_ssize_t, const float*, const float*, float*, float*)
    void mended_squares_f64(const double*, const double*, Py_ssize_t, const double*, const double*, double*, double*)
    void tile_norms_f32(const float*, Py_ssize_t, float*)
    void tile_norms_f64(const double*, Py_ssize_t, double*)
    void panel_norms_f32(const float*, Py_ssize_t, float*)
    void panel_norms_f64(const double*, Py_ssize_t, double*)
    void apply_block_f32(const float*, const float*, Py_ssize_t, double*)
    void apply_block_f64(const double*, const double*, Py_ssize_t, double*)
    float of_pair_f32(int, const float*, const float*, Py_ssize_t)
    double of_pair_f64(int, const double*, const double*, Py_ssize_t)

cdef enum:
    HIGH = 48      # rows of a block: several groups of PANEL meet each tile while it is near
    LONG = 16      # columns from which squared distances are mended products
    CHUNK = 64     # entries finished at a time

HIGH_ROWS = HIGH
PANEL_SIZE = PANEL
TILE_SIZES = {"f": TILE_F32, "d": TILE_F64}
MEASURES = {"inner": _INNER, "squared": _SQUARED, "city": _CITY, "chi": _CHI, "known": _KNOWN}
FUNCTIONS = {
    "plain": _PLAIN, "decay": _DECAY, "power": _POWER, "tangent": _TANGENT, "root": _ROOT, "angle": _ANGLE
}


cdef inline void _finish(
    int function, double gamma, double coef, double degree, real* s, Py_ssize_t count
) noexcept nogil:
    if real is float:
        finish_f32(function, <float> gamma, <float> coef, degree, s, count)
    else:
        finish_f64(function, gamma, coef, degree, s, count)


cdef inline void _sums(
    int measure, const real* xt, const real* panel, Py_ssize_t d, const real* norms, const real* row_norms,
    real* apart, real* out,
) noexcept nogil:
    """What is summed over the columns, for PANEL rows and the points of a tile."""
    if real is float:
        if measure == _INNER:
            products_f32(xt, panel, d, out)
        elif measure == _SQUARED and d < LONG:
            squares_f32(xt, panel, d, out)
        elif measure == _SQUARED:
            mended_squares_f32(xt, panel, d, norms, row_norms, apart, out)
        elif measure == _CITY:
            cities_f32(xt, panel, d, out)
        elif measure == _CHI:
            chis_f32(xt, panel, d, out)
        else:
            known_squares_f32(xt, panel, d, out)
    else:
        if measure == _INNER:
            products_f64(xt, panel, d, out)
        elif measure == _SQUARED and d < LONG:
            squares_f64(xt, panel, d, out)
        elif measure == _SQUARED:
            mended_squares_f64(xt, panel, d, norms, row_norms, apart, out)
        elif measure == _CITY:
            cities_f64(xt, panel, d, out)
        elif measure == _CHI:
            chis_f64(xt, panel, d, out)
        else:
            known_squares_f64(xt, panel, d, out)


cdef inline Py_ssize_t _pack_rows(
    const real* X, const int64_t* which, Py_ssize_t first, Py_ssize_t count, Py_ssize_t d, const real* shift,
    real* panel, real* norms,
) noexcept nogil:
    """Groups of PANEL rows, x - shift, and their squared norms; the last row again in the padding."""
    cdef Py_ssize_t groups = (count + PANEL - 1) // PANEL, g, r, f, i
    cdef const real* x
    cdef real* p
    for g in range(groups):
        p = panel + g * d * PANEL
        for r in range(PANEL):
            i = first + min(g * PANEL + r, count - 1)
            x = X + (which[i] if which != NULL else i) * d
            for f in range(d):
                p[f * PANEL + r] = x[f] - shift[f]
        if d >= LONG:
            if real is float:
                panel_norms_f32(p, d, norms + g * PANEL)
            else:
                panel_norms_f64(p, d, norms + g * PANEL)
    return groups


def pack_pass(
    const real[:, ::1] Y,       # in     (m, d)
    const real[::1] shift,      # in     (d)
    const int64_t[::1] bounds,  # in     (stripes + 1)  of tiles
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    real[::1] tiles,            # out    (n_tiles d TILE + 16)  from its first cache line on: the points in lanes
    real[::1] norms,            # out    (n_tiles TILE + 16)    their squared norms
):
    """Points less `shift` in tiles, once for all rows that will meet them."""
    cdef Py_ssize_t m = Y.shape[0], d = Y.shape[1], size = tile_size(<real> 0), t
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef real* to
    cdef real* squares
    with nogil:
        to = aligned(&tiles[0])
        squares = aligned(&norms[0])
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for t in range(bounds[s], bounds[s + 1]):
                tile_pack(
                    &Y[0, 0], d, NULL, t * size, min(size, m - t * size), &shift[0], <real> 1, to + t * d * size, NULL)
                if real is float:
                    tile_norms_f32(to + t * d * size, d, squares + t * size)
                else:
                    tile_norms_f64(to + t * d * size, d, squares + t * size)


def rows_pass(
    const real[:, ::1] X,       # in     (n, d)
    const int64_t[::1] which,   # in     rows of X, or (0) for all
    const real[::1] shift,      # in     (d)
    const real[::1] tiles,      # in     as `pack_pass` left them
    const real[::1] norms,      # in
    int measure, int function,  # in
    double gamma, double coef, double degree,  # in
    bint mirror,                # in     X are the points: what is above the diagonal is put below it, too
    Py_ssize_t first, Py_ssize_t last,  # in  tiles
    const int64_t[::1] bounds,  # in     (stripes + 1)  of blocks of HIGH rows
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    real[:, ::1] scratch,       # scratch (slots, HIGH (d + 1) + 2 PANEL TILE + 32)
    int64_t slot,               # in
    real[:, ::1] out,           # out    (rows, m)
):
    """Rows of a matrix of kernel values or distances."""
    cdef Py_ssize_t n = out.shape[0], m = out.shape[1], d = X.shape[1], size = tile_size(<real> 0)
    cdef Py_ssize_t b, i, j, t, g, r, l, rows, groups, width, begin
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef const int64_t* rows_of = &which[0] if which.shape[0] else NULL
    cdef const real* points
    cdef const real* squares
    cdef real* panel
    cdef real* row_norms
    cdef real* block
    cdef real* apart
    cdef real* to
    with nogil:
        points = aligned(<real*> &tiles[0])
        squares = aligned(<real*> &norms[0])
        block = aligned(&scratch[slot, 0])
        apart = block + PANEL * size
        row_norms = apart + PANEL * size
        panel = row_norms + HIGH
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for b in range(bounds[s], bounds[s + 1]):
                i = b * HIGH
                rows = min(HIGH, n - i)
                groups = _pack_rows(&X[0, 0], rows_of, i, rows, d, &shift[0], panel, row_norms)
                for t in range(first, last):
                    j = t * size
                    width = min(size, m - j)
                    begin = 0
                    if mirror:
                        if j + width <= i:
                            continue
                        begin = max(0, i - j)
                    for g in range(groups):
                        _sums(
                            measure, points + t * d * size, panel + g * d * PANEL, d, squares + t * size,
                            row_norms + g * PANEL, apart, block)
                        _finish(function, gamma, coef, degree, block, PANEL * size)
                        for r in range(min(PANEL, rows - g * PANEL)):
                            to = &out[i + g * PANEL + r, j]
                            memcpy(to + begin, block + r * size + begin, (width - begin) * sizeof(real))
                    if mirror:
                        for l in range(max(0, i + rows - j), width):
                            to = &out[j + l, i]
                            for r in range(rows):
                                to[r] = out[i + r, j + l]


def apply_pass(
    const real[:, ::1] X,       # in     (n, d)
    const real[::1] shift,      # in     (d)
    const real[::1] tiles,      # in     as `pack_pass` left them
    const real[::1] norms,      # in
    int measure, int function,  # in
    double gamma, double coef, double degree,  # in
    const real[::1] values,     # in     (n_tiles TILE, wide) and 16 more, from the first cache line on; zeros where no point is
    Py_ssize_t first, Py_ssize_t last,  # in  tiles
    const int64_t[::1] bounds,  # in     (stripes + 1)  of blocks of HIGH rows
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    real[:, ::1] scratch,       # scratch (slots, HIGH (d + 1) + 2 PANEL TILE + 32)
    int64_t slot,               # in
    double[:, ::1] out,         # inout  (blocks HIGH, wide)  to which the products are added
):
    """The product of a kernel matrix, which is never stored, with a block of columns."""
    cdef Py_ssize_t n = X.shape[0], d = X.shape[1], size = tile_size(<real> 0), wide = out.shape[1]
    cdef Py_ssize_t b, i, t, g, groups
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef const real* points
    cdef const real* squares
    cdef const real* columns
    cdef real* panel
    cdef real* row_norms
    cdef real* block
    cdef real* apart
    with nogil:
        points = aligned(<real*> &tiles[0])
        squares = aligned(<real*> &norms[0])
        columns = aligned(<real*> &values[0])
        block = aligned(&scratch[slot, 0])
        apart = block + PANEL * size
        row_norms = apart + PANEL * size
        panel = row_norms + HIGH
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for b in range(bounds[s], bounds[s + 1]):
                i = b * HIGH
                groups = _pack_rows(&X[0, 0], NULL, i, min(HIGH, n - i), d, &shift[0], panel, row_norms)
                for t in range(first, last):
                    for g in range(groups):
                        _sums(
                            measure, points + t * d * size, panel + g * d * PANEL, d, squares + t * size,
                            row_norms + g * PANEL, apart, block)
                        _finish(function, gamma, coef, degree, block, PANEL * size)
                        if real is float:
                            apply_block_f32(block, columns + t * size * wide, wide, &out[i + g * PANEL, 0])
                        else:
                            apply_block_f64(block, columns + t * size * wide, wide, &out[i + g * PANEL, 0])


def pairs_pass(
    const real[:, ::1] X,       # in     (n, d)
    const real[:, ::1] Y,       # in     (m, d)
    const index_t[::1] indptr,  # in     (n + 1)
    const index_t[::1] indices, # in     (nnz)          rows of Y
    int measure, int function,  # in
    double gamma, double coef, double degree,  # in
    const int64_t[::1] bounds,  # in     (stripes + 1)  of rows
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    real[::1] out,              # out    (nnz)
):
    """Single entries of a matrix of kernel values or distances."""
    cdef Py_ssize_t d = X.shape[1], i, t, count
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef real chunk[CHUNK]
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            count = 0
            memset(chunk, 0, sizeof(chunk))
            for i in range(bounds[s], bounds[s + 1]):
                for t in range(indptr[i], indptr[i + 1]):
                    if real is float:
                        chunk[count] = of_pair_f32(measure, &X[i, 0], &Y[indices[t], 0], d)
                    else:
                        chunk[count] = of_pair_f64(measure, &X[i, 0], &Y[indices[t], 0], d)
                    count += 1
                    if count == CHUNK:
                        _finish(function, gamma, coef, degree, chunk, CHUNK)
                        memcpy(&out[t + 1 - count], chunk, count * sizeof(real))
                        count = 0
            if count:
                _finish(function, gamma, coef, degree, chunk, CHUNK)
                memcpy(&out[indptr[bounds[s + 1]] - count], chunk, count * sizeof(real))


def finish_pass(
    real[::1] values,           # inout  (n)            sums, which become values of the function
    int function,               # in
    double gamma, double coef, double degree,  # in
    const int64_t[::1] bounds,  # in     (stripes + 1)
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
):
    """A function of sums that are known already."""
    cdef Py_ssize_t i, count
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef real chunk[CHUNK]
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            i = bounds[s]
            memset(chunk, 0, sizeof(chunk))
            while i < bounds[s + 1]:
                count = min(<Py_ssize_t> CHUNK, bounds[s + 1] - i)
                memcpy(chunk, &values[i], count * sizeof(real))
                _finish(function, gamma, coef, degree, chunk, CHUNK)
                memcpy(&values[i], chunk, count * sizeof(real))
                i += count


def city_pass_csr(
    const real[::1] X_data, const index_t[::1] X_indices, const index_t[::1] X_indptr,  # in  (n, d), sorted indices
    const real[::1] Y_data, const index_t[::1] Y_indices, const index_t[::1] Y_indptr,  # in  (m, d), sorted indices
    const int64_t[::1] bounds,  # in     (stripes + 1)  of rows of X
    int64_t[::1] cursor,        # inout  (1)
    int64_t limit,              # in
    real[:, ::1] out,           # out    (n, m)
):
    """Sums of absolute differences between rows of CSR matrices, by merging."""
    cdef Py_ssize_t m = Y_indptr.shape[0] - 1, i, j, a, b, a_end, b_end
    cdef int64_t s, stripes = bounds.shape[0] - 1
    cdef double total, t
    with nogil:
        while limit > 0:
            limit -= 1
            s = clinfa_take(&cursor[0])
            if s >= stripes:
                break
            for i in range(bounds[s], bounds[s + 1]):
                a_end = X_indptr[i + 1]
                for j in range(m):
                    a = X_indptr[i]
                    b = Y_indptr[j]
                    b_end = Y_indptr[j + 1]
                    total = 0
                    while a < a_end and b < b_end:
                        if X_indices[a] == Y_indices[b]:
                            t = <double> X_data[a] - Y_data[b]
                            a += 1
                            b += 1
                        elif X_indices[a] < Y_indices[b]:
                            t = X_data[a]
                            a += 1
                        else:
                            t = Y_data[b]
                            b += 1
                        total += t if t > 0 else -t
                    while a < a_end:
                        total += X_data[a] if X_data[a] > 0 else -X_data[a]
                        a += 1
                    while b < b_end:
                        total += Y_data[b] if Y_data[b] > 0 else -Y_data[b]
                        b += 1
                    out[i, j] = <real> total
