import Foundation
import Glibc
import WireProtocol

/// Progress of one batch: a bar with rate and time left on a terminal, a plain line now and then elsewhere.
struct BatchProgress {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var pace = BatchPace()
    private var log = ProgressLog()
    private var lastTrouble = ""
    private var hasBar = false

    /// Shows the state of the batch; call it as often as convenient.
    mutating func show(_ status: WireBatchStatus, workers: Int) {
        tell(status.trouble)
        let line = pace.line(status, workers: workers)
        if isTerminal {
            writeError("\r\u{1B}[2K\(line.bar(width: (terminalWidth(of: STDERR_FILENO) ?? 80) - 1).shown)")
            hasBar = true
        } else if log.takes(line) {
            printError(line.plain)
        }
    }

    /// Says once why nothing can run, in lines of its own.
    private mutating func tell(_ trouble: String) {
        guard trouble != lastTrouble else { return }
        lastTrouble = trouble
        guard !trouble.isEmpty else { return }
        if isTerminal { writeError("\r\u{1B}[2K") }
        printError("waiting: \(trouble)")
    }

    /// Leaves the line of the bar, so that what is said next has one of its own.
    mutating func end() {
        if hasBar { printError("") }
        hasBar = false
    }
}

/// How fast a batch goes, by what was seen of it so far.
struct BatchPace {
    private let start = ContinuousClock.now
    /// Answers that there were at the first look.
    private var doneBefore: UInt64?
    /// The look at which the batch was over.
    private var end: ProgressLine?

    /// Less time says little about the rate.
    private static let leastSeconds = 10.0

    /// One look at the batch, `workers` of which there are.
    ///
    /// It counts answers: those in sealed shards and those that a worker has but has not written yet. The rate is that since the
    /// first look, or the coordinator's where nothing has come since a look that is young.
    mutating func line(_ status: WireBatchStatus, workers: Int) -> ProgressLine {
        if let end { return end }
        let done = min(status.succeeded + status.failed + status.answered, status.total)
        let before = doneBefore ?? done
        doneBefore = before
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let seen = seconds > 0 ? Double(done - min(done, before)) / seconds : 0
        let rate = seconds < Self.leastSeconds && done == before ? status.jobsPerSecond : seen
        let line = ProgressLine(status, done: done, rate: rate, workers: workers)
        if line.isEnd { end = line }
        return line
    }
}

/// Which looks at a batch are worth a line of a log: the first and the last, and between them one every few seconds if something
/// has moved, and one a minute if nothing has.
struct ProgressLog {
    private var last: (line: ProgressLine, at: ContinuousClock.Instant)?

    private static let pause = Duration.seconds(5)
    private static let pauseWithoutChange = Duration.seconds(60)

    /// Whether the line is to be written; it counts as written then.
    mutating func takes(_ line: ProgressLine, at now: ContinuousClock.Instant = .now) -> Bool {
        if let last {
            if line.isEnd, last.line.isEnd { return false }
            let pause = line.counts == last.line.counts ? Self.pauseWithoutChange : Self.pause
            guard line.isEnd || now - last.at >= pause else { return false }
        }
        last = (line, now)
        return true
    }
}

/// One look at a batch, in one line.
struct ProgressLine {
    private let share: Double
    /// What is said, the most important first.
    private let parts: [String]
    /// What moves when the batch does.
    let counts: [UInt64]
    /// Whether every job has ended.
    let isEnd: Bool

    /// A batch of which `done` jobs have an answer or have ended, `rate` in a second.
    init(_ status: WireBatchStatus, done: UInt64, rate: Double, workers: Int) {
        let handedOut = status.running - min(status.answered, status.running)
        share = status.total > 0 ? Double(done) / Double(status.total) : 1
        isEnd = status.succeeded + status.failed + status.cancelled == status.total
        counts = [done, status.failed, status.total, handedOut, UInt64(workers), status.isPaused ? 1 : 0]
        let speed = rate > 0 ? [String(format: "%.1f jobs/s", rate)] : []
        // What is over needs no time, and nobody knows how long a pause lasts.
        let pace: [String]
        if isEnd {
            pace = [status.cancelled > 0 ? "\(status.cancelled) cancelled" : "finished"] + speed
        } else if status.isPaused {
            pace = ["paused"]
        } else if rate > 0 {
            pace = ["\(Self.clock(Double(status.total - done) / rate)) left"] + speed
        } else {
            pace = done > 0 ? [] : [status.trouble.isEmpty ? "starting" : "waiting"]
        }
        parts =
            ["\(done)/\(status.total)"] + (status.failed > 0 ? ["\(status.failed) failed"] : []) + pace
            + (isEnd ? [] : ["\(handedOut) handed out", counted(workers, "worker")])
    }

    /// The line without a bar, for logs.
    var plain: String { parts.joined(separator: ", ") }

    /// For a terminal: a bar and as many of the parts as `width` characters hold.
    func bar(width: Int) -> String {
        var shown = parts
        func length(_ parts: [String]) -> Int { parts.reduce(2 * (parts.count - 1)) { $0 + $1.count } }
        while shown.count > 1, length(shown) + Self.leastBar + 1 > width { shown.removeLast() }
        let cells = min(Self.widestBar, width - length(shown) - 1)
        guard cells >= Self.leastBar else { return shortened(shown.joined(separator: "  "), to: width) }
        let filled = Int(share * Double(cells))
        return String(repeating: "█", count: filled) + String(repeating: "░", count: cells - filled) + " "
            + shown.joined(separator: "  ")
    }

    private static let widestBar = 28
    private static let leastBar = 8

    private static func clock(_ seconds: Double) -> String {
        let whole = Int(min(seconds, 8_640_000).rounded(.up))
        return whole < 3600
            ? String(format: "%d:%02d", whole / 60, whole % 60)
            : String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
    }
}
