internal import Foundation

/// The messages for one thread: any thread posts, the owner takes all of them at once.
///
/// Its length is bounded by the jobs a worker holds, since every letter is about one of them.
final class Inbox<Letter: Sendable>: @unchecked Sendable {
    // Unchecked: `letters` is touched only with the lock held.
    private let condition = NSCondition()
    private var letters: [Letter] = []

    func post(_ letter: Letter) {
        condition.withLock {
            letters.append(letter)
            condition.signal()
        }
    }

    /// All letters; may be none.
    func take() -> [Letter] { condition.withLock { removeAll() } }

    /// Waits until there is a letter, at most until the deadline, and takes all.
    func wait(until deadline: ContinuousClock.Instant? = nil) -> [Letter] {
        condition.withLock {
            while letters.isEmpty {
                guard let deadline else {
                    condition.wait()
                    continue
                }
                let left = deadline - .now
                guard left > .zero, condition.wait(until: Date(timeIntervalSinceNow: left / .seconds(1))) else { break }
            }
            return removeAll()
        }
    }

    private func removeAll() -> [Letter] {
        defer { letters.removeAll(keepingCapacity: true) }
        return letters
    }
}
