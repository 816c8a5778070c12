// Which of the copies of each loop runs. Every loop is written once and compiled once per set.
#ifndef INSTRUCTION_SET_H
#define INSTRUCTION_SET_H

#include "CKernels.h"

// The widest set that this processor has.
ck_set ck_best_set(void);

// The set that a task asks for, or the widest one if it leaves the choice (CK_BEST).
ck_set ck_chosen_set(ck_set asked);

#if defined(__x86_64__)
#define PICK(set, f) \
    ((set) == CK_AVX512_VNNI ? f##_avx512_vnni : (set) == CK_AVX512 ? f##_avx512 : (set) == CK_AVX2 ? f##_avx2 : f##_portable)
#else
#define PICK(set, f) f##_portable
#endif

#endif
