import Foundation
import Glibc
import WireProtocol

/// Progress of one batch: a bar with rate and time left on a terminal, a plain line now and then elsewhere.
struct BatchProgress {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let start = ContinuousClock.now
    private var lastPlain: ContinuousClock.Instant?
    private var lastDone: UInt64 = 0
    /// Jobs that had ended before this began to watch.
    private var doneBefore: UInt64?

    /// Shows the state of the batch; call it as often as convenient.
    mutating func show(_ status: WireBatchStatus, workers: Int) {
        let done = status.succeeded + status.failed + status.cancelled
        if doneBefore == nil { doneBefore = done }
        let line = description(status, done: done, workers: workers)
        if isTerminal {
            writeError("\r\u{1B}[2K\(line.shown)")
            return
        }
        let isEnd = done == status.total
        if let lastPlain, !isEnd || done == lastDone, ContinuousClock.now - lastPlain < .seconds(5) { return }
        lastPlain = .now
        lastDone = done
        printError(line)
    }

    /// Leaves the line of the bar.
    func end() { if isTerminal { printError("") } }

    private func description(_ status: WireBatchStatus, done: UInt64, workers: Int) -> String {
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let rate = seconds > 0 ? Double(done - min(done, doneBefore ?? 0)) / seconds : 0
        let left = rate > 0 ? Double(status.total - done) / rate : .infinity
        let share = status.total > 0 ? Double(done) / Double(status.total) : 1
        let width = 28, filled = Int(share * Double(width))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        var parts = [
            "\(bar) \(done)/\(status.total)", String(format: "%.1f jobs/s", rate),
            left.isFinite ? "\(Self.clock(left)) left" : "waiting", "\(status.running) running", "\(workers) workers",
        ]
        if status.failed > 0 { parts.append("\(status.failed) failed") }
        if status.isPaused { parts.append("paused") }
        if !status.trouble.isEmpty { parts.append("waiting: \(status.trouble)") }
        return parts.joined(separator: "  ")
    }

    private static func clock(_ seconds: Double) -> String {
        let whole = Int(min(seconds, 8_640_000).rounded(.up))
        return whole < 3600
            ? String(format: "%d:%02d", whole / 60, whole % 60)
            : String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
    }
}
