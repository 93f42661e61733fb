/* Eight doubles at a time: which are at most others, and the greatest of them. */
#ifndef CLINFA_EIGHTS_H
#define CLINFA_EIGHTS_H

#include "tile.h"

static inline uint32_t eight_at_most(const double *a, const double *b)
{
#if VBYTES == 64
    return _mm512_cmp_pd_mask(_mm512_loadu_pd(a), _mm512_loadu_pd(b), _CMP_LE_OQ);
#else
    uint32_t bits = 0;
    for (int l = 0; l < 8; l++) bits |= (uint32_t)(a[l] <= b[l]) << l;
    return bits;
#endif
}

static inline double greater(double a, double b) { return a > b ? a : b; }

static inline double eight_greatest(const double *a)
{
    return greater(greater(greater(a[0], a[1]), greater(a[2], a[3])),
                   greater(greater(a[4], a[5]), greater(a[6], a[7])));
}

#endif
