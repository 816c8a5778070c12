internal import JobModel
internal import JobStore
internal import Logging
internal import ResultFiles
internal import Scheduling
internal import WireProtocol

/// A shard that has its name in `shards/`, and whose rows are committed with the open group.
struct PublishedShard: Hashable {
    var results: String
    var name: ShardName
}

extension Coordination {
    /// What is to be done with a report before its rows are committed.
    enum Judgement {
        /// Its rows are taken, as far as they count.
        case take
        /// Some of its rows count and some came too late: no shard may hold both, so it must be written anew.
        case mixed(late: [JobID])
        /// The coordinator does not find the shard: none of its rows counts, and their jobs wait again.
        case unconfirmed(String)
        /// Whether the shard is there cannot be told just now: the worker reports again.
        case later(String)
    }

    /// Judges a report; where its rows are to be taken, its shard is in `shards/` from now on.
    mutating func judge(
        _ rows: [ReportedRow], of shard: ShardName, bytes: UInt64, in batch: BatchID, by worker: WorkerName
    ) throws -> Judgement {
        guard configuration.confirmsShards, let record = records[batch] else { return .take }
        var late: [JobID] = []
        var areNew = false
        for row in rows {
            switch scheduler.verdict(on: row.lease, of: batch, by: worker) {
            case .counts: areNew = true
            case .late: late.append(row.lease.job)
            case .ended:
                guard try !store.isResult(of: row.lease.job, shard: shard.path, row: row.row, batch: batch)
                else { continue }
                late.append(row.lease.job)
            }
        }
        // Without a new row it is a report that was answered before, or one that came too late as a whole.
        guard areNew else { return .take }
        guard late.isEmpty else { return .mixed(late: late) }
        let results = record.description.results
        if record.hindrance != nil, let reason = try settleShards(of: batch) { return .later(reason) }
        do throws(PublishedShards.Failure) {
            try PublishedShards.publish(
                shard, bytes: bytes, in: results, token: record.description.resultsToken)
        } catch {
            switch error {
            case .absent: return .unconfirmed(error.reason)
            case .unavailable: return .later(error.reason)
            }
        }
        published.append(PublishedShard(results: results, name: shard))
        if record.hindrance != nil { records[batch]?.hindrance = nil }
        return .take
    }

    /// Says that results cannot be taken just now; the batch's status shows it until they can.
    mutating func noteHindrance(_ reason: String, of batch: BatchID) {
        guard records[batch]?.hindrance != reason else { return }
        records[batch]?.hindrance = reason
        logger.error("results cannot be taken", metadata: [LogKey.batch: "\(batch)", LogKey.reason: "\(reason)"])
    }

    /// The changes are durable, and with them the rows of what was published.
    mutating func settlePublished() {
        for shard in published { PublishedShards.settle(shard.name, in: shard.results) }
        published = []
    }

    /// The changes were not made, so the shards published with them are withdrawn.
    mutating func withdrawPublished() {
        for shard in published { PublishedShards.withdraw(shard.name, in: shard.results) }
        published = []
    }

    /// Settles what a coordinator left that ended between publishing a shard and committing its rows.
    ///
    /// - Returns: Why nobody knows just now what is left there; nil if nothing is any more.
    mutating func settleShards(of batch: BatchID) throws -> String? {
        guard configuration.confirmsShards, let description = records[batch]?.description else { return nil }
        let results = description.results
        if let token = description.resultsToken, let reason = ResultsToken.mismatch(token, in: results) {
            return reason
        }
        let unsettled: [ShardName]
        do {
            unsettled = try PublishedShards.unsettled(in: results)
        } catch {
            return error.reason
        }
        for shard in unsettled where !published.contains(PublishedShard(results: results, name: shard)) {
            if try store.holds(shard: shard.path, of: batch) {
                PublishedShards.settle(shard, in: results)
            } else {
                PublishedShards.withdraw(shard, in: results)
            }
        }
        return nil
    }
}
