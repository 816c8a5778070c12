import Foundation
import MachineLimits
import WireProtocol

/// One batch as `status` prints it.
struct BatchReport: Encodable {
    let batch: String
    let state: String
    let total, waiting, running, answered, succeeded, failed, cancelled: UInt64
    let elapsedSeconds: Double
    let results: String
    let priority: Int32
    let labels: [String: String]
    let isPaused: Bool
    let delayed: UInt64
    let medianSeconds: Double
    /// Jobs that end in a second, by the coordinator's account of the last ten minutes; 0 where none did.
    let jobsPerSecond: Double
    let trouble, reason: String

    init(_ status: WireBatchStatus) {
        batch = status.batch
        state = status.state
        total = status.total
        waiting = status.waiting
        running = status.running
        answered = status.answered
        succeeded = status.succeeded
        failed = status.failed
        cancelled = status.cancelled
        elapsedSeconds = status.elapsedSeconds
        results = status.results
        priority = status.priority
        labels = status.labels
        isPaused = status.isPaused
        delayed = status.delayed
        medianSeconds = status.medianSeconds
        jobsPerSecond = status.jobsPerSecond
        trouble = status.trouble
        reason = status.reason
    }

    /// The state, or that it is held back.
    private var shownState: String { isPaused && state == "running" ? "paused" : state }

    /// Its name and state.
    var title: String { "\(batch), \(shownState)" }

    /// What a table has no room for, a line for each batch that has something to say.
    static func notes(_ reports: [BatchReport]) -> [String] {
        reports.flatMap { report in
            [
                report.trouble.isEmpty ? nil : "\(report.batch): no worker can run it: \(report.trouble)",
                report.reason.isEmpty ? nil : "\(report.batch): cancelled: \(report.reason)",
                report.delayed == 0
                    ? nil
                    : "\(report.batch): \(counted(report.delayed, "job pauses", "jobs pause")) before another attempt",
            ].compactMap(\.self)
        }
    }

    static func table(_ reports: [BatchReport]) -> String {
        guard !reports.isEmpty else { return "no batch yet: 'winnow submit' hands one in" }
        var table = TextTable(
            [
                "batch", "state", "total", "waiting", "handed out", "to write", "succeeded", "failed", "cancelled",
                "seconds",
                "results",
            ],
            rightAligned: [2, 3, 4, 5, 6, 7, 8, 9])
        for report in reports {
            table.add(
                [report.batch, report.shownState]
                    + [
                        report.total, report.waiting, report.running - min(report.answered, report.running),
                        report.answered,
                        report.succeeded, report.failed, report.cancelled,
                    ].map { "\($0)" } + ["\(Int(report.elapsedSeconds))", report.results])
        }
        return table.text()
    }
}

/// One worker as `status` prints it.
struct WorkerReport: Encodable {
    let worker: String
    let state: String
    /// Jobs it holds; of these, answers that wait to be written, and jobs that wait until another one ends; jobs it works on at
    /// once.
    let running, answered, ahead, capacity: UInt32
    let finished: UInt64
    let secondsSinceHeard: Double
    let note, host, key: String
    /// Threads that the worker computes with; 0 if it does not say.
    let threads: UInt32
    /// Memory that it may use, in bytes; 0 if it does not say.
    let memoryBytes: UInt64

    init(_ status: WireWorkerStatus) {
        worker = status.worker
        state = status.state
        running = status.running
        answered = status.answered
        ahead = status.ahead
        capacity = status.capacity
        finished = status.finished
        secondsSinceHeard = status.secondsSinceHeard
        note = status.note
        host = status.host
        key = status.key
        threads = status.threads
        memoryBytes = status.memoryBytes
    }

    /// Jobs it works on now.
    private var inWork: UInt32 { UInt32(clamping: Int64(running) - Int64(answered) - Int64(ahead)) }

    static func table(_ reports: [WorkerReport]) -> String {
        guard !reports.isEmpty else { return "no worker is connected: 'winnow worker' starts one" }
        // Without keys nobody has one.
        let hasKeys = reports.contains { !$0.key.isEmpty }
        var table = TextTable(
            ["worker", "host"] + (hasKeys ? ["key"] : [])
                + [
                    "threads", "memory", "state", "in work", "capacity", "ahead", "to write", "finished", "heard",
                    "note",
                ],
            rightAligned: Set([2, 3, 5, 6, 7, 8, 9, 10].map { hasKeys ? $0 + 1 : $0 }))
        for report in reports {
            table.add(
                [report.worker, report.host] + (hasKeys ? [report.key] : [])
                    + [
                        report.threads == 0 ? "" : "\(report.threads)",
                        report.memoryBytes == 0 ? "" : ByteCount(bytes: Int(clamping: report.memoryBytes)).description,
                        report.state, "\(report.inWork)", "\(report.capacity)", "\(report.ahead)", "\(report.answered)",
                        "\(report.finished)",
                        "\(Int(report.secondsSinceHeard)) s ago", report.note,
                    ])
        }
        return table.text()
    }
}

/// One item as `status --items` prints it.
struct ItemReport: Encodable {
    let item: String
    let state: String
    let answer: String
    let visualTokens: UInt32
    let seconds: Double
    let attempts: UInt32
    let shard: String
    let row: UInt32
    let error: String

    init(_ status: WireItemStatus) {
        item = status.item
        state = status.state
        answer = status.summary.answer
        visualTokens = status.summary.visualTokens
        seconds = status.summary.seconds
        attempts = status.attempts
        shard = status.shard
        row = status.row
        error = status.error
    }

    static func table(_ reports: [ItemReport]) -> String {
        var table = TextTable(["item", "state", "attempts", "answer"], rightAligned: [2])
        for report in reports {
            table.add([
                report.item, report.state, "\(report.attempts)", report.error.isEmpty ? report.answer : report.error,
            ])
        }
        return table.text()
    }
}

/// Slow attempts as `status --stragglers` prints them.
struct StragglersReport: Encodable {
    struct Straggler: Encodable {
        let item, worker: String
        let attempt: UInt64
        let seconds: Double
        let hasSecondRun: Bool
    }

    let medianSeconds: Double
    let stragglers: [Straggler]

    init(_ answer: WireStragglersAnswer) {
        medianSeconds = answer.medianSeconds
        stragglers = answer.stragglers.map {
            Straggler(
                item: $0.item, worker: $0.worker, attempt: $0.epoch, seconds: $0.seconds,
                hasSecondRun: $0.hasSecondRun_p)
        }
    }

    func table() -> String {
        guard medianSeconds > 0 else { return "too few jobs have ended to tell which are slow" }
        var table = TextTable(["slow item", "worker", "attempt", "seconds", "second run"], rightAligned: [2, 3])
        for slow in stragglers {
            table.add([
                slow.item, slow.worker, "\(slow.attempt)", String(format: "%.1f", slow.seconds),
                slow.hasSecondRun ? "yes" : "",
            ])
        }
        return String(format: "median %.2f s\n", medianSeconds) + table.text()
    }
}

/// What became of a job as `explain` prints it.
struct ExplanationReport: Encodable {
    struct Attempt: Encodable {
        let attempt: UInt64
        let worker, errorClass, reason: String
        let endedAt: Double
    }

    let item, state, explanation: String
    let attempts, losses, failures: UInt64
    let ended: [Attempt]

    init(_ item: String, _ answer: WireExplainAnswer) {
        self.item = item
        state = answer.state
        explanation = answer.explanation
        attempts = answer.epoch
        losses = answer.losses
        failures = answer.failures
        ended = answer.attempts.map {
            Attempt(
                attempt: $0.epoch, worker: $0.worker, errorClass: $0.errorClass, reason: $0.reason, endedAt: $0.endedAt)
        }
    }

    var text: String {
        // A state that is a participle of what has happened reads as such.
        let verb =
            ["succeeded", "failed"].contains(state) ? state : state == "cancelled" ? "was cancelled" : "is \(state)"
        let why = explanation.hasPrefix("it waits ") ? String(explanation.dropFirst(9)) : explanation
        let head = "\(item) \(verb)" + (why.isEmpty ? "" : ": \(why)")
        let counts =
            "number of the last attempt: \(attempts); workers lost: \(losses); failures that were tried again: \(failures)"
        let lines = ended.map { end in
            "  attempt \(end.attempt) on \(end.worker.isEmpty ? "an unknown worker" : end.worker): \(end.reason)"
        }
        return ([head, counts] + lines).joined(separator: "\n")
    }
}
