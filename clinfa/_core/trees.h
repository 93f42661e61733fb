/* What Cython cannot say: constants of 64 bits, and one instruction. */
#ifndef CLINFA_TREES_H
#define CLINFA_TREES_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define NO_SCORE (-1e308)
#define SLACK 1e-12  /* what rounding may do to a gain, as a share of the impurity */
#define LN2 0.6931471805599453
#define clinfa_ctz(x) __builtin_ctzll(x)

/* The next state of a sequence of well mixed numbers (Steele, Lea and Flood, OOPSLA 2014). */
static inline uint64_t clinfa_mixed(uint64_t seed)
{
    seed += 0x9E3779B97F4A7C15u;
    seed = (seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9u;
    seed = (seed ^ (seed >> 27)) * 0x94D049BB133111EBu;
    return seed ^ (seed >> 31);
}

/* A number below `of`, from one of 64 bits. */
#define high_of_product(x, of) ((uint64_t)(((unsigned __int128)(x) * (of)) >> 64))

/* Seeds of what belongs to a node: of its sides, and of its columns. */
#define seed_of_side(seed, side) clinfa_mixed((seed) ^ ((side) ? 0x14057B7EF767814Fu : 0x5851F42D4C957F2Du))
#define seed_of_column(seed, f) clinfa_mixed((seed) ^ ((uint64_t)((f) + 1) * 0xD1342543DE82EF95u))

/* Integers in the order of numbers; both zeros are one, and NaN is after all. */
#define NO_KEY UINT64_MAX

static inline uint64_t key_of_double(double x)
{
    uint64_t bits;
    x += 0.0;
    memcpy(&bits, &x, 8);
    bits = bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
    return isnan(x) ? NO_KEY : bits;
}

static inline uint64_t key_of_float(float x)
{
    uint32_t bits;
    x += 0.0f;
    memcpy(&bits, &x, 4);
    bits = bits >> 31 ? ~bits : bits | (uint32_t)1 << 31;
    return isnan(x) ? NO_KEY : bits;
}

#endif
