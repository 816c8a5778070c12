import Foundation
import Monitoring
import Synchronization

/// The states of a coordinator that the status page is meant to tell apart.
enum ShownState: String, CaseIterable {
    case empty, working, attention, failures

    /// What the coordinator says; times count back from now.
    var snapshot: ServiceSnapshot {
        var snapshot = ServiceSnapshot(
            software: "winnow 0.1.0", startedAt: Date().timeIntervalSince1970 - 2370,
            throughput: EndedJobs(interval: 10, intervals: 360, at: 0), seconds: 2370, counters: ServiceCounters())
        switch self {
        case .empty: return snapshot
        case .working:
            snapshot.batches = [
                batch("signs", "finished", ["succeeded": 1200]),
                batch("receipts", "running", ["succeeded": 4100, "running": 390, "waiting": 5510], left: 2930),
                batch("charts", "running", ["waiting": 800]),
            ]
            snapshot.batches[1].answered = 370
            snapshot.batches[2].isPaused = true
            // Both work on all that they can; one also holds answers that are not written yet.
            snapshot.workers = [
                worker("cpu-1", "busy", 380, finished: 2816), worker("cpu-2", "busy", 10, finished: 2484),
            ]
            (snapshot.workers[0].answered, snapshot.workers[0].ahead) = (370, 2)
            snapshot.workers[1].ahead = 2
        case .attention:
            snapshot.batches = [batch("receipts", "running", ["succeeded": 12, "waiting": 988])]
            snapshot.batches[0].trouble =
                "the file cannot be read; name the folder of a checkpoint: /models/llava-1.5-7b-int8/config.json"
            var resting = worker("cpu-1", "unable", 0, finished: 12)
            resting.note = "cannot run receipts; tries again in 4 min"
            snapshot.workers = [resting, worker("cpu-2", "lost", 0, finished: 0)]
        case .failures:
            snapshot.batches = [batch("receipts", "finished", ["succeeded": 9990, "failed": 10])]
            snapshot.workers = [worker("cpu-1", "idle", 0, finished: 10_000)]
            snapshot.failures = (0..<3).map { number in
                ServiceSnapshot.Failure(
                    at: Date().timeIntervalSince1970 - 600, batch: "receipts", item: "scan-\(number)",
                    reason: "TIFF pictures are not read; convert it to JPEG, PNG or WebP: /data/scans/\(number).png"
                )
            }
        }
        for minute in 0..<(self == .working ? 39 : 37) {
            let failed = self == .failures && minute == 30 ? 10 : 0
            snapshot.throughput.note(
                succeeded: self == .attention ? 0 : 90 + minute * 37 % 60, failed: failed,
                at: Double(60 * minute + 35))
        }
        return snapshot
    }

    private func batch(
        _ name: String, _ state: String, _ jobs: [String: UInt64], left: Double? = nil
    ) -> ServiceSnapshot.Batch {
        var batch = ServiceSnapshot.Batch(
            batch: name, state: state, method: "ficoco-v, 64 tokens", results: "/data/results/\(name)")
        (batch.jobs, batch.elapsedSeconds, batch.secondsLeft) = (jobs, 2250, left)
        batch.parameters = {
            """
            name: \(name)
            model: /models/llava-1.5-7b
            items: /data/\(name)/items.jsonl
            images: /data/\(name)
            results: /data/results/\(name)
            method:
              name: ficoco-v
              keep: 64
            weights: int8
            generation:
              max_tokens: 64
              temperature: 0
            """
        }
        batch.jobsPerSecond = left == nil ? 0 : 2.1
        return batch
    }

    private func worker(
        _ name: String, _ state: String, _ running: Int, finished: UInt64
    ) -> ServiceSnapshot.Worker {
        var worker = ServiceSnapshot.Worker(
            worker: name, state: state, running: running, capacity: 8, finished: finished,
            jobsPerSecond: running > 0 ? 1.05 : 0, silentSeconds: 1)
        (worker.host, worker.key) = ("\(name).example", "workers")
        return worker
    }
}

/// Says the same whenever the page asks, as a coordinator that answers at once.
final class AnsweringCoordinator: Sendable {
    private let current = Mutex<(board: StatusBoard, state: ShownState)?>(nil)

    func begin(_ board: StatusBoard, _ state: ShownState) {
        current.withLock { $0 = (board, state) }
        answer()
    }

    func answer() {
        if let (board, state) = current.withLock({ $0 }) { board.post(state.snapshot) }
    }
}
