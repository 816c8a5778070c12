// Work shared between threads: the team that oneDNN runs on, so that there is only one pool in the process.
#ifndef THREADS_H
#define THREADS_H

#include <stdint.h>

// Calls body(task, i) for every i below `pieces`, each on one thread; whoever is free takes the next. Work of fewer
// than some thousand `operations` stays on the calling thread, since waking another costs more.
void ck_each(void (*body)(const void *task, int64_t piece), const void *task, int64_t pieces, int64_t operations);

// Threads that ck_each shares work between.
int ck_threads(void);

#endif
