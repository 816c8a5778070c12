private import FileLocks
import Foundation

/// Holds an evaluation's folder for this process: journals that two write at once would be lost.
///
/// The kernel frees it when the value goes away or the process ends, however it ends.
public final class FolderClaim: Sendable {
    private let lock: FileLock

    /// Locks `file`, which is made if needed; `folder` is for the error.
    init(_ file: URL, in folder: URL) throws(EvaluationError) {
        do {
            lock = try FileLock(.file(file.path), waits: false)
        } catch {
            switch error {
            case .cannotOpen(let reason):
                throw EvaluationError(.badData, "\(file.path) cannot be written: \(reason)")
            case .noLocks(let reason):
                throw EvaluationError(
                    .badData,
                    "the file system of \(file.path) has no locks (\(reason)): choose a folder on a disk of this machine "
                        + "with --out")
            case .refused:
                throw EvaluationError(
                    .inUse,
                    "another 'winnow eval run' works in \(folder.path) ('fuser \(file.path)' tells which process): wait "
                        + "for it or stop it, or choose another folder with --out; --report-only reports without "
                        + "disturbing it")
            }
        }
    }
}
