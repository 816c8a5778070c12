import Foundation
private import Glibc

/// Holds an evaluation's folder for this process: journals that two write at once would be lost.
///
/// The kernel frees it when the value goes away or the process ends, however it ends.
public final class FolderClaim: Sendable {
    private let descriptor: Int32

    /// Locks `file`, which is made if needed; `folder` is for the error.
    init(_ file: URL, in folder: URL) throws(EvaluationError) {
        let descriptor = open(file.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            let reason = String(cString: strerror(errno))
            throw EvaluationError(.badData, "\(file.path) cannot be written: \(reason)")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw EvaluationError(
                .inUse,
                "another 'winnow eval run' works in \(folder.path) ('fuser \(file.path)' tells which process): wait for it "
                    + "or stop it, or choose another folder with --out; --report-only looks on without disturbing it")
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }
}
