internal import Foundation
internal import JobModel
internal import JobStore
internal import Monitoring
internal import Scheduling
internal import WireProtocol

extension Coordination {
    /// What the status page and the metrics show; made only while somebody looks.
    mutating func snapshot(startedAt: Date) -> ServiceSnapshot {
        let seconds = CoordinatorMetrics.seconds(now)
        let batches = scheduler.allBatches()
        let workers = scheduler.allWorkers(at: now)
        nameFailures()
        var counters = metrics.counters
        counters.malformed = UInt64(malformed.total)
        var snapshot = ServiceSnapshot(
            software: ProtocolVersion.software, startedAt: startedAt.timeIntervalSince1970, throughput: metrics.ended,
            seconds: seconds, counters: counters)
        snapshot.batches = batches.map { view in
            let record = records[view.id]
            var batch = ServiceSnapshot.Batch(
                batch: view.id.rawValue, state: view.state.description,
                method: record?.description.method.summary ?? "", results: record?.description.results ?? "")
            for state in JobState.allCases { batch.jobs[state.description] = view.counts[state] }
            batch.answered = view.answered
            if let description = record?.description { batch.parameters = { (try? description.yaml()) ?? "" } }
            batch.isPaused = view.isPaused && !view.state.isFinal
            batch.trouble = view.trouble ?? record?.hindrance ?? ""
            batch.elapsedSeconds = record?.elapsed(at: wallClock) ?? 0
            batch.jobsPerSecond = metrics.endedOfBatch[view.id]?.rate(at: seconds) ?? 0
            if batch.jobsPerSecond > 0, !view.state.isFinal {
                batch.secondsLeft = Double(view.counts.unfinished) / batch.jobsPerSecond
            }
            return batch
        }
        snapshot.workers = workers.map { view in
            var worker = ServiceSnapshot.Worker(
                worker: view.name.rawValue, state: view.state.rawValue, running: view.running, capacity: view.capacity,
                finished: view.finished, jobsPerSecond: metrics.endedOfWorker[view.name]?.rate(at: seconds) ?? 0,
                silentSeconds: view.silence / .seconds(1))
            worker.answered = view.answered
            worker.ahead = view.ahead
            worker.note = view.note
            worker.host = originOf[view.name]?.host ?? ""
            worker.key = originOf[view.name]?.keyName ?? ""
            return worker
        }
        snapshot.failures = metrics.failures.reversed().map {
            ServiceSnapshot.Failure(
                at: $0.at.timeIntervalSince1970, batch: $0.place?.batch.rawValue ?? "",
                item: $0.place?.item.rawValue ?? "job \($0.job)", reason: $0.reason)
        }
        snapshot.store = storeHealth.trouble.map { .failing($0) } ?? .healthy
        snapshot.storeBytes = ["", "-wal"].reduce(0) { sum, suffix in
            let path = configuration.store.path + suffix
            let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? UInt64
            return sum + (size ?? 0)
        }
        return snapshot
    }

    /// Looks up the items of failures that nobody has asked for before.
    private mutating func nameFailures() {
        for index in metrics.failures.indices where metrics.failures[index].place == nil {
            // A store that fails has nothing to say; the page shows the job's number.
            metrics.failures[index].place = try? store.place(of: metrics.failures[index].job)
        }
    }
}
