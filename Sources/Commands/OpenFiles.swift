import Glibc

/// The limit of open files of this process; every connection of a coordinator is one.
enum OpenFiles {
    /// Raises the limit and throws if even then fewer files may be open than a service needs.
    static func raiseLimit(needing count: Int) throws {
        try raiseLimit()
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < count else {
            return
        }
        throw CommandFailure(
            "only \(limit.rlim_cur) files may be open at a time, and at least \(count) are needed; raise the limit "
                + "(ulimit -n)")
    }

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
