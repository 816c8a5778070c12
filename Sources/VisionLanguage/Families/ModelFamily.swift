import JobModel
import Tensors

/// A family of models: which checkpoints are its own, how their files become sizes, and what runs them.
///
/// LLaVA's families share tower, projector and language model; what a picture becomes is said by the sizes
/// (``LLaVAConfiguration/anyResolution``). A new family is a file beside this one and an entry in ``all``.
struct ModelFamily: Sendable {
    /// What messages call it, with the `model_type` of its checkpoints.
    let name: String
    /// Whether a `config.json` whose `model_type` is `type` belongs to the family.
    let recognises: @Sendable (_ file: ConfigurationFile, _ type: String) throws(ModelError) -> Bool
    /// Reads the sizes, but for the tokens that end an answer, which all families read alike.
    let configuration: @Sendable (_ checkpoint: CheckpointFiles) throws(ModelError) -> LLaVAConfiguration
    /// Reads the weights of a folder; a format of nil keeps that of the checkpoint.
    var model:
        @Sendable (_ folder: ModelFolder, WeightFormat?, any Backend, LayerProgress) throws -> any VisionLanguageModel =
            { try LLaVA($0, weights: $1, backend: $2, progress: $3) }
    /// Reads what prepares pictures and prompts from a checkpoint's folder and that of its vision tower.
    var processor:
        @Sendable (_ directory: String, _ visionTower: String?, LLaVAConfiguration) throws
            -> any VisionLanguageProcessor = {
                try LLaVAProcessor(directory: $0, visionTower: $1, configuration: $2)
            }

    /// The families that run, of which the first that recognises a checkpoint reads it.
    static let all: [ModelFamily] = [llava, llavaNeXT, originalLLaVANeXT, originalLLaVA]

    /// The family of a checkpoint; throws `unknownModelType` where it is of none.
    static func of(_ checkpoint: CheckpointFiles) throws(ModelError) -> ModelFamily {
        let type = try checkpoint.file.text("model_type")
        for family in all where try family.recognises(checkpoint.file, type) { return family }
        throw ModelError(
            .unknownModelType,
            "model_type is \(type); this program runs "
                + all.map(\.name).joined(separator: ", "), at: checkpoint.file.path)
    }
}

/// What a checkpoint's sizes are read from.
struct CheckpointFiles {
    /// The path of the checkpoint's folder.
    let directory: String
    /// The folder of a vision tower that the user named.
    let visionTower: String?
    /// What the checkpoint's `config.json` holds.
    let file: ConfigurationFile

    /// Opens the `config.json` of a folder.
    init(directory: String, visionTower: String?) throws(ModelError) {
        self.directory = directory
        self.visionTower = visionTower
        if let trouble = ModelPath.trouble(with: directory) { throw ModelError(.missingFile, trouble) }
        file = try ConfigurationFile(path: directory + "/config.json")
    }

    /// Where the settings of picture preparation are looked for.
    var directories: [String?] { [directory, visionTower] }
}
