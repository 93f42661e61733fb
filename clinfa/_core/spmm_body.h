/* Included four times by spmm.h, for both floating types and both types of index. */

#define LANES ((ptrdiff_t)(VBYTES / sizeof(REAL)))
#define INLINE static inline __attribute__((always_inline))

/* `nv` vectors of the result; the last one overlaps the one before it where the columns do not fill it. */
INLINE void NAME(spmm_wide)(
    const ptrdiff_t nv,
    const REAL *data, const INDEX *indices, const INDEX *indptr,
    ptrdiff_t first, ptrdiff_t last,        /* rows */
    ptrdiff_t begin, ptrdiff_t end,         /* stored values: rows are cut off at these */
    ptrdiff_t ahead,                        /* how many stored values ahead their rows are asked for; 0: never */
    const REAL *block, ptrdiff_t stride,    /* the first of the columns wanted */
    ptrdiff_t width,                        /* how many columns */
    const double *by, const REAL *other,    /* {alpha, c, beta} or NULL; z or NULL */
    const REAL *gain, const REAL *term,     /* a factor of each column, and what it goes with; NULL or NULL */
    REAL *out)
{
    const ptrdiff_t tail = width - LANES;
    for (ptrdiff_t i = first; i < last; i++) {
        ptrdiff_t t = indptr[i] > begin ? indptr[i] : begin;
        const ptrdiff_t stop = indptr[i + 1] < end ? indptr[i + 1] : end;
        VEC acc[MOST_VECTORS];
        for (ptrdiff_t j = 0; j < nv; j++) acc[j] = (VEC){0};
        for (; t < stop; t++) {
            const REAL *row = block + (ptrdiff_t)indices[t] * stride;
            const VEC v = data[t] - (VEC){0};
            if (ahead) {
                const REAL *later = block + (ptrdiff_t)indices[t + ahead < end ? t + ahead : t] * stride;
                for (ptrdiff_t j = 0; j < nv * VBYTES; j += 64) __builtin_prefetch((const char *)later + j);
                __builtin_prefetch(later + width - 1);
            }
            for (ptrdiff_t j = 0; j < nv - 1; j++) acc[j] += v * (VEC)*(const VECU *)(row + j * LANES);
            acc[nv - 1] += v * (VEC)*(const VECU *)(row + tail);
        }
        REAL *to = out + i * stride;
        if (by) {
            const REAL alpha = (REAL)by[0], c = (REAL)by[1], beta = (REAL)by[2];
            const REAL *x = block + i * stride, *z = other + i * stride;
            for (ptrdiff_t j = 0; j < nv; j++) {
                const ptrdiff_t at = j < nv - 1 ? j * LANES : tail;
                if (c != 0) acc[j] -= c * (VEC)*(const VECU *)(x + at); /* (else there may be no such row) */
                acc[j] *= alpha;
                if (other) acc[j] += beta * (VEC)*(const VECU *)(z + at);
                if (term) acc[j] += (VEC)*(const VECU *)(gain + at) * (VEC)*(const VECU *)(term + i * stride + at);
            }
        }
        /* (All of z is read before any is written: it may be where the result goes.) */
        for (ptrdiff_t j = 0; j < nv - 1; j++) *(VECU *)(to + j * LANES) = (VECU)acc[j];
        *(VECU *)(to + tail) = (VECU)acc[nv - 1];
    }
}

/* Fewer columns than a vector has lanes. */
INLINE void NAME(spmm_narrow)(
    const ptrdiff_t width,
    const REAL *data, const INDEX *indices, const INDEX *indptr, ptrdiff_t first, ptrdiff_t last,
    ptrdiff_t begin, ptrdiff_t end, ptrdiff_t ahead, const REAL *block, ptrdiff_t stride,
    const double *by, const REAL *other, const REAL *gain, const REAL *term, REAL *out)
{
    for (ptrdiff_t i = first; i < last; i++) {
        ptrdiff_t t = indptr[i] > begin ? indptr[i] : begin;
        const ptrdiff_t stop = indptr[i + 1] < end ? indptr[i + 1] : end;
        REAL acc[16];
        for (ptrdiff_t j = 0; j < width; j++) acc[j] = 0;
        if (width == 1) {
            /* Four sums, that a product need not wait for the one before it. */
            REAL more[3] = {0, 0, 0};
            for (; t + 4 <= stop; t += 4) {
                acc[0] += data[t] * block[(ptrdiff_t)indices[t] * stride];
                for (ptrdiff_t u = 0; u < 3; u++)
                    more[u] += data[t + 1 + u] * block[(ptrdiff_t)indices[t + 1 + u] * stride];
            }
            acc[0] = (acc[0] + more[0]) + (more[1] + more[2]);
        }
        for (; t < stop; t++) {
            const REAL *row = block + (ptrdiff_t)indices[t] * stride;
            if (ahead && width > 1) __builtin_prefetch(block + (ptrdiff_t)indices[t + ahead < end ? t + ahead : t] * stride);
            for (ptrdiff_t j = 0; j < width; j++) acc[j] += data[t] * row[j];
        }
        REAL *to = out + i * stride;
        for (ptrdiff_t j = 0; j < width; j++) {
            if (by && by[1] != 0) acc[j] -= (REAL)by[1] * block[i * stride + j];
            if (by) acc[j] *= (REAL)by[0];
            if (by && other) acc[j] += (REAL)by[2] * other[i * stride + j];
            if (by && term) acc[j] += gain[j] * term[i * stride + j];
        }
        for (ptrdiff_t j = 0; j < width; j++) to[j] = acc[j];
    }
}

#define ARGUMENTS data, indices, indptr, first, last, begin, end, ahead, part, stride
#define WIDE(n) case n: NAME(spmm_wide)(n, ARGUMENTS, width, by, z, g, r, out + from); break;
#define NARROW(n) case n: NAME(spmm_narrow)(n, ARGUMENTS, by, z, g, r, out + from); break;

static void NAME(spmm)(
    const REAL *data, const INDEX *indices, const INDEX *indptr, ptrdiff_t first, ptrdiff_t last,
    ptrdiff_t begin, ptrdiff_t end, ptrdiff_t ahead, const REAL *block, ptrdiff_t stride, ptrdiff_t columns,
    const double *by, const REAL *other, const REAL *gain, const REAL *term, REAL *out)
{
    const ptrdiff_t vectors = (columns + LANES - 1) / LANES, passes = (vectors + MOST_VECTORS - 1) / MOST_VECTORS;
    for (ptrdiff_t p = 0; p < passes; p++) {
        const ptrdiff_t from = vectors * p / passes * LANES;
        const ptrdiff_t to = p + 1 < passes ? vectors * (p + 1) / passes * LANES : columns;
        const ptrdiff_t width = to - from; /* (where there are several parts, each has several vectors) */
        const REAL *part = block + from, *z = other ? other + from : other;
        const REAL *g = term ? gain + from : gain, *r = term ? term + from : term;
        if (width < LANES) {
            switch (width) {
            NARROW(1) NARROW(2) NARROW(3) NARROW(4) NARROW(5) NARROW(6) NARROW(7) NARROW(8)
            NARROW(9) NARROW(10) NARROW(11) NARROW(12) NARROW(13) NARROW(14) NARROW(15)
            }
        } else {
            switch ((width + LANES - 1) / LANES) {
            WIDE(1) WIDE(2) WIDE(3) WIDE(4) WIDE(5) WIDE(6) WIDE(7) WIDE(8)
#if MOST_VECTORS == 16
            WIDE(9) WIDE(10) WIDE(11) WIDE(12) WIDE(13) WIDE(14) WIDE(15) WIDE(16)
#endif
            }
        }
    }
}

#undef LANES
#undef INLINE
#undef ARGUMENTS
#undef WIDE
#undef NARROW
