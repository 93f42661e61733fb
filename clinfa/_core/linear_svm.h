/* Sums over rows for linear support vector machines: eight doubles at a time, whatever the records are stored in. */
#ifndef CLINFA_LINEAR_SVM_H
#define CLINFA_LINEAR_SVM_H

#include <stddef.h>
#include <stdint.h>

typedef double eight __attribute__((vector_size(64), aligned(8)));
typedef float eight_narrow __attribute__((vector_size(32), aligned(4)));
typedef int64_t eight_bits __attribute__((vector_size(64), aligned(8)));

#define LOAD8(p) (*(const eight *)(p))
#define WIDEN8(p) __builtin_convertvector(*(const eight_narrow *)(p), eight)

/* x'w, two sums of eight side by side: the order does not depend on where the row lies. */
#define INNER(NAME, REAL, READ)                                                                   \
    static inline double NAME(const REAL *restrict x, const double *restrict w, ptrdiff_t d)     \
    {                                                                                             \
        eight a = {0}, b = {0};                                                                   \
        ptrdiff_t f = 0;                                                                          \
        for (; f + 16 <= d; f += 16) {                                                            \
            a += READ(x + f) * LOAD8(w + f);                                                      \
            b += READ(x + f + 8) * LOAD8(w + f + 8);                                              \
        }                                                                                         \
        for (; f + 8 <= d; f += 8) a += READ(x + f) * LOAD8(w + f);                               \
        a += b;                                                                                   \
        double sum = ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7]));           \
        for (; f < d; f++) sum += (double)x[f] * w[f];                                            \
        return sum;                                                                               \
    }
INNER(inner_f64, double, LOAD8)
INNER(inner_f32, float, WIDEN8)

/* The same for a sparse row, whose columns are `at`. Meanwhile the row that comes after the next is asked for, a few
 * lines at a time: all of it at once would keep what is read now waiting. */
#if defined(__AVX512F__)
#include <immintrin.h>
#define PICK8_i32(w, at) ((eight)_mm512_i32gather_pd(_mm256_loadu_si256((const __m256i *)(at)), w, 8))
#define PICK8_i64(w, at) ((eight)_mm512_i64gather_pd(_mm512_loadu_si512(at), w, 8))
#else
#define PICK8_i32(w, at) \
    ((eight){w[(at)[0]], w[(at)[1]], w[(at)[2]], w[(at)[3]], w[(at)[4]], w[(at)[5]], w[(at)[6]], w[(at)[7]]})
#define PICK8_i64 PICK8_i32
#endif
#define ASK(p, bytes) for (size_t o = 0; o < (bytes); o += 64) __builtin_prefetch((const char *)(p) + o)

#define PICKED(NAME, REAL, READ, INDEX, PICK)                                                     \
    static inline double NAME(                                                                    \
        const REAL *restrict x, const INDEX *restrict at, ptrdiff_t n, const double *restrict w,  \
        const REAL *x_later, const INDEX *at_later, ptrdiff_t n_later)                            \
    {                                                                                             \
        eight a = {0}, b = {0};                                                                   \
        ptrdiff_t p = 0, asked = 0;                                                               \
        for (; p + 16 <= n; p += 16) {                                                            \
            if (asked < n_later) {                                                                \
                ASK(x_later + asked, 16 * sizeof(REAL));                                          \
                ASK(at_later + asked, 16 * sizeof(INDEX));                                        \
                asked += 16;                                                                      \
            }                                                                                     \
            a += READ(x + p) * PICK(w, (at + p));                                                 \
            b += READ(x + p + 8) * PICK(w, (at + p + 8));                                         \
        }                                                                                         \
        for (; asked < n_later; asked += 16) {                                                    \
            ASK(x_later + asked, 16 * sizeof(REAL));                                              \
            ASK(at_later + asked, 16 * sizeof(INDEX));                                            \
        }                                                                                         \
        for (; p + 8 <= n; p += 8) a += READ(x + p) * PICK(w, (at + p));                          \
        double rest = 0;                                                                          \
        for (; p < n; p++) rest += (double)x[p] * w[at[p]];                                       \
        a += b;                                                                                   \
        return ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7])) + rest;          \
    }
PICKED(picked_f64_i32, double, LOAD8, int32_t, PICK8_i32)
PICKED(picked_f64_i64, double, LOAD8, int64_t, PICK8_i64)
PICKED(picked_f32_i32, float, WIDEN8, int32_t, PICK8_i32)
PICKED(picked_f32_i64, float, WIDEN8, int64_t, PICK8_i64)

/* One step of coordinate descent for eight classes of one row (linear_dual.pyx).
 *
 * In the lanes: value, what the eight models say of the row; own, -1 in the bits of the lane of the row's class;
 * alpha; what one unit of weight costs on either side; the greatest violation of the sweep before; and in `live`
 * which lanes are still worked on. `square` is the row's squared length, `squared` whether the loss is.
 * Returns how far alpha y moves; `violation` is how far the row is from its optimum; `idle` the lanes in which it
 * lies at a bound and will stay there.
 */
static inline eight dual_step(
    eight value, eight_bits own, eight *alpha, eight inside, eight outside, double weight, double square, int squared,
    eight reach, eight_bits live, eight *violation, eight_bits *idle)
{
#define PICK(m, p, q) ((eight)(((eight_bits)(p) & (m)) | ((eight_bits)(q) & ~(m))))
    const eight zero = {0};
    eight y = PICK(own, zero + 1, zero - 1), cost = weight * PICK(own, inside, outside);
    eight a = *alpha, pull = squared ? 0.5 / cost : zero, cap = squared ? zero + 1.0 / 0.0 : cost;
    eight slope = y * value - 1 + pull * a;
    eight_bits none = a <= zero, full = a >= cap;
    eight size = PICK(slope < zero, -slope, slope);
    eight_bits still = (none & (slope >= zero)) | (full & (slope <= zero)) | ~live;
    *violation = PICK(still, zero, size);
    *idle = (none & (slope > reach)) | (full & (slope < -reach)) | ~live;
    eight next = a - slope / (square + pull);
    next = PICK(next > zero, next, zero);
    next = PICK(next < cap, next, cap);
    next = PICK(still, a, next);
    *alpha = next;
    return y * (next - a);
#undef PICK
}

#endif
