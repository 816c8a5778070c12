private import CHDF5
private import Dispatch

/// The HDF5 library of this process, which one caller at a time may use.
///
/// Files, groups and datasets live inside the closure given to ``run(_:)`` and are traps outside of it. Debian's
/// build of the library has a global lock of its own, other builds have none, and in both the error stack belongs to
/// the thread that failed: so a closure runs on its caller's thread from beginning to end, and closures never overlap.
/// A caller waits for its turn like for any lock; nothing here may be called from the cooperative pool if the data is
/// large.
public enum HDF5Library {
    /// Runs `body` while nobody else calls HDF5, and returns its result; a call inside of `body` joins it.
    public static func run<Value, Failure: Error>(
        _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        if isHeld { return try body() }
        let outcome = Turn.queue.sync { () -> Result<Value, Failure> in
            Turn.begin()
            do throws(Failure) { return .success(try body()) } catch { return .failure(error) }
        }
        return try outcome.get()
    }

    /// The version of the library that the program runs with, such as "1.10.8".
    public static var version: String {
        run {
            var major: UInt32 = 0
            var minor: UInt32 = 0
            var release: UInt32 = 0
            H5get_libversion(&major, &minor, &release)
            return "\(major).\(minor).\(release)"
        }
    }

    /// Whether the code runs inside of ``run(_:)``.
    static var isHeld: Bool { DispatchQueue.getSpecific(key: Turn.key) != nil }
}

private enum Turn {
    static let key = DispatchSpecificKey<Bool>()

    static let queue: DispatchQueue = {
        let queue = DispatchQueue(label: "hdf5")
        queue.setSpecific(key: key, value: true)
        return queue
    }()

    /// First of all calls: after a failed write the library's exit handler reads freed memory.
    /// Then what a file could use to reach beyond itself is switched off: filter plugins and external links.
    private static let started: Void = {
        H5dont_atexit()
        H5open()
        H5PLset_loading_state(0)
        H5Lunregister(H5L_TYPE_EXTERNAL)
    }()

    /// The library prints its error stack by default, and the switch belongs to the thread.
    static func begin() {
        started
        H5Eset_auto2(0, nil, nil)
    }
}
