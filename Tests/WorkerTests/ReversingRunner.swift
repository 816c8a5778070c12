import Foundation
import JobModel
import Synchronization
import Worker

/// A failure with a text.
struct Broken: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// Opens once; jobs that say "hold" end only then.
final class Gate: Sendable {
    private let opened = Atomic(false)
    var isOpen: Bool { opened.load(ordering: .acquiring) }
    func open() { opened.store(true, ordering: .releasing) }
}

/// A small runner with continuous batching: it answers with the prompt backwards, one letter a step.
final class ReversingRunner: JobRunner {
    let capacity: Int
    private let gate: Gate
    private var running: [(job: LeasedJob, answer: String)] = []
    private var waiting: [LeasedJob] = []

    init(capacity: Int, gate: Gate) {
        self.capacity = capacity
        self.gate = gate
    }

    func admit(_ job: LeasedJob) { waiting.append(job) }

    func cancel(_ lease: Lease) {
        running.removeAll { $0.job.lease == lease }
        waiting.removeAll { $0.lease == lease }
    }

    func step(_ progress: RunnerProgress) throws -> [FinishedJob] {
        while running.count < capacity, !waiting.isEmpty {
            let job = waiting.removeFirst()
            progress.begin(job.lease)
            running.append((job, ""))
        }
        var finished: [FinishedJob] = []
        var moved = false
        running = try running.compactMap { job, answer in
            let prompt = job.item.prompt
            if prompt == "break" { throw Broken("asked to break") }
            if prompt == "fail" {
                finished.append(end(job, "", error: "asked to fail"))
                return nil
            }
            if prompt == "hold", !gate.isOpen { return (job, answer) }
            moved = true
            let next = String(prompt.dropLast(answer.count).suffix(1))
            guard next.isEmpty else { return (job, answer + next) }
            finished.append(end(job, answer))
            return nil
        }
        // Where all jobs are held there is nothing to compute.
        if !moved, finished.isEmpty { Thread.sleep(forTimeInterval: 0.001) }
        return finished
    }

    private func end(_ job: LeasedJob, _ answer: String, error: String? = nil) -> FinishedJob {
        FinishedJob(
            lease: job.lease, row: .forTests(job, answer: answer, error: error), header: .forTests,
            summary: JobSummary(answer: answer, visualTokens: 4, seconds: 0.5), error: error)
    }
}
