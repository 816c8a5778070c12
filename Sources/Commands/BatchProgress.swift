import Foundation
import Glibc
import WireProtocol

/// Progress of one batch: a bar with rate and time left on a terminal, a plain line now and then elsewhere.
///
/// It counts answers: those in sealed shards and those that a worker has but has not written yet.
struct BatchProgress {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let start = ContinuousClock.now
    private var lastPlain: ContinuousClock.Instant?
    private var saysEnd = false
    private var lastTrouble = ""
    /// Answers that there were before this began to watch.
    private var doneBefore: UInt64?

    /// Shows the state of the batch; call it as often as convenient.
    mutating func show(_ status: WireBatchStatus, workers: Int) {
        let ended = status.succeeded + status.failed + status.cancelled
        let done = min(ended + status.answered, status.total)
        if doneBefore == nil { doneBefore = done }
        let line = ProgressLine(
            status, done: done, workers: workers, doneBefore: doneBefore ?? 0,
            seconds: (ContinuousClock.now - start) / .seconds(1))
        tell(status.trouble)
        if isTerminal {
            writeError("\r\u{1B}[2K\(line.bar(width: (terminalWidth(of: STDERR_FILENO) ?? 80) - 1).shown)")
            return
        }
        let isEnd = ended == status.total
        guard !saysEnd else { return }
        if let lastPlain, !isEnd, ContinuousClock.now - lastPlain < .seconds(5) { return }
        saysEnd = isEnd
        lastPlain = .now
        printError(line.plain)
    }

    /// Says once why nothing can run, in lines of its own.
    private mutating func tell(_ trouble: String) {
        guard trouble != lastTrouble else { return }
        lastTrouble = trouble
        guard !trouble.isEmpty else { return }
        if isTerminal { writeError("\r\u{1B}[2K") }
        printError("waiting: \(trouble)")
    }

    /// Leaves the line of the bar.
    func end() { if isTerminal { printError("") } }
}

/// One look at a batch, in one line.
struct ProgressLine {
    private let share: Double
    /// What is said, the most important first.
    private let parts: [String]

    /// A batch of which `done` jobs have an answer or have ended, `doneBefore` of them `seconds` ago.
    init(_ status: WireBatchStatus, done: UInt64, workers: Int, doneBefore: UInt64, seconds: Double) {
        let rate = seconds > 0 ? Double(done - min(done, doneBefore)) / seconds : 0
        let left = rate > 0 ? Double(status.total - done) / rate : .infinity
        let inWork = status.running - min(status.answered, status.running)
        share = status.total > 0 ? Double(done) / Double(status.total) : 1
        let isStuck = !status.trouble.isEmpty
        parts =
            ["\(done)/\(status.total)"] + (status.failed > 0 ? ["\(status.failed) failed"] : [])
            + (status.isPaused ? ["paused"] : [])
            + [
                left.isFinite ? "\(Self.clock(left)) left" : isStuck ? "waiting" : "starting",
                String(format: "%.1f jobs/s", rate), "\(inWork) in work",
                counted(workers, "worker"),
            ]
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
