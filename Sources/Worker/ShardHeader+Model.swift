internal import Foundation
internal import JobModel
internal import JobVocabulary
internal import ResultFiles
internal import TokenReduction
internal import VisionLanguage

extension ShardHeader {
    /// What the rows of a batch share, as far as it is known without the model.
    init(withoutModel description: BatchDescription) {
        // A job of a method that does not exist has its row all the same, which says so.
        let known = MethodCatalogue.all.map(\.name), asked = description.method.name
        self.init(
            batch: "", worker: "", model: description.model, modelSHA256: "", methodJSON: "{}", generationJSON: "{}",
            software: "", methods: known.contains(asked) ? known : known + [asked],
            trace: description.trace)
    }

    /// What the rows of a batch share that a model of this configuration answers.
    init(
        _ description: BatchDescription, plan: ReductionPlan, configuration: LLaVAConfiguration, modelSHA256: String,
        backend: String, weights: String
    ) throws {
        self.init(withoutModel: description)
        self.modelSHA256 = modelSHA256
        methodJSON = try MethodAccount(plan).json()
        generationJSON = try GenerationAccount(description, backend: backend, weights: weights).json()
        let layer = configuration.featureLayer
        switch description.features {
        case .projected:
            features = ShardHeader.Features(width: configuration.text.hidden, layer: layer, space: "decoder input")
        case .tower:
            features = ShardHeader.Features(width: configuration.vision.hidden, layer: layer, space: "projector input")
        case .none: break
        }
    }
}

/// The method with every parameter, as it stands in a shard.
private struct MethodAccount: Encodable {
    let name: String
    let keep: Int
    let encoderRemovals: [Int]
    let projectorRemovals: [Int]
    let decoderRemovals: [Int]
    let options: [String: String]

    init(_ plan: ReductionPlan) {
        name = plan.method.name
        keep = plan.keep
        encoderRemovals = plan.removals(in: .visionEncoder)
        projectorRemovals = plan.removals(in: .projector)
        decoderRemovals = plan.removals(in: .languageModel)
        options = Dictionary(plan.method.options.map { ($0.name, $0.value) }) { first, _ in first }
    }

    func json() throws -> String { String(decoding: try JSONEncoder.canonical.encode(self), as: UTF8.self) }
}

/// How answers are generated, as it stands in a shard.
private struct GenerationAccount: Encodable {
    let template: PromptTemplate
    let imageTag: ImageTag?
    let imageMode: PictureFraming?
    let orientation: PictureOrientation
    let backend: String
    let weights: String
    let generation: BatchDescription.Generation

    init(_ description: BatchDescription, backend: String, weights: String) {
        template = description.template
        imageTag = description.imageTag
        imageMode = description.imageMode
        orientation = description.orientation
        self.backend = backend
        self.weights = weights
        generation = description.generation
    }

    func json() throws -> String { String(decoding: try JSONEncoder.canonical.encode(self), as: UTF8.self) }
}
