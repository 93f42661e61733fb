/* What clustering by density needs beside lanes.h: neighbourhoods decided to the last bit, boxes against boxes,
 * and sets that many threads unite at once. Double precision only.
 */
#ifndef CLINFA_DENSITY_H
#define CLINFA_DENSITY_H

#include "lanes.h"

#define AT(p) (*(const lanes_f64 *)(p))
#define GREATER(a, b) ((lanes_f64)(((bits_f64)(a) & ((a) > (b))) | ((bits_f64)(b) & ~((a) > (b)))))

/* Term by term and rounded after each, as a plain loop in double does it: what the processor fuses or sums in
 * another order differs in the last bits, and points at exactly eps must not depend on that. */
static double plain_distance(const double *q, const double *point, ptrdiff_t d, int metric, double p)
{
    double total = 0;
    for (ptrdiff_t f = 0; f < d; f++) {
        double t = fabs(point[f * LEAF] - q[f]);
        switch (metric) {
        case EUCLIDEAN: total += lanes_rounded(t * t); break;
        case MANHATTAN: total += t; break;
        case CHEBYSHEV: total = t > total ? t : total; break;
        default: total += pow(t, p);
        }
    }
    return total;
}

/* Which points of a leaf lie within reach[1] of a query, as bits; reach[0] and reach[2] are a little below and above it,
 * further than rounding goes. */
static inline uint32_t leaf_within(
    const double *restrict q, const double *restrict points, ptrdiff_t d, int metric, double p,
    const double *restrict reach)
{
    double out[LEAF];
    uint32_t bits = lanes_points_f64(q, points, d, metric, p, reach[2], out);
    if (!bits) return 0;
    uint32_t doubt = bits & ~(lanes_within_f64(AT(out), reach[0]) | lanes_within_f64(AT(out + FAN), reach[0]) << FAN);
    for (; doubt; doubt &= doubt - 1) {
        int l = __builtin_ctz(doubt);
        if (!(plain_distance(q, points + l, d, metric, p) <= reach[1])) bits &= ~(1u << l);
    }
    return bits;
}

/* Least and greatest distance between the points of a box and those of the boxes of a node's children. */
static inline void boxes_apart(
    const double *restrict low, const double *restrict high, /* in   (d) */
    const double *restrict boxes,                            /* in   (d, 2, FAN) */
    ptrdiff_t d, int metric, double p,
    double *restrict near, double *restrict far)             /* out  (FAN) */
{
    lanes_f64 a = {0}, b = {0}, zero = {0};
    for (ptrdiff_t f = 0; f < d; f++) {
        lanes_f64 least = AT(boxes + f * 2 * FAN), most = AT(boxes + f * 2 * FAN + FAN);
        lanes_f64 s = GREATER(least - high[f], low[f] - most), t = GREATER(most - low[f], high[f] - least);
        s = GREATER(s, zero);
        if (metric == EUCLIDEAN) { a += s * s; b += t * t; }
        else if (metric == MANHATTAN) { a += s; b += t; }
        else if (metric == CHEBYSHEV) { a = GREATER(s, a); b = GREATER(t, b); }
        else for (ptrdiff_t l = 0; l < FAN; l++) { a[l] += pow(s[l], p); b[l] += pow(t[l], p); }
    }
    *(lanes_f64 *)near = a;
    *(lanes_f64 *)far = b;
}

/* The least member of a set, on the way to which every step is made shorter. */
static inline int32_t root_of(int32_t *parent, int32_t i)
{
    for (;;) {
        int32_t up = __atomic_load_n(parent + i, __ATOMIC_RELAXED);
        if (up == i) return i;
        int32_t over = __atomic_load_n(parent + up, __ATOMIC_RELAXED);
        if (over != up)
            __atomic_compare_exchange_n(parent + i, &up, over, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
        i = over;
    }
}

/* One set of two. Parents are never greater than their children, so that whoever comes first, the root of a
 * set in the end is its least member. */
static inline void unite(int32_t *parent, int32_t a, int32_t b)
{
    for (;;) {
        a = root_of(parent, a);
        b = root_of(parent, b);
        if (a == b) return;
        if (a < b) { int32_t c = a; a = b; b = c; }
        int32_t own = a;
        if (__atomic_compare_exchange_n(parent + a, &own, b, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return;
    }
}

#define count_bits(bits) __builtin_popcount(bits)

/* A flag that says that sets were united: who sees it sees them united. */
#define flag_set(flag) __atomic_store_n((flag), 1, __ATOMIC_RELEASE)
#define flag_seen(flag) __atomic_load_n((flag), __ATOMIC_ACQUIRE)

#undef AT
#undef GREATER
#endif
