public import Tensors

/// The one way from a checkpoint to a model that runs: which arithmetic, how its weights are kept, and what memory that takes.
public struct ModelLoader {
    /// The checkpoint, or the packed model.
    public let folder: ModelFolder
    /// Where the arithmetic will happen.
    public let backend: any Backend
    /// The format that was asked for; nil keeps that of the checkpoint.
    private let format: WeightFormat?

    /// Settles how the model of `folder` is computed: in activations of `precision` and weights of `format`, or in what suits
    /// its weights and the processor. Throws where the processor lacks what is asked for.
    public init(
        _ folder: ModelFolder, precision: ElementType?, weights format: WeightFormat?, threads: Int
    ) throws(TensorError) {
        self.folder = folder
        self.format = format
        backend = CPUBackend(precision: try folder.activations(precision, weights: format), threads: threads)
    }

    /// How the decoder's weights are kept.
    public var weights: WeightFormat { format ?? folder.stored }
    /// What the model takes in memory.
    public var memory: ModelMemory { folder.memory(weights: format, activations: backend.activationType) }

    /// How `available` bytes are shared out for the model; throws `notEnoughMemory`, with the formats that would fit, where
    /// they do not hold it. `whom` and `other` are for that message: whose bytes they are, and what else would help.
    public func shares(
        of available: Int, for whom: String, orElse other: String? = nil
    ) throws(ModelError) -> ModelMemory.Shares {
        try folder.checkFits(
            weights: format, activations: backend.activationType, available: available, of: whom, orElse: other)
        guard let shares = memory.shares(of: available) else {
            preconditionFailure("a model that fits has its shares")
        }
        return shares
    }

    /// Reads the weights.
    public func load(progress: LayerProgress = LayerProgress()) throws -> any VisionLanguageModel {
        try LLaVA(folder, weights: format, backend: backend, progress: progress)
    }

    /// What prepares pictures and prompts for the model.
    public func processor() throws -> LLaVAProcessor {
        try LLaVAProcessor(
            directory: folder.directory, visionTower: folder.visionTower, configuration: folder.configuration)
    }
}

extension ModelFolder {
    /// The type of activations: `precision`, or what suits weights of `format`, or of the checkpoint's own, on this processor.
    /// Throws where the processor lacks what is asked for.
    public func activations(
        _ precision: ElementType?, weights format: WeightFormat?
    ) throws(TensorError) -> ElementType {
        try CPUBackend.activationType(precision, weights: format ?? stored)
    }
}
