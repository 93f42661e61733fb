/* Included by blocks.h for each pair of a type of data and a type of computing. */

typedef REAL NAME(bvec) __attribute__((vector_size(BLOCK_BYTES)));
typedef REAL NAME(bvecu) __attribute__((vector_size(BLOCK_BYTES), aligned(sizeof(REAL))));
typedef INT NAME(bint) __attribute__((vector_size(BLOCK_BYTES)));
typedef DATA NAME(bdata) __attribute__((vector_size(BLOCK_BYTES / sizeof(REAL) * sizeof(DATA)), aligned(sizeof(DATA))));
#define VEC NAME(bvec)
#define VECU NAME(bvecu)
#define IVEC NAME(bint)
#define LANES ((ptrdiff_t)(BLOCK_BYTES / sizeof(REAL)))
#define LOAD(p) ((VEC)*(const VECU *)(p))
#define STORE(p, v) (*(VECU *)(p) = (VECU)(v))
#define SPLAT(c) ((c) - (VEC){0})
#define WIDEN(p) __builtin_convertvector(*(const NAME(bdata) *)(p), VEC)
#define APART ((ptrdiff_t)(BLOCK_PACKED / sizeof(REAL)))  /* numbers in a packed column */
#define ALWAYS static inline __attribute__((always_inline))

/* Pack `rows` rows of `width` columns, as (x - shift) * weight. */
static void NAME(block_pack)(
    const DATA *x, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t width,
    const DATA *end,              /* in   where the array ends: nothing is read from there on */
    const double *shift,          /* in   (width) or NULL */
    const double *weights,        /* in   (rows) or NULL */
    REAL *restrict out,           /* out  (columns, BLOCK_PACKED bytes) */
    double *sums)                 /* inout (width) or NULL: sums of what was packed */
{
    ptrdiff_t c, i, l, most = width;
    if (BLOCK_R > LANES) most = (width + BLOCK_R - 1) / BLOCK_R * BLOCK_R;
    for (c = 0; c < most; c += LANES, out += APART) {
        ptrdiff_t m = width - c < LANES ? width - c : LANES, whole = rows;
        IVEC keep = {0};
        VEC s = {0}, total = {0};
        for (l = 0; l < m; l++) {
            keep[l] = -1;
            if (shift) s[l] = (REAL)shift[c + l];
        }
        /* (A ragged vector reads on into the next row, where there is one.) */
        if (m < LANES)
            while (whole > 0 && (m <= 0 || end - (x + (whole - 1) * stride + c) < LANES)) whole--;
        VEC part[4] = {{0}, {0}, {0}, {0}}; /* (one sum would wait for each of its additions) */
        for (i = 0; i + 4 <= whole; i += 4)
            _Pragma("GCC unroll 4") for (int r = 0; r < 4; r++) {
                VEC y = (VEC)((IVEC)(WIDEN(x + (i + r) * stride + c) - s) & keep);
                if (weights) y *= (REAL)weights[i + r];
                part[r] += y;
                *(VEC *)(out + (i + r) * LANES) = y;
            }
        total = (part[0] + part[1]) + (part[2] + part[3]);
        for (; i < whole; i++) {
            VEC y = (VEC)((IVEC)(WIDEN(x + i * stride + c) - s) & keep);
            if (weights) y *= (REAL)weights[i];
            total += y;
            *(VEC *)(out + i * LANES) = y;
        }
        for (; i < rows; i++) {
            VEC y = {0};
            for (l = 0; l < m; l++) y[l] = (REAL)x[i * stride + c + l] - s[l];
            if (weights) y *= (REAL)weights[i];
            total += y;
            *(VEC *)(out + i * LANES) = y;
        }
        if (sums)
            for (l = 0; l < m; l++) sums[c + l] += total[l];
    }
}

/* out += a^T b for BLOCK_R columns of a, packed or as they lie in `raw` rows, and `nv` vectors of columns of b.
 * One line of what comes next is asked for with each row. */
ALWAYS void NAME(cross_tile)(
    const int raw, const int nv, const REAL *a, ptrdiff_t apart, const REAL *b, ptrdiff_t rows,
    double *out, ptrdiff_t stride, const char *next, ptrdiff_t step)
{
    VEC acc[BLOCK_R][BLOCK_V];
    _Pragma("GCC unroll 8") for (int r = 0; r < BLOCK_R; r++)
        _Pragma("GCC unroll 3") for (int v = 0; v < nv; v++) acc[r][v] = (VEC){0};
    for (ptrdiff_t i = 0; i < rows; i++) {
        VEC y[BLOCK_V];
        __builtin_prefetch(next, 0, 2);
        next += step;
        _Pragma("GCC unroll 3") for (int v = 0; v < nv; v++) y[v] = *(const VEC *)(b + v * APART);
        _Pragma("GCC unroll 8") for (int r = 0; r < BLOCK_R; r++) {
            VEC x = SPLAT(a[raw ? r : r / LANES * APART + r % LANES]);
            _Pragma("GCC unroll 3") for (int v = 0; v < nv; v++) acc[r][v] += x * y[v];
        }
        a += raw ? apart : LANES;
        b += LANES;
    }
    _Pragma("GCC unroll 8") for (int r = 0; r < BLOCK_R; r++)
        _Pragma("GCC unroll 3") for (int v = 0; v < nv; v++) {
            double *to = out + r * stride + v * LANES;
#ifdef BLOCK_IS_DOUBLE
            STORE(to, LOAD(to) + acc[r][v]);
#else
            REAL part[LANES];
            STORE(part, acc[r][v]);
            for (ptrdiff_t l = 0; l < LANES; l++) to[l] += part[l];
#endif
        }
}

/* out += a^T b for packed chunks; where `lower`, a and b are the same columns and only what lies at or below
 * the diagonal is right. Where `raw` rows are given, they are a but for the columns that fill no tile. Meanwhile
 * the lines of the chunks to come are fetched, one column of lines a tile. */
static void NAME(block_cross)(
    const REAL *a, const REAL *raw, ptrdiff_t apart, const REAL *b, ptrdiff_t p, ptrdiff_t q, ptrdiff_t rows,
    int lower, double *out, ptrdiff_t stride,
    const DATA *next_a, ptrdiff_t step_a, const DATA *next_b, ptrdiff_t step_b)
{
    ptrdiff_t groups = (p + BLOCK_R - 1) / BLOCK_R, vectors = (q + LANES - 1) / LANES, tile = 0;
    ptrdiff_t lines_a = next_a ? (p * (ptrdiff_t)sizeof(DATA) + 63) / 64 : 0;
    ptrdiff_t lines_b = next_b ? (q * (ptrdiff_t)sizeof(DATA) + 63) / 64 : 0;
    ptrdiff_t whole = raw ? p / BLOCK_R * BLOCK_R : 0;
    for (ptrdiff_t v = 0; v < vectors; v += BLOCK_V)
        for (ptrdiff_t g = 0; g < groups; g++) {
            ptrdiff_t nv = vectors - v, at = g * BLOCK_R;
            if (lower && (at + BLOCK_R - 1) / LANES + 1 - v < nv) nv = (at + BLOCK_R - 1) / LANES + 1 - v;
            if (nv <= 0) continue;
            const char *next = (const char *)b;
            ptrdiff_t step = 0;
            if (tile < lines_a) {
                next = (const char *)next_a + tile * 64;
                step = step_a * (ptrdiff_t)sizeof(DATA);
            } else if (tile < lines_a + lines_b) {
                next = (const char *)next_b + (tile - lines_a) * 64;
                step = step_b * (ptrdiff_t)sizeof(DATA);
            }
            tile++;
            const REAL *y = b + v * APART;
            double *to = out + at * stride + v * LANES;
            if (at < whole) {
                const REAL *x = raw + at;
                if (nv == 1) NAME(cross_tile)(1, 1, x, apart, y, rows, to, stride, next, step);
                else if (nv == 2) NAME(cross_tile)(1, 2, x, apart, y, rows, to, stride, next, step);
                else NAME(cross_tile)(1, BLOCK_V, x, apart, y, rows, to, stride, next, step);
            } else {
                const REAL *x = a + (at - whole) / LANES * APART + (at - whole) % LANES;
                if (nv == 1) NAME(cross_tile)(0, 1, x, 0, y, rows, to, stride, next, step);
                else if (nv == 2) NAME(cross_tile)(0, 2, x, 0, y, rows, to, stride, next, step);
                else NAME(cross_tile)(0, BLOCK_V, x, 0, y, rows, to, stride, next, step);
            }
        }
}

#ifdef OWN_TYPE
/* `nr` rows of A times `nv` vectors of columns of C, from `start`. */
ALWAYS void NAME(combine_tile)(
    const int nr, const int nv, const REAL *a, ptrdiff_t apart, ptrdiff_t d, const REAL *c, const REAL *start,
    ptrdiff_t m, REAL *out, ptrdiff_t stride, const char *next)
{
    VEC acc[BLOCK_R][BLOCK_V];
    const REAL *half = a + BLOCK_R / 2 * apart;
    _Pragma("GCC unroll 8") for (int r = 0; r < nr; r++)
        _Pragma("GCC unroll 3") for (int v = 0; v < nv; v++) acc[r][v] = LOAD(start + v * LANES);
    for (ptrdiff_t k = 0; k < d; k++) {
        VEC y[BLOCK_V];
        __builtin_prefetch(next, 0, 2);
        next += BLOCK_R * sizeof(REAL);
        _Pragma("GCC unroll 3") for (int v = 0; v < nv; v++) y[v] = LOAD(c + v * LANES);
        _Pragma("GCC unroll 8") for (int r = 0; r < nr; r++) {
            VEC x = SPLAT(r < BLOCK_R / 2 ? a[r * apart] : half[(r - BLOCK_R / 2) * apart]);
            _Pragma("GCC unroll 3") for (int v = 0; v < nv; v++) acc[r][v] += x * y[v];
        }
        a++;
        half++;
        c += BLOCK_V * LANES;
    }
    _Pragma("GCC unroll 8") for (int r = 0; r < nr; r++)
        _Pragma("GCC unroll 3") for (int v = 0; v < nv; v++) {
            REAL *to = out + r * stride + v * LANES;
            if (m - v * LANES >= LANES) STORE(to, acc[r][v]);
            else if (m > v * LANES) {
                REAL part[LANES];
                STORE(part, acc[r][v]);
                memcpy(to, part, (size_t)(m - v * LANES) * sizeof(REAL));
            }
        }
}

/* out = a C + start for some rows of A. C is in panels of BLOCK_V vectors, filled with zeros. */
static void NAME(block_combine)(
    const REAL *a, ptrdiff_t apart, ptrdiff_t rows, ptrdiff_t d,
    const REAL *c,                /* in   (panels, d, BLOCK_V * LANES) */
    const REAL *start,            /* in   (panels, BLOCK_V * LANES) */
    ptrdiff_t m, REAL *out, ptrdiff_t stride,
    const REAL *next, ptrdiff_t next_apart) /* in  the rows that come after these, or NULL */
{
    for (ptrdiff_t j = 0; j < m; j += BLOCK_V * LANES) {
        ptrdiff_t left = m - j, nv = (left + LANES - 1) / LANES;
        for (ptrdiff_t i = 0; i < rows;) {
            const REAL *x = a + i * apart;
            const char *ahead = (const char *)(next && j == 0 ? next + i * next_apart : x);
            REAL *to = out + i * stride + j;
            if (rows - i < BLOCK_R) {
                NAME(combine_tile)(1, BLOCK_V, x, apart, d, c, start + j, left, to, stride, (const char *)x);
                i++;
                continue;
            }
            if (nv == 1) NAME(combine_tile)(BLOCK_R, 1, x, apart, d, c, start + j, left, to, stride, ahead);
            else if (nv == 2) NAME(combine_tile)(BLOCK_R, 2, x, apart, d, c, start + j, left, to, stride, ahead);
            else NAME(combine_tile)(BLOCK_R, BLOCK_V, x, apart, d, c, start + j, left, to, stride, ahead);
            i += BLOCK_R;
        }
        c += d * BLOCK_V * LANES;
    }
}
#endif

#undef VEC
#undef VECU
#undef IVEC
#undef LANES
#undef LOAD
#undef STORE
#undef SPLAT
#undef WIDEN
#undef APART
#undef ALWAYS
