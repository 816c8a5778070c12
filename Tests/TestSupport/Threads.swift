import Foundation

/// Runs work that blocks on a thread of its own, for tests of what serves on tasks: where every thread of their pool
/// waited for an answer, none would be left to give it.
public func awayFromTasks<Output: Sendable>(
    _ body: @escaping @Sendable () throws -> Output
) async throws -> Output {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result(catching: body)) }
    }
}
