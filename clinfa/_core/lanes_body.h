/* Included twice by lanes.h, once for float and once for double. */

#define AT(p) (*(const VECTOR *)(p))
#define GREATER(a, b) ((VECTOR)(((BITS)(a) & ((a) > (b))) | ((BITS)(b) & ~((a) > (b)))))
#define SIZE(v) GREATER(v, -(v))

/* Which of `a` are at most `reach`, as bits. */
static inline uint32_t NAME(lanes_within)(VECTOR a, REAL reach)
{
#if VBYTES == 64 && defined(LANES_ARE_DOUBLE)
    return _mm512_cmp_pd_mask((__m512d)a, _mm512_set1_pd(reach), _CMP_LE_OQ);
#elif VBYTES == 64
    return _mm256_cmp_ps_mask((__m256)a, _mm256_set1_ps(reach), _CMP_LE_OQ);
#else
    uint32_t bits = 0;
    for (int l = 0; l < FAN; l++) bits |= (uint32_t)(a[l] <= reach) << l;
    return bits;
#endif
}

/* The distances of a query to all points of a leaf; returns which are at most `reach`, as bits. */
static inline uint32_t NAME(lanes_points)(
    const REAL *restrict q,      /* in   (d) */
    const REAL *restrict points, /* in   (d, LEAF) */
    ptrdiff_t d, int metric, double p, REAL reach,
    REAL *restrict out)          /* out  (LEAF) */
{
    VECTOR a = {0}, b = {0};
    switch (metric) {
    case EUCLIDEAN:
    {
        /* Two sums for each, that the next product need not wait for the last one. */
        VECTOR a2 = {0}, b2 = {0};
        ptrdiff_t f = 0;
#if EXACT_LANES && defined(LANES_ARE_DOUBLE)
        for (; f < d - 1; f++) {
            VECTOR s = AT(points + f * LEAF) - q[f], t = AT(points + f * LEAF + FAN) - q[f];
            a += s * s;
            b += t * t;
        }
#endif
        for (; f + 2 <= d; f += 2) {
            const REAL *x = points + f * LEAF;
            VECTOR s = AT(x) - q[f], t = AT(x + FAN) - q[f];
            VECTOR s2 = AT(x + LEAF) - q[f + 1], t2 = AT(x + LEAF + FAN) - q[f + 1];
            a += s * s;
            b += t * t;
            a2 += s2 * s2;
            b2 += t2 * t2;
        }
        if (f < d) {
            VECTOR s = AT(points + f * LEAF) - q[f], t = AT(points + f * LEAF + FAN) - q[f];
            a += s * s;
            b += t * t;
        }
        a += a2;
        b += b2;
        break;
    }
    case MANHATTAN:
        for (ptrdiff_t f = 0; f < d; f++) {
            VECTOR s = AT(points + f * LEAF) - q[f], t = AT(points + f * LEAF + FAN) - q[f];
            a += SIZE(s);
            b += SIZE(t);
        }
        break;
    case CHEBYSHEV:
        for (ptrdiff_t f = 0; f < d; f++) {
            VECTOR s = AT(points + f * LEAF) - q[f], t = AT(points + f * LEAF + FAN) - q[f];
            s = SIZE(s);
            t = SIZE(t);
            a = GREATER(s, a);
            b = GREATER(t, b);
        }
        break;
    default:
        for (ptrdiff_t f = 0; f < d; f++)
            for (ptrdiff_t l = 0; l < FAN; l++) {
                a[l] += (REAL)pow(fabs((double)points[f * LEAF + l] - q[f]), p);
                b[l] += (REAL)pow(fabs((double)points[f * LEAF + FAN + l] - q[f]), p);
            }
    }
    *(VECTOR *)out = a;
    *(VECTOR *)(out + FAN) = b;
    return NAME(lanes_within)(a, reach) | NAME(lanes_within)(b, reach) << FAN;
}

/* The same for the nearest points of the boxes of a node's children. */
static inline uint32_t NAME(lanes_boxes)(
    const REAL *restrict q,      /* in   (d) */
    const REAL *restrict boxes,  /* in   (d, 2, FAN) */
    ptrdiff_t d, int metric, double p, REAL reach,
    REAL *restrict out)          /* out  (FAN)  distance to the nearest point of each box */
{
    VECTOR a = {0}, zero = {0};
    for (ptrdiff_t f = 0; f < d; f++) {
        VECTOR below = AT(boxes + f * 2 * FAN) - q[f], above = q[f] - AT(boxes + f * 2 * FAN + FAN);
        VECTOR s = GREATER(below, above);
        s = GREATER(s, zero);
        if (metric == EUCLIDEAN) a += s * s;
        else if (metric == MANHATTAN) a += s;
        else if (metric == CHEBYSHEV) a = GREATER(s, a);
        else for (ptrdiff_t l = 0; l < FAN; l++) a[l] += (REAL)pow((double)s[l], p);
    }
    *(VECTOR *)out = a;
    return NAME(lanes_within)(a, reach);
}

#undef AT
#undef SIZE
#undef GREATER
