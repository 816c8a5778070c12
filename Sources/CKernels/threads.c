#include "threads.h"

#include "CKernels.h"

#include <stdatomic.h>

// The entry points of libgomp's compiler interface.
extern void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags);
extern int omp_get_max_threads(void);
extern void omp_set_num_threads(int threads);

int ck_threads(void) { return omp_get_max_threads(); }

void ck_use_threads(int threads) {
    static _Thread_local int current;
    if (current == threads) return;
    omp_set_num_threads(threads);
    current = threads;
}

typedef struct {
    void (*body)(const void *task, int64_t piece);
    const void *task;
    int64_t pieces;
    _Atomic int64_t next;
} region;

static void work(void *data) {
    region *r = data;
    for (;;) {
        const int64_t piece = atomic_fetch_add_explicit(&r->next, 1, memory_order_relaxed);
        if (piece >= r->pieces) return;
        r->body(r->task, piece);
    }
}

void ck_each(void (*body)(const void *task, int64_t piece), const void *task, int64_t pieces, int64_t operations) {
    if (pieces < 2 || operations < 16384 || omp_get_max_threads() == 1) {
        for (int64_t piece = 0; piece < pieces; piece++) body(task, piece);
        return;
    }
    region r = {body, task, pieces, 0};
    // Always the whole team: libgomp ends the threads that a smaller one leaves over, and starts them again afterwards.
    GOMP_parallel(work, &r, 0, 0);
}
