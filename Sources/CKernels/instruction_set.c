#include "instruction_set.h"

#include <stdatomic.h>

static ck_set look(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512dq"))
        return __builtin_cpu_supports("avx512vnni") ? CK_AVX512_VNNI : CK_AVX512;
    // Every processor with AVX2 and FMA has F16C as well; the compiler's run-time check has no name for it.
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return CK_AVX2;
#endif
    return CK_PORTABLE;
}

ck_set ck_best_set(void) {
    static _Atomic int known = CK_BEST;
    int set = atomic_load_explicit(&known, memory_order_relaxed);
    if (set == CK_BEST) atomic_store_explicit(&known, set = look(), memory_order_relaxed);
    return (ck_set)set;
}

ck_set ck_chosen_set(ck_set asked) { return asked == CK_BEST ? ck_best_set() : asked; }

int ck_has_set(ck_set set) { return set <= ck_best_set(); }

const char *ck_set_name(ck_set set) {
    switch (ck_chosen_set(set)) {
    case CK_AVX512_VNNI: return "avx512-vnni";
    case CK_AVX512: return "avx512";
    case CK_AVX2: return "avx2";
    default: return "portable";
    }
}
