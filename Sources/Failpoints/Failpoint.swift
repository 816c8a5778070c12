private import Glibc

/// Named places in the program where tests can make it die, stop, wait or meet an error.
///
/// They are compiled in always and do nothing unless `WINNOW_FAILPOINTS` names them when the process starts:
///
///     WINNOW_FAILPOINTS="store.commit=kill@3; shard.write=error:ENOSPC@5..8; shard.published=kill@10%"
///
/// See ``FailpointScript`` for what it may say. `Tests/SystemTests/README.md` lists the places.
public enum Failpoint {
    /// What goes wrong at a place and is for the caller to carry out.
    public enum Fault: Sendable, Hashable {
        /// The next call fails with this error number.
        case error(Int32)
    }

    /// nil if the variable is not set, and then a place costs one comparison.
    private static let active: ActiveScript? = {
        guard let text = getenv(FailpointScript.variable) else { return nil }
        do {
            return ActiveScript(try FailpointScript(String(cString: text)))
        } catch {
            let complaint = "winnow: \(FailpointScript.variable): \(error)\n"
            _ = write(STDERR_FILENO, complaint, complaint.utf8.count)
            exit(2)
        }
    }()

    /// A place where the process may die, stop or wait; returns what else is to go wrong.
    @discardableResult
    public static func reach(_ name: StaticString) -> Fault? {
        guard let active else { return nil }
        return active.reach("\(name)")
    }

    /// Whether the system call at this place is to fail; `errno` is then set as the call would have set it.
    public static func fails(_ name: StaticString) -> Bool {
        guard case .error(let number)? = reach(name) else { return false }
        errno = number
        return true
    }
}
