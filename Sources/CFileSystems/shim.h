// statfs(2) for Swift, whose module of the C library leaves its header out.
#ifndef WINNOW_CFILESYSTEMS_SHIM_H
#define WINNOW_CFILESYSTEMS_SHIM_H

#include <stdint.h>
#include <sys/vfs.h>

// The number of the kind of file system that holds a path; 0 if the path cannot be looked at.
static inline uint32_t cfs_type_of(const char *path) {
    struct statfs information;
    return statfs(path, &information) == 0 ? (uint32_t)information.f_type : 0;
}

#endif
