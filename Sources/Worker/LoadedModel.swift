internal import Foundation
internal import Generation
internal import JobModel
internal import JobVocabulary
internal import MachineLimits
internal import ResultFiles
internal import Tensors
internal import TokenReduction
internal import VisionLanguage

/// Which model a job needs: jobs with equal keys run together.
struct ModelKey: Hashable, Sendable {
    let directory: String
    let visionTower: String?
    let precision: BatchDescription.Precision
    let weights: BatchDescription.Weights

    init(_ description: BatchDescription) {
        directory = description.model
        visionTower = description.visionTower
        precision = description.precision
        weights = description.weights
    }
}

/// A model in memory with the engine that drives it.
final class LoadedModel {
    let key: ModelKey
    let engine: Engine
    /// How the decoder's weights are stored.
    let weights: WeightFormat
    private let model: any VisionLanguageModel
    private let fingerprint: ModelFingerprint
    private var plans: [BatchDescription.Method: MethodPlan] = [:]
    private var headers: [BatchDescription: ShardHeader] = [:]

    /// How a method reduces in this model, and a text that tells it from every other.
    private struct MethodPlan {
        let plan: ReductionPlan
        let text: String
    }

    /// Loads the model of `key`; throws `notEnoughMemory` if it does not fit into `memory` bytes or what the machine has left.
    init(_ key: ModelKey, capacity: Int, threads: Int, memory: Int?, progress: RunnerProgress) throws {
        self.key = key
        let folder = try ModelFolder(directory: key.directory, visionTower: key.visionTower)
        fingerprint = folder.fingerprint { progress.advance() }
        let loader = try ModelLoader(
            folder, precision: key.precision.elementType, weights: key.weights.format)
        weights = loader.weights
        let left = try AvailableMemory.now(), available = min(memory ?? left.available, left.available)
        let shares = try loader.shares(
            of: available, for: available == memory ? "this worker (--memory)" : left.limitedBy.owner,
            orElse: available == memory ? "raise --memory" : nil)
        TensorMemory.plan(bytes: shares.lasting)
        model = try loader.load(threads: threads, progress: LayerProgress { progress.advance() })
        engine = Engine(
            model: model, tokenizer: try loader.processor().tokenizer, capacity: capacity,
            sharedBytes: shares.shared, prefillRows: shares.prefillRows, cacheBytes: shares.cache)
    }

    var configuration: LLaVAConfiguration { model.configuration }
    var backend: any Backend { model.backend }

    /// What the rows of a batch share; waits until the checkpoint's hash is known.
    func header(_ description: BatchDescription) throws -> ShardHeader {
        if let known = headers[description] { return known }
        let header = try ShardHeader(
            description, plan: plan(description.method).plan, configuration: configuration,
            modelSHA256: fingerprint.value(), backend: model.backend.name, weights: weights.rawValue)
        headers[description] = header
        return header
    }

    private func plan(_ method: BatchDescription.Method) throws -> MethodPlan {
        if let known = plans[method] { return known }
        let plan = try MethodPlan(
            plan: ReductionPlan(
                method: method.name, keep: method.keep, fromLayer: method.fromLayer, options: method.options,
                model: configuration.depth),
            text: String(decoding: JSONEncoder.canonical.encode(method), as: UTF8.self))
        plans[method] = plan
        return plan
    }

    /// What the engine is asked for a job.
    func request(_ job: LeasedJob, _ input: PreparedJob.Input) throws -> GenerationRequest {
        let description = job.description, generation = description.generation
        let method = try plan(description.method)
        return GenerationRequest(
            id: job.lease.job.rawValue, prompt: input.prompt,
            pictures: input.pictures.map { picture in
                GenerationRequest.Picture(
                    picture,
                    key:
                        "\(picture.sha256) \(description.imageMode?.rawValue ?? "") \(picture.orientation) "
                        + "\(description.features) \(method.text)"
                )
            },
            plan: method.plan,
            sampling: Sampling(
                temperature: job.item.temperature ?? generation.temperature, topP: generation.topP,
                seed: job.item.id.rawValue.utf8.reduce(generation.seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }),
            maxTokens: job.item.maxTokens ?? generation.maxTokens, stop: generation.stop,
            keepsTowerFeatures: description.features == .tower)
    }
}
