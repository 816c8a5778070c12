import FileLocks
import Foundation

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
    private let lock: FileLock?

    /// - Parameters:
    ///   - name: the name that was asked for.
    ///   - spool: the folder that was asked for.
    ///   - state: where folders of workers are made otherwise.
    init(name: String?, spool: String?, state: URL) throws {
        let wanted = spool.map { URL(fileURLWithPath: $0) }
        if let name {
            (self.name, self.spool) = (name, wanted ?? state.appendingPathComponent(name))
            lock = nil
            return
        }
        let host = ProcessInfo.processInfo.hostName
        for number in 1...4096 {
            let folder = state.appendingPathComponent("\(host)-\(number)")
            guard let lock = try Self.lock(folder) else { continue }
            (self.name, self.spool) = ("\(host)-\(number)", wanted ?? folder)
            self.lock = consume lock
            return
        }
        throw CommandFailure("4096 workers of this machine use \(state.path); give this one a --name")
    }

    /// Holds a folder, which is made if needed; nil where another process does.
    private static func lock(_ folder: URL) throws -> FileLock? {
        let path = folder.appendingPathComponent("lock").path
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        do {
            return try FileLock(.file(path), waits: false)
        } catch {
            switch error {
            case .cannotOpen(let reason):
                throw CommandFailure(
                    "\(path) cannot be opened: \(reason). Check permissions, or give --name and --spool.")
            case .refused: return nil
            }
        }
    }
}
