import FileLocks
import Foundation

/// A worker's name and the folder of its unanswered reports.
///
/// A worker without a name gets a folder named after the host, with the first number that no other process has, and its
/// name lies in it: after a restart it is the same one, and finds the reports that the former process left. A few random
/// letters tell it from workers of another machine of the same name.
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
            self.name = try Self.name(in: folder, or: "\(host)-\(number)")
            self.spool = wanted ?? folder
            self.lock = consume lock
            return
        }
        throw CommandFailure("4096 workers of this machine use \(state.path); give this one a --name")
    }

    /// The name that a folder stores, or a new one if it stores none.
    private static func name(in folder: URL, or stem: String) throws -> String {
        let file = folder.appendingPathComponent("name")
        if let kept = try? String(contentsOf: file, encoding: .utf8), kept.hasPrefix(stem + "-") { return kept }
        let name = stem + "-" + RandomLetters.five()
        do {
            try Data(name.utf8).write(to: file, options: .atomic)
        } catch {
            throw CommandFailure(
                "\(file.path) cannot be written: \(error). Check the disk, or give --name and --spool.")
        }
        return name
    }

    /// Holds a folder, which is made if needed; nil if another process does.
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
            case .noLocks(let reason):
                throw CommandFailure(
                    "the file system of \(path) has no locks (\(reason)), so workers cannot tell their folders apart; give "
                        + "each its own --name and --spool.")
            case .refused: return nil
            }
        }
    }
}
