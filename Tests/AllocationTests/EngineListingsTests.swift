import Allocation
import Dispatch
import Foundation
import Synchronization
import Testing

@Suite struct EngineListingsTests {
    private static func job(_ name: String, on cluster: String?) -> EngineJob {
        EngineJob(id: "1", cluster: cluster, state: "RUNNING", reason: "None", name: name)
    }

    @Test("each cluster is asked once for all queues, and each queue gets its own jobs")
    func once() {
        let asked = Mutex<[String?]>([])
        let listings = EngineListings { cluster in
            asked.withLock { $0.append(cluster) }
            return .init(jobs: ["winnow-a-1", "winnow-b-1"].map { Self.job($0, on: cluster) })
        }
        let found = Mutex<[String: [EngineJob]?]>([:])
        DispatchQueue.concurrentPerform(iterations: 8) { number in
            let prefix = number % 2 == 0 ? "winnow-a-" : "winnow-b-"
            let answer = listings.jobs(prefix: prefix, clusters: number < 4 ? [] : ["north"])
            found.withLock { $0["\(prefix) \(number < 4)"] = answer.jobs }
        }
        #expect(asked.withLock { $0.count } == 2, "the usual cluster and north")
        found.withLock { found in
            #expect(found["winnow-a- true"] == [Self.job("winnow-a-1", on: nil)])
            #expect(found["winnow-b- false"] == [nil, "north"].map { Self.job("winnow-b-1", on: $0) })
        }
    }

    @Test("a cluster that does not answer holds up those alone that need it, and they hear why")
    func hanging() {
        let answers = DispatchSemaphore(value: 0), asked = DispatchSemaphore(value: 0)
        let listings = EngineListings { cluster in
            guard cluster != nil else { return .init(jobs: []) }
            asked.signal()
            answers.wait()
            return .init(jobs: nil, words: "squeue: it is away")
        }
        let words = Mutex(""), ended = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            let answer = listings.jobs(prefix: "winnow-", clusters: ["north"])
            words.withLock { $0 = answer.jobs == nil ? answer.words : "it answers" }
            ended.signal()
        }
        asked.wait()
        #expect(listings.jobs(prefix: "winnow-", clusters: []).jobs == [])
        answers.signal()
        ended.wait()
        #expect(words.withLock { $0 } == "squeue: it is away")
    }

    /// What is no list must not count as a list without jobs.
    @Test func whatIsNoListIsNone() {
        let listed = Slurm.jobs(in: "CLUSTER: a\n101|RUNNING|None|winnow-q|1\n102|PENDING|Priority|x\n")
        #expect(listed?.map(\.id) == ["101", "102"] && listed?.first?.name == "winnow-q|1")
        #expect(Slurm.jobs(in: "")?.isEmpty == true)
        #expect(Slurm.jobs(in: "slurm_load_jobs error: Unexpected message received\n") == nil)
        #expect(Slurm.jobs(in: "\u{1}\u{2}garbage\n") == nil)
        #expect(Slurm.jobs(in: "101|RUNNING|None|x\nrest of a name\n")?.map(\.id) == ["101"])
    }
}
