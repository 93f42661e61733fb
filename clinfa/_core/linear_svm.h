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
