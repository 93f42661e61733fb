/* Included twice by smo.h, for rows of the kernel matrix in float and in double. */

/* g -= step (K_i - K_j) over [begin, end), and the ends of what results. */
static inline smo_ends NAME(smo_move)(
    ptrdiff_t begin, ptrdiff_t end, double step,
    const REAL *restrict row_i, const REAL *restrict row_j,
    double *restrict g, const double *restrict up, const double *restrict down)
{
    smo_vec most = SMO_SPLAT(-INFINITY), least = SMO_SPLAT(INFINITY), where = {0}, place = {0};
    for (int l = 0; l < SMO_LANES; l++) place[l] = (double)(begin + l);
    for (ptrdiff_t k = begin; k < end; k += SMO_LANES) {
        smo_vec new = SMO_AT(g + k) - step * (NAME(smo_row)(row_i + k) - NAME(smo_row)(row_j + k));
        SMO_PUT(g + k, new);
        smo_vec a = new + SMO_AT(up + k), b = new + SMO_AT(down + k);
        smo_mask greater = SMO_ABOVE(a, most), less = SMO_ABOVE(least, b);
        most = SMO_PICK(greater, a, most);
        where = SMO_PICK(greater, place, where);
        least = SMO_PICK(less, b, least);
        place += SMO_LANES;
    }
    smo_ends out;
    int64_t ignored;
    out.most = smo_greatest(most, where, &out.grow);
    out.least = -smo_greatest(-least, where, &ignored);
    return out;
}

/* Who shrinks while i grows: the greatest (g_i - g_j)^2 / (K_ii + K_jj - 2 K_ij), compared without a division. */
static inline double NAME(smo_partner)(
    ptrdiff_t begin, ptrdiff_t end, double top, double own,
    const REAL *restrict row_i, const double *restrict diagonal,
    const double *restrict g, const double *restrict down, int64_t *partner)
{
    smo_vec above = {0}, below = SMO_SPLAT(1), where = {0}, place = {0};
    for (int l = 0; l < SMO_LANES; l++) place[l] = (double)(begin + l);
    for (ptrdiff_t k = begin; k < end; k += SMO_LANES) {
        smo_vec apart = top - (SMO_AT(g + k) + SMO_AT(down + k));
        smo_vec curve = own + SMO_AT(diagonal + k) - 2 * NAME(smo_row)(row_i + k);
        curve = SMO_PICK(SMO_ABOVE(curve, SMO_SPLAT(LEAST_CURVATURE)), curve, SMO_SPLAT(LEAST_CURVATURE));
        apart = SMO_PICK(SMO_ABOVE(apart, SMO_SPLAT(0)), apart, SMO_SPLAT(0));
        smo_vec square = apart * apart;
        smo_mask better = SMO_ABOVE(square * below, above * curve);
        above = SMO_PICK(better, square, above);
        below = SMO_PICK(better, curve, below);
        where = SMO_PICK(better, place, where);
        place += SMO_LANES;
    }
    return smo_greatest(above / below, where, partner);
}

/* Rows of the kernel: those of a matrix that is there (slot is NULL), or made when first asked for and kept as long as
 * there is room: some columns of other rows (`from`), or computed. */
typedef struct NAME(smo_rows) {
    REAL *K;                 /* (slots, stride), or (q, stride) */
    ptrdiff_t stride;        /* the variables in whole vectors */
    int32_t *slot;           /* (stride)  where a row is kept, -1 if nowhere */
    int64_t used, slots;
    const REAL *tiles;       /* the records in lanes: kernel_rows.pyx, pack_pass */
    const REAL *X;           /* (stride, d)  the records, less what was taken off those in lanes */
    ptrdiff_t d;
    int squared, function;
    double gamma, coef, degree;
    struct NAME(smo_rows) *from;
    const int64_t *at;       /* (stride)  which of those rows, and which of their columns, each is */
} NAME(smo_rows);

static void NAME(smo_compute)(const NAME(smo_rows) *rows, const REAL *restrict x, REAL *restrict out)
{
    enum { RUN_OF = 8 * TILE }; /* (what is made of the sums takes long for a few, and little longer for many) */
    REAL sums[RUN_OF];
    for (ptrdiff_t begin = 0; begin < rows->stride; begin += RUN_OF) {
        ptrdiff_t count = begin + RUN_OF < rows->stride ? RUN_OF : rows->stride - begin;
        for (ptrdiff_t at = 0; at < count; at += TILE) {
            const REAL *xt = rows->tiles + (begin + at) * rows->d;
            REAL *restrict own = sums + at;
            memset(own, 0, TILE * sizeof *own);
            if (rows->squared)
                for (ptrdiff_t f = 0; f < rows->d; f++)
                    for (ptrdiff_t l = 0; l < TILE; l++) {
                        REAL t = xt[f * TILE + l] - x[f];
                        own[l] += t * t;
                    }
            else
                for (ptrdiff_t f = 0; f < rows->d; f++)
                    for (ptrdiff_t l = 0; l < TILE; l++) own[l] += xt[f * TILE + l] * x[f];
        }
        ptrdiff_t tiles = (count + TILE - 1) / TILE * TILE;
        NAME(finish)(rows->function, (REAL)rows->gamma, (REAL)rows->coef, rows->degree, sums, tiles);
        memcpy(out + begin, sums, (size_t)count * sizeof *out);
    }
}

/* A row, or NULL where there is no room for another one. */
static const REAL *NAME(smo_row_of)(NAME(smo_rows) *rows, int64_t i)
{
    if (!rows->slot) return rows->K + i * rows->stride;
    if (rows->slot[i] < 0) {
        if (rows->used == rows->slots) return NULL;
        REAL *restrict to = rows->K + rows->used * rows->stride;
        if (rows->from) {
            const REAL *restrict row = NAME(smo_row_of)(rows->from, rows->at[i]);
            if (!row) return NULL;
            for (ptrdiff_t k = 0; k < rows->stride; k++) to[k] = row[rows->at[k]];
        } else {
            NAME(smo_compute)(rows, rows->X + i * rows->d, to);
        }
        rows->slot[i] = (int32_t)rows->used++;
    }
    return rows->K + (int64_t)rows->slot[i] * rows->stride;
}

/* Steps of two variables until the gap is at most `tolerance`, or `most` of them are done, or a row is missing, or
 * rounding swallows a step. Returns how many. */
static int64_t NAME(smo_run)(
    NAME(smo_rows) *rows,
    const ptrdiff_t *bounds, int groups, /* in   (groups + 1) whole vectors */
    double *g, double *up, double *down, double *b, const double *low, const double *high, /* inout (stride) */
    const double *diagonal,            /* in     (stride) */
    double tolerance, int64_t most,
    double *gap)                       /* out    what is left */
{
    smo_ends ends[2];
    int64_t done = 0;
    for (int p = 0; p < groups; p++) ends[p] = smo_find(bounds[p], bounds[p + 1], g, up, down);
    for (;;) {
        *gap = -INFINITY;
        for (int p = 0; p < groups; p++) {
            double own = ends[p].most - ends[p].least;
            if (!(own <= *gap)) *gap = own;
        }
        if (!(*gap > tolerance) || done >= most) return done;
        double best = -1;
        int64_t i = -1, j = -1;
        for (int p = 0; p < groups; p++) {
            int64_t grow = ends[p].grow, partner;
            if (!(ends[p].most > ends[p].least)) continue;
            const REAL *row = NAME(smo_row_of)(rows, grow);
            if (!row) return done;
            double gain = NAME(smo_partner)(
                bounds[p], bounds[p + 1], ends[p].most, diagonal[grow], row, diagonal, g, down, &partner);
            if (gain > best) {
                best = gain;
                i = grow;
                j = partner;
            }
        }
        if (i < 0) return done;
        const REAL *row_i = NAME(smo_row_of)(rows, i), *row_j = NAME(smo_row_of)(rows, j);
        if (!row_j) return done;
        double curve = diagonal[i] + diagonal[j] - 2 * (double)row_i[j];
        double step = (g[i] - g[j]) / (curve > LEAST_CURVATURE ? curve : LEAST_CURVATURE);
        double room_i = high[i] - b[i], room_j = b[j] - low[j], before_i = b[i], before_j = b[j];
        if (step >= room_i || step >= room_j) {
            step = room_i < room_j ? room_i : room_j;
            b[i] = step == room_i ? high[i] : b[i] + step;
            b[j] = step == room_j ? low[j] : b[j] - step;
        } else {
            b[i] += step;
            b[j] -= step;
        }
        if (b[i] == before_i && b[j] == before_j) return done;
        up[i] = b[i] < high[i] ? 0.0 : -INFINITY;
        up[j] = b[j] < high[j] ? 0.0 : -INFINITY;
        down[i] = b[i] > low[i] ? 0.0 : INFINITY;
        down[j] = b[j] > low[j] ? 0.0 : INFINITY;
        for (int p = 0; p < groups; p++)
            ends[p] = NAME(smo_move)(bounds[p], bounds[p + 1], step, row_i, row_j, g, up, down);
        done++;
    }
}

/* total += the sum over rows of coefficient * row, for columns [begin, end). */
static void NAME(smo_add_rows)(
    const REAL *rows, ptrdiff_t stride, const int64_t *which, const double *coefficients, ptrdiff_t count,
    ptrdiff_t begin, ptrdiff_t end, double *restrict total)
{
    enum { BLOCK = 512 };
    for (ptrdiff_t at = begin; at < end; at += BLOCK) {
        ptrdiff_t stop = at + BLOCK < end ? at + BLOCK : end, w = 0;
        for (; w + 4 <= count; w += 4) {
            const REAL *p = rows + which[w] * stride, *q = rows + which[w + 1] * stride;
            const REAL *r = rows + which[w + 2] * stride, *s = rows + which[w + 3] * stride;
            double a = coefficients[w], c = coefficients[w + 1], d = coefficients[w + 2], e = coefficients[w + 3];
            for (ptrdiff_t k = at; k < stop; k++)
                total[k] += (a * (double)p[k] + c * (double)q[k]) + (d * (double)r[k] + e * (double)s[k]);
        }
        for (; w < count; w++) {
            const REAL *p = rows + which[w] * stride;
            for (ptrdiff_t k = at; k < stop; k++) total[k] += coefficients[w] * (double)p[k];
        }
    }
}

/* The values of all records with themselves, of rows that are computed. */
static void NAME(smo_diagonal)(const NAME(smo_rows) *rows, double *diagonal)
{
    for (ptrdiff_t at = 0; at < rows->stride; at += TILE) {
        REAL sums[TILE];
        const REAL *xt = rows->tiles + at * rows->d;
        memset(sums, 0, sizeof sums);
        if (!rows->squared)
            for (ptrdiff_t f = 0; f < rows->d; f++)
                for (ptrdiff_t l = 0; l < TILE; l++) sums[l] += xt[f * TILE + l] * xt[f * TILE + l];
        NAME(finish)(rows->function, (REAL)rows->gamma, (REAL)rows->coef, rows->degree, sums, TILE);
        for (ptrdiff_t l = 0; l < TILE && at + l < rows->stride; l++) diagonal[at + l] = (double)sums[l];
    }
}

/* Where the steps of a whole problem begin. No row is made that no coefficient asks for. */
static void NAME(smo_begin)(
    NAME(smo_rows) *rows, const int64_t *records, ptrdiff_t m, ptrdiff_t split,
    const double *v, const double *low, const double *high, const double *b, const double *diagonal,
    int64_t *at,                       /* out    (stride)  the record of each place */
    double *restrict state)            /* out    (7, stride)  gradient, up, down, b, low, high, diagonal */
{
    ptrdiff_t shift = (split + SMO_LANES - 1) / SMO_LANES * SMO_LANES - split, width = rows->stride;
    for (ptrdiff_t k = 0; k < width; k++) {
        rows->slot[k] = -1;
        at[k] = records[0];
        for (int q = 0; q < 7; q++) state[q * width + k] = q == 1 ? -INFINITY : q == 2 ? INFINITY : 0;
    }
    for (ptrdiff_t i = 0; i < m; i++) {
        ptrdiff_t k = i < split ? i : i + shift;
        at[k] = records[i];
        state[k] = v[i];
        state[width + k] = b[i] < high[i] ? 0.0 : -INFINITY;
        state[2 * width + k] = b[i] > low[i] ? 0.0 : INFINITY;
        state[3 * width + k] = b[i];
        state[4 * width + k] = low[i];
        state[5 * width + k] = high[i];
        state[6 * width + k] = diagonal[records[i]];
    }
    for (ptrdiff_t i = 0; i < m; i++) {
        if (b[i] == 0) continue;
        const REAL *row = NAME(smo_row_of)(rows, i < split ? i : i + shift);
        for (ptrdiff_t k = 0; k < width; k++) state[k] -= b[i] * (double)row[k];
    }
}
