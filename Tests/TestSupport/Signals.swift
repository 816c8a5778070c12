private import Glibc

/// Runs `body` with no signal blocked, for programs that it starts: those inherit the mask of the calling thread, threads of the
/// test library block most signals, and a shell that is started so waits for its children for ever.
public func withoutBlockedSignals<Result>(_ body: () throws -> Result) rethrows -> Result {
    var none = sigset_t(), former = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &former)
    defer { pthread_sigmask(SIG_SETMASK, &former, nil) }
    return try body()
}
