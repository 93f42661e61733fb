/* Included twice by lanes.h, once for float and once for double. */

#define AT(p) (*(const VECTOR *)(p))
#define GREATER(a, b) ((VECTOR)(((BITS)(a) & ((a) > (b))) | ((BITS)(b) & ~((a) > (b)))))
#define SIZE(v) GREATER(v, -(v))

static inline void NAME(lanes_points)(
    const REAL *restrict q,      /* in   (d) */
    const REAL *restrict points, /* in   (d, LEAF) */
    ptrdiff_t d, int metric, double p,
    REAL *restrict out)          /* out  (LEAF) */
{
    VECTOR a = {0}, b = {0};
    switch (metric) {
    case EUCLIDEAN:
        for (ptrdiff_t f = 0; f < d; f++) {
            VECTOR s = AT(points + f * LEAF) - q[f], t = AT(points + f * LEAF + FAN) - q[f];
            a += s * s;
            b += t * t;
        }
        break;
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
}

static inline void NAME(lanes_boxes)(
    const REAL *restrict q,      /* in   (d) */
    const REAL *restrict boxes,  /* in   (d, 2, FAN) */
    ptrdiff_t d, int metric, double p,
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
}

#undef AT
#undef SIZE
#undef GREATER
