import Foundation
import Glibc

/// A worker's name and the folder of its unanswered reports.
///
/// A worker without a name gets the host's with the first number that no other process has: after a restart it is the same
/// one, and finds the reports that the former process left.
final class WorkerPlace {
    /// The worker's name.
    let name: String
    /// Where its reports wait.
    let spool: URL
    /// Held as long as this lives, by the kernel's doing however the process ends; nil for a name that was asked for.
    private let lock: Int32?

    /// - Parameters:
    ///   - name: the name that was asked for.
    ///   - spool: the folder that was asked for.
    ///   - state: where folders of workers are made otherwise.
    init(name: String?, spool: String?, state: URL) throws {
        let wanted = spool.map { URL(fileURLWithPath: $0) }
        if let name {
            (self.name, self.spool, lock) = (name, wanted ?? state.appendingPathComponent(name), nil)
            return
        }
        let host = ProcessInfo.processInfo.hostName
        for number in 1...4096 {
            let folder = state.appendingPathComponent("\(host)-\(number)")
            guard let lock = try Self.lock(folder) else { continue }
            (self.name, self.spool, self.lock) = ("\(host)-\(number)", wanted ?? folder, lock)
            return
        }
        throw CommandFailure("4096 workers of this machine use \(state.path); give this one a --name")
    }

    deinit { if let lock { close(lock) } }

    /// Holds a folder, which is made if needed; nil where another process does.
    private static func lock(_ folder: URL) throws -> Int32? {
        let path = folder.appendingPathComponent("lock").path
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            let reason = String(cString: strerror(errno))
            throw CommandFailure("\(path) cannot be opened: \(reason). Check permissions, or give --name and --spool.")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }
}
