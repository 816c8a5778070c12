internal import JobModel
public import Logging
internal import Synchronization
internal import ZeroMQ

/// A worker: takes jobs from a coordinator, runs them, writes their results and reports them.
///
/// Three threads share the work and nothing else: one talks to the coordinator, one runs the model, one writes result
/// files. A job is reported only after its shard is closed, synced and renamed, and forgotten only after the coordinator
/// has answered; whatever happens in between, it runs again elsewhere.
///
///     let worker = WorkerService(configuration, log: log) { try MyRunner() }
///     try worker.run()
public final class WorkerService: Sendable {
    private struct Running {
        var link: NamedThread
        var others: [NamedThread]
    }

    private let configuration: WorkerConfiguration
    private let log: Logger
    private let inbox: LinkInbox
    private let runner: RunnerLoop
    private let writer: WriterLoop
    private let running = Mutex<Running?>(nil)
    private let outcome = Mutex<WorkerError?>(nil)

    /// A worker that has not started.
    ///
    /// - Parameter makeRunner: makes what runs the jobs; called once, on the thread that will use it.
    public init(
        _ configuration: WorkerConfiguration, log: Logger = Logger(label: "winnow.worker"),
        makeRunner: @escaping @Sendable () throws -> any JobRunner
    ) throws {
        self.configuration = configuration
        self.log = log
        inbox = try LinkInbox()
        runner = RunnerLoop(makeRunner: makeRunner)
        writer = WriterLoop(configuration)
    }

    /// Starts, and blocks until the worker was drained, stopped or refused.
    ///
    /// Throws a `WorkerError` where it ended for another reason than being asked to.
    public func run() throws {
        start()
        try wait()
    }

    /// Starts the threads; a second call does nothing.
    public func start() {
        running.withLock { running in
            guard running == nil else { return }
            let writer = NamedThread("winnow-writer") { [writer, inbox] in writer.run(link: inbox) }
            let compute = NamedThread("winnow-compute") { [runner, writer = self.writer.inbox, inbox] in
                runner.run(link: inbox, writer: writer)
            }
            let link = NamedThread("winnow-link") { [self] in runLink() }
            running = Running(link: link, others: [compute, writer])
        }
    }

    /// Blocks until the worker has ended; throws the reason where nobody asked it to.
    public func wait() throws {
        guard let running = running.withLock({ $0 }) else { return }
        running.link.join()
        for thread in running.others { thread.join() }
        if let error = outcome.withLock({ $0 }) { throw error }
    }

    /// Asks the worker to finish what it runs, to write and report it, and to end. Returns at once.
    public func drain() { inbox.post(.drain) }

    /// Asks the worker to hand back what it runs, to write and report what is finished, and to end. Returns at once.
    public func stop() { inbox.post(.stop) }

    /// The body of the link thread: the socket lives and dies on it, then the other threads end.
    private func runLink() {
        let error: WorkerError?
        do {
            var link = try WorkerLink(configuration, inbox: inbox, runner: runner, writer: writer, log: log)
            error = link.run()
        } catch let failure {
            error =
                failure as? WorkerError
                ?? WorkerError(.transport, "the worker's link cannot be set up: \(failure)")
        }
        outcome.withLock { $0 = error }
        runner.inbox.post(.end)
        writer.inbox.post(.end)
    }
}
