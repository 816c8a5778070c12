internal import WireProtocol

/// What a message may say besides being well formed: numbers that the job store can hold, names of a sane size.
///
/// Whatever comes over the wire is checked here once, so that nothing behind has to wonder.
extension WireFromWorker {
    func checkPlausibility() throws(WireError) {
        switch kind {
        case .hello(let hello):
            try Plausible.names([hello.worker, hello.session, hello.software])
            try Plausible.leases(hello.held)
        case .heartbeat(let heartbeat): try Plausible.leases(heartbeat.held)
        case .report(let report):
            try Plausible.names([report.batch])
            try Plausible.check(report.shard.utf8.count <= 4_096 && report.sha256.count <= 64, "its shard")
            try Plausible.numbers([report.bytes])
            for row in report.rows {
                try Plausible.numbers([row.lease.job, row.lease.epoch, row.lease.progress])
                try Plausible.check(row.summary.seconds.isFinite, "the seconds of a row")
            }
        case .returned(let returned): try Plausible.leases(returned.leases)
        default: break
        }
    }
}

extension WireFromClient {
    func checkPlausibility() throws(WireError) {
        switch kind {
        case .hello(let hello): try Plausible.names([hello.worker, hello.session, hello.software])
        case .openBatch(let request): try Plausible.names([request.name])
        case .addItems(let request): try Plausible.names([request.batch])
        case .closeBatch(let request): try Plausible.names([request.batch])
        case .status(let request): try Plausible.names([request.batch])
        case .cancel(let request): try Plausible.names([request.batch, request.reason])
        case .items(let request):
            try Plausible.names([request.batch])
            try Plausible.numbers([request.after])
        default: break
        }
    }
}

private enum Plausible {
    /// Most bytes of a name.
    static let nameBytes = 1_024

    static func leases(_ leases: [WireLease]) throws(WireError) {
        for lease in leases { try numbers([lease.job, lease.epoch, lease.progress]) }
    }

    /// SQLite's integers have 63 bits for what counts upwards.
    static func numbers(_ numbers: [UInt64]) throws(WireError) {
        for number in numbers { try check(number <= UInt64(Int64.max), "the number \(number)") }
    }

    static func names(_ names: [String]) throws(WireError) {
        for name in names {
            try check(name.utf8.count <= nameBytes && !name.utf8.contains(0), "a name of \(name.utf8.count) bytes")
        }
    }

    static func check(_ condition: Bool, _ what: String) throws(WireError) {
        guard !condition else { return }
        throw WireError(.implausible, "a message is well formed, but \(what) is not plausible; nothing of it counts")
    }
}
