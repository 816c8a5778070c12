public import Tensors

/// The one way from a checkpoint to a model that runs: which arithmetic, how its weights are kept, and what memory that takes.
public struct ModelLoader {
    /// The checkpoint, or the packed model.
    public let folder: ModelFolder
    /// What the model computes in.
    public let activations: ElementType
    /// The format that was asked for; nil keeps that of the checkpoint.
    private let format: WeightFormat?

    /// Settles how the model of `folder` is computed: in activations of `precision` and weights of `format`, or in what suits
    /// its weights and the processor. Throws if the processor lacks what is asked for.
    public init(_ folder: ModelFolder, precision: ElementType?, weights format: WeightFormat?) throws(TensorError) {
        self.folder = folder
        self.format = format
        activations = try folder.activations(precision, weights: format)
    }

    /// How the decoder's weights are kept.
    public var weights: WeightFormat { format ?? folder.stored }
    /// What the model takes in memory.
    public var memory: ModelMemory { folder.memory(weights: format, activations: activations) }
    /// Whether the processes of a machine that load the model share one copy of its weights: those of a packed model, but
    /// where bf16 meets bf16, each has a copy in oneDNN's layout.
    public var sharesWeights: Bool { folder.isPacked && !(activations == .bfloat16 && folder.stored == .bf16) }

    /// Refuses a model that `available` bytes do not hold, with the formats that would fit, and another format than that of a
    /// packed model. `whom` and `other` are for that message: whose bytes they are, and what else would help.
    public func checkFits(_ available: Int, of whom: String, orElse other: String? = nil) throws(ModelError) {
        try folder.checkFits(weights: format, activations: activations, available: available, of: whom, orElse: other)
    }

    /// How `available` bytes are shared out for the model; throws as ``checkFits(_:of:orElse:)`` does.
    public func shares(
        of available: Int, for whom: String, orElse other: String? = nil
    ) throws(ModelError) -> ModelMemory.Shares {
        try checkFits(available, of: whom, orElse: other)
        guard let shares = memory.shares(of: available) else {
            preconditionFailure("a model that fits has its shares")
        }
        return shares
    }

    /// Where the arithmetic happens.
    public func backend(threads: Int) -> any Backend { CPUBackend(precision: activations, threads: threads) }

    /// Reads the weights.
    public func load(
        threads: Int, progress: LayerProgress = LayerProgress()
    ) throws -> any VisionLanguageModel {
        try folder.family.model(folder, format, backend(threads: threads), progress)
    }

    /// What prepares pictures and prompts for the model.
    public func processor() throws -> any VisionLanguageProcessor {
        try folder.family.processor(folder.directory, folder.visionTower, folder.configuration)
    }

    /// What prepares pictures and prompts for the model in `directory`, whose weights stay untouched.
    public static func processor(
        directory: String, visionTower: String? = nil
    ) throws -> any VisionLanguageProcessor {
        let files = try CheckpointFiles(directory: directory, visionTower: visionTower)
        let family = try ModelFamily.of(files)
        return try family.processor(directory, visionTower, LLaVAConfiguration(files, of: family))
    }
}

extension ModelFolder {
    /// The type of activations: `precision`, or what suits weights of `format`, or of the checkpoint's own, on this processor.
    /// Throws if the processor lacks what is asked for.
    public func activations(
        _ precision: ElementType?, weights format: WeightFormat?
    ) throws(TensorError) -> ElementType {
        try CPUBackend.activationType(precision, weights: format ?? stored)
    }
}
