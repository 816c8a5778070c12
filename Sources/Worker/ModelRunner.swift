internal import Generation
internal import ImageDecoding
public import JobModel
internal import ResultFiles
internal import Tensors
internal import TokenReduction
internal import VisionLanguage

/// Runs jobs through LLaVA-1.5 or LLaVA-NeXT: pictures are prepared on one thread while the model answers others on another.
///
/// Holds one model at a time; jobs of another model wait until the running ones are answered.
public final class ModelRunner: JobRunner {
    /// Jobs answered at the same time.
    public let capacity: Int
    private let threads: Int
    private let memory: Int?
    private let preparation = PicturePreparation()
    /// Jobs that are being prepared, by id; a cancelled one is not here any more.
    private var preparing: [JobID: Lease] = [:]
    private var prepared: [PreparedJob] = []
    private var running: [JobID: PreparedJob] = [:]
    private var loaded: LoadedModel?
    private var broken: [ModelKey: (reason: String, since: ContinuousClock.Instant)] = [:]
    private var unfit: [UnfitJobs] = []
    /// How long a model that did not load is not tried again: jobs that came with the first one get the same answer, and the
    /// coordinator sends no others before its first pause, which is longer, is over.
    private static let modelRetryDelay: Duration = .seconds(2)

    /// A runner that answers `capacity` jobs at a time on `threads` threads, in `memory` bytes; without, in what the machine
    /// has left.
    public init(capacity: Int, threads: Int, memory: Int? = nil) {
        self.capacity = capacity
        self.threads = threads
        self.memory = memory
    }

    deinit { preparation.end() }

    /// Has the job prepared; it starts when its model is loaded and there is room.
    public func admit(_ job: LeasedJob) {
        preparing[job.lease.job] = job.lease
        preparation.prepare(job)
    }

    /// Forgets a job wherever it is.
    public func cancel(_ lease: Lease) {
        if preparing[lease.job] == lease { preparing[lease.job] = nil }
        prepared.removeAll { $0.job.lease == lease }
        if running[lease.job]?.job.lease == lease {
            running[lease.job] = nil
            loaded?.engine.cancel(lease.job.rawValue)
        }
    }

    /// Starts what is prepared, then lets the engine add a token to every answer.
    public func step(_ progress: RunnerProgress) throws -> [FinishedJob] {
        let isWaiting = prepared.isEmpty && running.isEmpty && !preparing.isEmpty
        for job in preparation.collect(waiting: isWaiting) where preparing[job.job.lease.job] == job.job.lease {
            preparing[job.job.lease.job] = nil
            prepared.append(job)
        }
        var finished = start(progress)
        guard let loaded, !running.isEmpty else { return finished }
        for ended in try loaded.engine.step() {
            guard let job = running.removeValue(forKey: JobID(ended.id)) else { continue }
            finished.append(try finish(job, ended.result, loaded))
        }
        return finished
    }

    /// Hands prepared jobs to the engine, as far as the loaded model is theirs.
    private func start(_ progress: RunnerProgress) -> [FinishedJob] {
        var failed: [FinishedJob] = []
        while let job = prepared.first {
            do {
                let input = try job.input.get()
                guard running.isEmpty || loaded?.key == input.key else { break }
                progress.begin(job.job.lease)
                guard let model = try load(input.key, progress) else { continue }
                try model.engine.admit(model.request(job.job, input))
                running[job.job.lease.job] = job
            } catch let error as NotOnThisMachine {
                unfit.append(UnfitJobs(leases: [job.job.lease], reason: "\(error)"))
            } catch {
                failed.append(.failed(job, because: error, errorClass: ErrorClass(preparing: error), model: loaded))
            }
            prepared.removeFirst()
        }
        return failed
    }

    /// Jobs of models that do not load here, or of pictures that are not here.
    public func takeUnfit() -> [UnfitJobs] {
        defer { unfit = [] }
        return unfit
    }

    /// The model of a key; nil if it does not load, and then its prepared jobs are given up.
    private func load(_ key: ModelKey, _ progress: RunnerProgress) throws -> LoadedModel? {
        if let loaded, loaded.key == key { return loaded }
        if let known = broken[key], .now - known.since < Self.modelRetryDelay {
            giveUp(key, because: known.reason)
            return nil
        }
        // Two models at once, or what one leaves for its next tensors, may not fit in memory.
        loaded = nil
        TensorMemory.plan(bytes: 0)
        do {
            let model = try LoadedModel(
                key, capacity: capacity, threads: threads, memory: memory, progress: progress)
            loaded = model
            return model
        } catch {
            broken[key] = ("\(error)", .now)
            giveUp(key, because: "\(error)")
            return nil
        }
    }

    private func giveUp(_ key: ModelKey, because reason: String) {
        let jobs = prepared.filter { (try? $0.input.get())?.key == key }
        prepared.removeAll { (try? $0.input.get())?.key == key }
        unfit.append(UnfitJobs(leases: jobs.map(\.job.lease), reason: reason))
    }

    private func finish(
        _ job: PreparedJob, _ result: Result<GenerationResult, any Error>, _ model: LoadedModel
    ) throws -> FinishedJob {
        do {
            return try .answered(job, result.get(), model: model)
        } catch {
            let isNumeric = (error as? ModelError)?.code == .notFinite || error is UnstorableFeatures
            return .failed(job, because: error, errorClass: isNumeric ? .numeric : .other, model: model)
        }
    }
}

extension ErrorClass {
    /// What kind of failure it is that a job could not be prepared. A picture was there when its batch was submitted: where
    /// it cannot be read now, a disk or a mount is the likelier cause, and another worker or another time may do.
    init(preparing error: any Error) {
        let isPassing =
            switch error {
            case let error as ConfinedImage.Failure: error.code == .unreadable
            case let error as ImageError: error.code == .unreadable || error.code == .outOfMemory
            default: false
            }
        self = isPassing ? .resource : .input
    }
}
