internal import Glibc
public import JobModel
internal import JobVocabulary
internal import ResultFiles

/// Runs nothing: ends every job with a text made from its id and prompt, so that the queue can be tried without a model.
///
/// Leases, progress, rows, shards and reports are real. What it leaves out is what a model would do: no picture is read
/// and rows hold one visual token for each picture, which survives. A prompt can ask for trouble, to try what happens then;
/// see ``Trouble``.
public final class NullRunner: JobRunner {
    /// What a prompt can ask for, such as `null:fail`.
    public enum Trouble: String, Sendable, CaseIterable {
        /// The job ends with an error.
        case fail = "null:fail"
        /// The first attempt ends with an error that may pass; later ones are answered.
        case flaky = "null:flaky"
        /// The process dies.
        case crash = "null:crash"
        /// The compute thread stops for ever; the other threads live on.
        case hang = "null:hang"
        /// The job never ends, but goes on making progress.
        case endless = "null:endless"
    }

    private struct Running {
        var job: LeasedJob
        /// When the job ends; nil for one that never does.
        var end: ContinuousClock.Instant?
    }

    /// Longest time in one step, so that messages are read in between.
    private static let longestStep: Duration = .milliseconds(10)

    /// Jobs that run at the same time.
    public let capacity: Int
    private let pause: Duration
    private var waiting: [LeasedJob] = []
    private var running: [Running] = []
    private var header: (batch: BatchID, shared: ShardHeader)?

    /// A runner whose jobs take `pause` each, `capacity` of them at a time.
    public init(capacity: Int, pause: Duration = .zero) {
        self.capacity = capacity
        self.pause = pause
    }

    /// The answer to a prompt: 64 bits of FNV-1a over id, a line feed and prompt, in hexadecimal.
    public static func answer(id: String, prompt: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func mix(_ text: String) { for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 } }
        mix(id)
        mix("\n")
        mix(prompt)
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Puts a job in line.
    public func admit(_ job: LeasedJob) { waiting.append(job) }

    /// Forgets a job.
    public func cancel(_ lease: Lease) {
        waiting.removeAll { $0.lease == lease }
        running.removeAll { $0.job.lease == lease }
    }

    /// Starts what waits and ends what has taken long enough.
    public func step(_ progress: RunnerProgress) throws -> [FinishedJob] {
        start(progress)
        let now = ContinuousClock.now
        guard let next = running.lazy.compactMap(\.end).min(), next <= now else {
            rest(until: running.lazy.compactMap(\.end).min() ?? .now + Self.longestStep)
            return []
        }
        var finished: [FinishedJob] = []
        running.removeAll { entry in
            guard let end = entry.end, end <= now else { return false }
            finished.append(finish(entry.job))
            return true
        }
        return finished
    }

    private func start(_ progress: RunnerProgress) {
        let count = min(waiting.count, capacity - running.count)
        guard count > 0 else { return }
        let now = ContinuousClock.now
        for job in waiting.prefix(count) {
            progress.begin(job.lease)
            switch Trouble(rawValue: job.item.prompt) {
            case .crash: kill(getpid(), SIGKILL)
            case .hang: while true { Glibc.pause() }
            case .endless: running.append(Running(job: job, end: nil))
            case .fail, .flaky, nil: running.append(Running(job: job, end: now + pause))
            }
        }
        waiting.removeFirst(count)
    }

    private func rest(until end: ContinuousClock.Instant) {
        let time = min(end - .now, Self.longestStep)
        if time > .zero { usleep(UInt32(time / .microseconds(1))) }
    }

    private func finish(_ job: LeasedJob) -> FinishedJob {
        let item = job.item
        var row = ResultRow(
            id: item.id.rawValue, images: item.images, prompt: item.prompt, method: job.description.method.name,
            attempt: job.lease.epoch.rawValue)
        row.describe(item)
        row.seconds.queue = job.queuedSeconds
        let trouble = Trouble(rawValue: item.prompt)
        if trouble == .fail || trouble == .flaky && job.lease.epoch.rawValue == 1 {
            row.status = .failed
            row.finishReason = .error
            row.error = "the prompt asks the null runner to fail"
            return FinishedJob(
                lease: job.lease, row: row, header: header(of: job), summary: JobSummary(), error: row.error,
                errorClass: trouble == .fail ? .input : .other)
        }
        let shared = header(of: job)
        row.answer = Self.answer(id: row.id, prompt: row.prompt)
        row.score(against: item)
        for picture in item.images.indices {
            row.segments.append(
                picture: picture, tile: 0, rows: 1, columns: 1, left: 0, top: 0, width: 0, height: 0)
            row.tokens.leftAt.append(ResultRow.Tokens.survived)
            row.tokens.wentTo.append(ResultRow.Tokens.discarded)
            row.tokens.score.append(0)
            row.kept.append(UInt16(picture))
        }
        (row.visualTokensIn, row.visualTokensOut) = (item.images.count, item.images.count)
        row.reduceTrace(to: shared.trace)
        let summary = JobSummary(
            answer: row.answer, visualTokens: UInt32(row.visualTokensOut), seconds: pause / .seconds(1))
        return FinishedJob(lease: job.lease, row: row, header: shared, summary: summary)
    }

    /// What the rows of a batch share; made once for the jobs in a row that belong together.
    private func header(of job: LeasedJob) -> ShardHeader {
        if let header, header.batch == job.batch { return header.shared }
        let shared = ShardHeader(withoutModel: job.description)
        header = (job.batch, shared)
        return shared
    }
}
