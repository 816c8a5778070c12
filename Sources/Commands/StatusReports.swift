import WireProtocol

/// One batch as `status` prints it.
struct BatchReport: Encodable {
    let batch: String
    let state: String
    let total, waiting, running, succeeded, failed, cancelled: UInt64
    let elapsedSeconds: Double
    let results: String

    init(_ status: WireBatchStatus) {
        batch = status.batch
        state = status.state
        total = status.total
        waiting = status.waiting
        running = status.running
        succeeded = status.succeeded
        failed = status.failed
        cancelled = status.cancelled
        elapsedSeconds = status.elapsedSeconds
        results = status.results
    }

    static func table(_ reports: [BatchReport]) -> String {
        var table = TextTable(
            [
                "batch", "state", "total", "waiting", "running", "succeeded", "failed", "cancelled", "seconds",
                "results",
            ],
            rightAligned: [2, 3, 4, 5, 6, 7, 8])
        for report in reports {
            table.add(
                [report.batch, report.state]
                    + [report.total, report.waiting, report.running, report.succeeded, report.failed, report.cancelled]
                    .map { "\($0)" } + ["\(Int(report.elapsedSeconds))", report.results])
        }
        return table.text()
    }
}

/// One worker as `status` prints it.
struct WorkerReport: Encodable {
    let worker: String
    let state: String
    let running, capacity: UInt32
    let finished: UInt64
    let secondsSinceHeard: Double

    init(_ status: WireWorkerStatus) {
        worker = status.worker
        state = status.state
        running = status.running
        capacity = status.capacity
        finished = status.finished
        secondsSinceHeard = status.secondsSinceHeard
    }

    static func table(_ reports: [WorkerReport]) -> String {
        var table = TextTable(
            ["worker", "state", "running", "capacity", "finished", "heard"], rightAligned: [2, 3, 4, 5])
        for report in reports {
            table.add([
                report.worker, report.state, "\(report.running)", "\(report.capacity)", "\(report.finished)",
                "\(Int(report.secondsSinceHeard)) s ago",
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
