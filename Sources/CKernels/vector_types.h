// Vectors of 16 numbers. They only travel between functions that are inlined into their caller, so no calling convention
// is at stake.
#ifndef VECTOR_TYPES_H
#define VECTOR_TYPES_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#pragma clang diagnostic ignored "-Wpsabi"
#define INLINE static inline __attribute__((always_inline, unused))

#define LANES 16
typedef float vf __attribute__((vector_size(64), aligned(4)));
typedef uint32_t vu __attribute__((vector_size(64), aligned(4)));
typedef uint16_t vh __attribute__((vector_size(32), aligned(2)));

#endif
