internal import Foundation
internal import Generation
internal import JobModel
internal import Tensors
internal import TokenReduction
internal import VisionLanguage

/// Which model a job needs: jobs with equal keys run together.
struct ModelKey: Hashable, Sendable {
    let directory: String
    let visionTower: String?
    let precision: BatchDescription.Precision

    init(_ description: BatchDescription) {
        directory = description.model
        visionTower = description.visionTower
        precision = description.precision
    }

    /// The type that matrix products compute in.
    func elementType() throws(WorkerError) -> ElementType {
        switch precision {
        case .auto: return OneDNNBackend.hasBFloat16 ? .bfloat16 : .float32
        case .f32: return .float32
        case .bf16:
            guard OneDNNBackend.hasBFloat16 else {
                throw WorkerError(.runner, "this processor does not multiply bf16; set precision: auto or f32")
            }
            return .bfloat16
        }
    }
}

/// A model in memory with the engine that drives it.
final class LoadedModel {
    let key: ModelKey
    let engine: Engine
    let processor: LLaVAProcessor
    let backend: OneDNNBackend
    private let model: LLaVA
    private let fingerprint: ModelFingerprint
    private var plans: [BatchDescription.Method: ReductionPlan] = [:]

    init(_ key: ModelKey, capacity: Int, threads: Int, progress: RunnerProgress) throws {
        self.key = key
        fingerprint = ModelFingerprint(directories: [key.directory, key.visionTower].compactMap { $0 }) {
            progress.advance()
        }
        backend = OneDNNBackend(precision: try key.elementType(), threads: threads)
        model = try LLaVA(
            directory: key.directory, visionTower: key.visionTower, backend: backend,
            progress: LayerProgress { progress.advance() })
        processor = try LLaVAProcessor(
            directory: key.directory, visionTower: key.visionTower, configuration: model.configuration)
        engine = Engine(model: model, tokenizer: processor.tokenizer, capacity: capacity)
    }

    var configuration: LLaVAConfiguration { model.configuration }

    /// SHA-256 of the checkpoint; waits until it is known.
    func modelSHA256() throws -> String { try fingerprint.value() }

    /// How the batch's method reduces in this model.
    func plan(_ method: BatchDescription.Method) throws -> ReductionPlan {
        if let known = plans[method] { return known }
        let plan = try ReductionPlan(
            method: method.name, keep: method.keep, fromLayer: method.fromLayer, options: method.options,
            model: configuration.depth)
        plans[method] = plan
        return plan
    }

    /// What the engine is asked for a job.
    func request(_ job: LeasedJob, _ input: PreparedJob.Input) throws -> GenerationRequest {
        let description = job.description, generation = description.generation
        let method = try JSONEncoder.sorted.encode(description.method)
        let picture = input.picture.hash.map { String(format: "%02x", $0) }.joined()
        return GenerationRequest(
            id: job.lease.job.rawValue, prompt: input.prompt, patches: input.picture.patches,
            featureKey: "\(picture) \(description.imageMode) \(String(decoding: method, as: UTF8.self))",
            plan: try plan(description.method),
            sampling: Sampling(
                temperature: generation.temperature, topP: generation.topP,
                seed: job.item.id.rawValue.utf8.reduce(generation.seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }),
            maxTokens: job.item.maxTokens ?? generation.maxTokens, stop: generation.stop)
    }
}

extension JSONEncoder {
    /// Keys in alphabetical order, so that equal values have equal texts.
    static var sorted: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
