private import Glibc

/// What is to happen at which failpoints, as `WINNOW_FAILPOINTS` says it.
///
/// Entries `name=action@when`, separated by semicolons or blanks. The action is one of
/// - `kill`, `kill:50`: the process is killed at once, or 50 ms later, when what it just sent has left;
/// - `stop`: the process stops, as by SIGSTOP, until it gets SIGCONT;
/// - `sleep:250`: the thread waits 250 ms;
/// - `error:ENOSPC`: the call at this place fails.
///
/// `when` counts how often the place is reached, from 1: `3` is the third time, `3+` that and every later one, `5..8` four
/// times, `10%` at random. Without it, every time. `seed=7` makes the random times the same in each run.
public struct FailpointScript: Sendable, Hashable {
    /// The environment variable.
    public static let variable = "WINNOW_FAILPOINTS"

    /// What happens.
    public enum Action: Sendable, Hashable {
        /// The process is killed, after so many milliseconds.
        case kill(after: UInt32)
        /// The process stops until it is continued.
        case stop
        /// The thread waits so many milliseconds.
        case sleep(UInt32)
        /// The call fails with this error number.
        case error(Int32)
    }

    /// At which of the times that a place is reached.
    public enum Occasion: Sendable, Hashable {
        /// The visits in this range, counted from 1.
        case times(ClosedRange<Int>)
        /// Any, with so many per cent of probability.
        case percent(Double)
    }

    /// One entry.
    public struct Entry: Sendable, Hashable {
        /// What happens.
        public var action: Action
        /// At which of the visits to the failpoint the action happens.
        public var occasion: Occasion

        /// An entry.
        public init(action: Action, occasion: Occasion) {
            self.action = action
            self.occasion = occasion
        }
    }

    /// An entry that is not understood.
    public struct Misunderstood: Error, CustomStringConvertible {
        /// What is wrong and what to write instead.
        public let description: String
    }

    /// What happens where.
    public var entries: [String: Entry] = [:]
    /// Start of the random numbers.
    public var seed: UInt64 = 1

    private static let errors: [String: Int32] = [
        "ENOSPC": ENOSPC, "EIO": EIO, "EROFS": EROFS, "EACCES": EACCES, "ESTALE": ESTALE, "EMFILE": EMFILE,
        "ENOLCK": ENOLCK, "ENOSYS": ENOSYS,
    ]

    /// Reads a script.
    public init(_ text: String) throws(Misunderstood) {
        for entry in text.split(whereSeparator: { $0 == ";" || $0.isWhitespace }) {
            guard let equals = entry.firstIndex(of: "="), equals != entry.startIndex else {
                throw Misunderstood(description: "'\(entry)' is not NAME=ACTION")
            }
            let name = String(entry[..<equals]), rest = entry[entry.index(after: equals)...]
            if name == "seed" {
                guard let seed = UInt64(rest) else { throw Misunderstood(description: "'\(entry)' names no number") }
                self.seed = seed
                continue
            }
            let parts = rest.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
            let occasion = parts.count > 1 ? try Self.occasion(parts[1]) : .times(1...Int.max)
            entries[name] = Entry(action: try Self.action(parts[0]), occasion: occasion)
        }
    }

    private static func action(_ text: Substring) throws(Misunderstood) -> Action {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let value = parts.count > 1 ? parts[1] : nil
        switch (parts[0], value) {
        case ("kill", nil): return .kill(after: 0)
        case ("stop", nil): return .stop
        case ("kill", let value?): if let milliseconds = UInt32(value) { return .kill(after: milliseconds) }
        case ("sleep", let value?): if let milliseconds = UInt32(value) { return .sleep(milliseconds) }
        case ("error", let value?): if let number = errors[String(value)] { return .error(number) }
        default: break
        }
        let known = errors.keys.sorted().joined(separator: ", ")
        throw Misunderstood(
            description:
                "there is no action '\(text)': write kill, kill:MS, stop, sleep:MS or error: with one of \(known)")
    }

    private static func occasion(_ text: Substring) throws(Misunderstood) -> Occasion {
        if text.hasSuffix("%"), let percent = Double(text.dropLast()), (0...100).contains(percent) {
            return .percent(percent)
        }
        if text.hasSuffix("+"), let first = Int(text.dropLast()), first >= 1 { return .times(first...Int.max) }
        if let time = Int(text), time >= 1 { return .times(time...time) }
        let ends = text.split(separator: ".", omittingEmptySubsequences: true).map { Int($0) }
        if text.contains(".."), ends.count == 2, let first = ends[0], let last = ends[1], first >= 1, first <= last {
            return .times(first...last)
        }
        throw Misunderstood(description: "'@\(text)' is no occasion: write @3, @3+, @5..8 or @10%")
    }
}
