import Foundation

/// Standard input as a thread to the parent: the parent holds the other end of the pipe, so it ends when the parent does,
/// however that ended.
enum StandardInput {
    /// Calls back on a thread of its own when standard input ends.
    static func whenItEnds(_ action: @escaping @Sendable () -> Void) {
        Thread.detachNewThread {
            while let bytes = try? FileHandle.standardInput.read(upToCount: 512), !bytes.isEmpty {}
            action()
        }
    }
}
