import Allocation
import Foundation
import Logging
import Synchronization

/// What `winnow alloc serve` says: events on record and in its log, and complaints, each once.
///
/// Threads that serve different queues share it.
final class AllocationDiary: Sendable {
    private let folder: AllocationFolder
    private let logger: Logger
    private let goesOn: @Sendable () -> Bool
    /// What was complained about last, by whom.
    private let lastComplaints = Mutex<[String: String]>([:])
    /// Held while an event is written: the file is put aside when it is full, which only one may do.
    private let writing = Mutex(())

    /// - Parameter goesOn: Whether the process goes on. What is broken off at its end is nothing to complain about.
    init(_ folder: AllocationFolder, _ logger: Logger, goesOn: @escaping @Sendable () -> Bool) {
        self.folder = folder
        self.logger = logger
        self.goesOn = goesOn
    }

    /// Puts an event on record.
    func note(_ event: Event) {
        logger.info("\(event.allocation ?? event.queue): \(event.text)")
        do {
            try writing.withLock { _ in try folder.note(event) }
        } catch {
            complain("events", "\(error)")
        }
    }

    /// Says what is wrong once, until something else is; nothing is wrong if `words` is empty.
    ///
    /// - Returns: Whether it was said just now.
    @discardableResult
    func complain(_ who: String, _ words: String) -> Bool {
        guard goesOn() || words.isEmpty else { return false }
        let isNews = lastComplaints.withLock { last in
            defer { last[who] = words.isEmpty ? nil : words }
            return last[who, default: ""] != words
        }
        guard isNews else { return false }
        if words.isEmpty { logger.info("\(who): works again") } else { logger.warning("\(who): \(words)") }
        return true
    }

    /// Forgets what somebody complained about who is no more.
    func drop(_ who: String) { lastComplaints.withLock { $0[who] = nil } }

    /// Does something, and says what is wrong if it fails.
    func attempt(_ what: String, _ body: () throws -> Void) {
        do {
            try body()
            complain(what, "")
        } catch {
            complain(what, "\(error)")
        }
    }
}
