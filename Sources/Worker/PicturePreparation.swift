internal import Generation
internal import JobModel
internal import VisionLanguage

/// A job whose pictures and prompt are ready for the model, or the reason why they never will be.
struct PreparedJob: Sendable {
    struct Input: Sendable {
        let key: ModelKey
        let prompt: MultimodalPrompt
        let pictures: [PictureInput]
    }

    let job: LeasedJob
    let input: Result<Input, any Error>
    /// Reading, decoding, resizing and tokenising.
    let seconds: Double
}

/// Something that a batch needs is not on this machine, or cannot be read here: a matter of the worker, not of the job.
struct NotOnThisMachine: Error, CustomStringConvertible {
    let description: String
}

/// Prepares jobs on a thread of its own, in the order they came.
final class PicturePreparation: Sendable {
    private enum Letter: Sendable {
        case prepare(LeasedJob)
        case end
    }

    private let inbox = Inbox<Letter>()
    private let outbox = Inbox<PreparedJob>()

    init() {
        _ = NamedThread("winnow-pictures") { [inbox, outbox] in
            var processors: [ModelKey: any VisionLanguageProcessor] = [:]
            while true {
                for letter in inbox.wait() {
                    guard case .prepare(let job) = letter else { return }
                    outbox.post(Self.prepare(job, &processors))
                }
            }
        }
    }

    /// Takes a job.
    func prepare(_ job: LeasedJob) { inbox.post(.prepare(job)) }

    /// Jobs that became ready; with `waiting`, at least one.
    func collect(waiting: Bool) -> [PreparedJob] { waiting ? outbox.wait() : outbox.take() }

    /// Ends the thread.
    func end() { inbox.post(.end) }

    private static func prepare(_ job: LeasedJob, _ processors: inout [ModelKey: any VisionLanguageProcessor])
        -> PreparedJob
    {
        let clock = ContinuousClock(), start = clock.now
        let key = ModelKey(job.description)
        let input = Result {
            if !job.item.images.isEmpty, !isFolder(job.description.images) {
                throw NotOnThisMachine(
                    description: "the folder of pictures \(job.description.images) is not on this machine; mount it")
            }
            let processor = try processors[key] ?? Self.processor(key)
            processors[key] = processor
            return PreparedJob.Input(
                key: key, prompt: try processor.prompt(of: job.item, in: job.description),
                pictures: try job.item.images.map { try processor.picture($0, in: job.description) })
        }
        return PreparedJob(job: job, input: input, seconds: (clock.now - start) / .seconds(1))
    }

    private static func processor(_ key: ModelKey) throws -> any VisionLanguageProcessor {
        do {
            return try ModelLoader.processor(directory: key.directory, visionTower: key.visionTower)
        } catch {
            throw NotOnThisMachine(description: "\(error)")
        }
    }
}
