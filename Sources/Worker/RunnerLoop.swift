internal import Failpoints
internal import JobModel

/// What the link tells the thread that runs jobs.
enum RunnerLetter: Sendable {
    case admit(LeasedJob)
    case drop(Lease)
    case end
}

/// The loop of the compute thread: admits jobs, advances the runner step by step, passes on what ended.
struct RunnerLoop: Sendable {
    let inbox = Inbox<RunnerLetter>()
    let progress = RunnerProgress()
    let makeRunner: @Sendable () throws -> any JobRunner

    /// Runs until it is told to end, or until no job can run any more.
    func run(link: LinkInbox, writer: Inbox<WriterLetter>) {
        do {
            let runner = try makeRunner()
            link.post(.ready(capacity: runner.capacity))
            var places = KnownPlaces()
            var jobs = RunningJobs(runner: runner, progress: progress, writer: writer)
            while true {
                for letter in jobs.isEmpty ? inbox.wait() : inbox.take() {
                    switch letter {
                    case .admit(let job):
                        if let reason = places.misplacement(of: job) {
                            link.post(.unfit([job.lease], reason))
                        } else {
                            jobs.admit(job)
                        }
                    case .drop(let lease):
                        jobs.drop(lease)
                        link.post(.dropped(lease))
                    case .end: return
                    }
                }
                guard !jobs.isEmpty else { continue }
                Failpoint.reach("runner.step")
                let finished = try runner.step(progress)
                progress.advance()
                for job in finished {
                    switch jobs.finish(job) {
                    case .lost: break
                    case .written: link.post(.finished(job.lease))
                    case .runsAgain:
                        link.post(.failedWithoutRow(job.lease, job.errorClass, job.error ?? ""))
                    }
                }
                for unfit in runner.takeUnfit() {
                    for lease in unfit.leases { jobs.forget(lease) }
                    link.post(.unfit(unfit.leases, unfit.reason))
                }
            }
        } catch {
            link.post(.failed(WorkerError(.runner, "no job can be run: \(error)")))
        }
    }
}

/// The jobs inside the runner, and how many each batch has there.
private struct RunningJobs {
    let runner: any JobRunner
    let progress: RunnerProgress
    let writer: Inbox<WriterLetter>
    private var jobs: [JobID: LeasedJob] = [:]
    private var counts: [BatchID: Int] = [:]

    init(runner: any JobRunner, progress: RunnerProgress, writer: Inbox<WriterLetter>) {
        self.runner = runner
        self.progress = progress
        self.writer = writer
    }

    var isEmpty: Bool { jobs.isEmpty }

    mutating func admit(_ job: LeasedJob) {
        jobs[job.lease.job] = job
        counts[job.batch, default: 0] += 1
        writer.post(.running(job.batch, counts[job.batch, default: 0], in: job.description.results))
        runner.admit(job)
    }

    mutating func drop(_ lease: Lease) {
        guard let job = jobs[lease.job], job.lease == lease else { return }
        runner.cancel(lease)
        leave(job)
    }

    enum End {
        /// Its lease was lost meanwhile.
        case lost
        /// Its row goes into a shard.
        case written
        /// The job failed in a way after which the coordinator wants another attempt: there is no row.
        case runsAgain
    }

    /// Passes a finished job on.
    mutating func finish(_ finished: FinishedJob) -> End {
        guard let job = jobs[finished.lease.job], job.lease == finished.lease else { return .lost }
        defer { leave(job) }
        guard finished.error == nil || !job.retriable.contains(finished.errorClass) else { return .runsAgain }
        writer.post(.finished(finished, of: job))
        return .written
    }

    /// A job left the runner without an end.
    mutating func forget(_ lease: Lease) {
        guard let job = jobs[lease.job], job.lease == lease else { return }
        leave(job)
    }

    private mutating func leave(_ job: LeasedJob) {
        jobs[job.lease.job] = nil
        progress.forget(job.lease)
        let left = counts[job.batch, default: 1] - 1
        counts[job.batch] = left > 0 ? left : nil
        writer.post(.running(job.batch, left, in: job.description.results))
    }
}
