// libzmq 4.3.4 or later. No pkg-config: the header is in the default path, and Debian's libzmq.pc drags in flags that SwiftPM
// refuses with a warning on every build.
#ifndef WINNOW_CZEROMQ_SHIM_H
#define WINNOW_CZEROMQ_SHIM_H

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

// errno is a macro that Swift reads through Glibc; zmq_errno() is the same value and needs no second import.

// The header keeps this option of contexts back, which the library has had since 4.3.
static inline int winnow_copy_received(void *context) { return zmq_ctx_set(context, 10 /* ZMQ_ZERO_COPY_RECV */, 0); }

// Adds one to an event counter. 0, or -1 with errno set.
static inline int winnow_eventfd_signal(int fd) { return eventfd_write(fd, 1); }

// Sets an event counter back to zero; a counter that is zero already is fine.
static inline void winnow_eventfd_clear(int fd) {
    eventfd_t count;
    (void)eventfd_read(fd, &count);
}

// EFD_* are an enum whose members Swift imports with differing types.
static inline int winnow_eventfd_open(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

#endif
