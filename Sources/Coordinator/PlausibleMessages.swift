internal import JobModel
internal import WireProtocol

/// What a message may say besides being well formed: numbers that the job store can hold, names of a sane size.
///
/// Whatever comes over the wire is checked here once, so that later code can rely on it.
extension WireFromWorker {
    func checkPlausibility() throws(WireError) {
        switch kind {
        case .hello(let hello):
            try Plausible.names([hello.worker, hello.session, hello.software, hello.host])
            try Plausible.leases(hello.held)
            try Plausible.check((0...1e9).contains(hello.secondsLeft), "the seconds that a worker has left")
            try Plausible.numbers([hello.memoryBytes])
        case .heartbeat(let heartbeat): try Plausible.leases(heartbeat.held)
        case .report(let report):
            try Plausible.names([report.batch])
            try Plausible.check(
                report.shard.utf8.count <= 4_096 && report.results.utf8.count <= 4_096 && report.sha256.count <= 64,
                "its shard")
            try Plausible.numbers([report.bytes])
            for row in report.rows {
                try Plausible.numbers([row.lease.job, row.lease.epoch, row.lease.progress])
                try Plausible.check((0...1e9).contains(row.summary.seconds), "the seconds of a row")
            }
        case .returned(let returned): try Plausible.leases(returned.leases)
        case .failed(let failed): try Plausible.leases(failed.attempts.map(\.lease))
        case .credit, .goodbye, nil: break
        }
    }
}

extension WireFromClient {
    func checkPlausibility() throws(WireError) {
        switch kind {
        case .hello(let hello): try Plausible.names([hello.worker, hello.session, hello.software])
        case .openBatch(let request): try Plausible.names([request.name, request.modelFingerprint])
        case .addItems(let request): try Plausible.names([request.batch])
        case .closeBatch(let request): try Plausible.names([request.batch])
        case .status(let request): try Plausible.names([request.batch, request.afterWorker])
        case .cancel(let request):
            try Plausible.names([request.batch])
            try Plausible.check(!request.reason.utf8.contains(0), "a reason with a zero byte")
        case .items(let request):
            try Plausible.names([request.batch] + request.states + request.labels.flatMap { [$0.key, $0.value] })
            try Plausible.numbers([request.after])
        case .pause(let request): try Plausible.names([request.batch])
        case .retry(let request): try Plausible.names([request.batch] + request.items)
        case .drain(let request): try Plausible.names([request.worker])
        case .wake(let request): try Plausible.names([request.worker])
        case .forget(let request): try Plausible.names([request.batch])
        case .explain(let request): try Plausible.names([request.batch, request.item])
        case .stragglers(let request): try Plausible.names([request.batch])
        case .allocations(let report):
            try Plausible.names(report.queues.flatMap { [$0.name, $0.workers] })
            for queue in report.queues {
                try Plausible.check((0...1e9).contains(queue.takesJobsSeconds), "the time in which workers take jobs")
            }
        case .shutdown, nil: break
        }
    }
}

private enum Plausible {
    /// Most bytes of a name: as many as an item's id may have, so that every item can be asked about.
    static let nameBytes = ItemID.maximumBytes

    static func leases(_ leases: [WireLease]) throws(WireError) {
        for lease in leases { try numbers([lease.job, lease.epoch, lease.progress]) }
    }

    /// SQLite's integers have 63 bits for what counts upwards.
    static func numbers(_ numbers: [UInt64]) throws(WireError) {
        for number in numbers { try check(number <= UInt64(Int64.max), "the number \(number)") }
    }

    static func names(_ names: [String]) throws(WireError) {
        for name in names {
            try check(!name.utf8.contains(0), "a name with a zero byte")
            try check(
                name.utf8.count <= nameBytes, "a name of \(name.utf8.count) bytes, where \(nameBytes) are possible,")
        }
    }

    static func check(_ condition: Bool, _ what: String) throws(WireError) {
        guard !condition else { return }
        throw WireError(.implausible, "a message is well formed, but \(what) is not plausible; the message is ignored")
    }
}
