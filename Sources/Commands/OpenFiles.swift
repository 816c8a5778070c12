import Glibc

/// The limit of open files of this process; every connection of a coordinator is one.
enum OpenFiles {
    /// Raises the limit as far as the system lets a program raise it by itself.
    static func raiseLimit() throws {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        guard limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw CommandFailure("the limit of open files cannot be raised: \(String(cString: strerror(errno)))")
        }
    }
}
