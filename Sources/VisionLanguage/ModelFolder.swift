public import Tensors

/// A model's folder, opened: its sizes, and where its weights are. Nothing of them has been read yet.
public struct ModelFolder {
    /// The path of the folder.
    public let directory: String
    /// The folder of the CLIP model, for checkpoints without a tower and for methods that read the question.
    public let visionTower: String?
    /// The model's sizes.
    public let configuration: LLaVAConfiguration
    /// How the weights of the decoder's layers are stored.
    public let stored: WeightFormat
    /// Whether the weights lie in the kernels' layout already.
    public let isPacked: Bool
    let family: ModelFamily
    let names: WeightNames
    private(set) var decoder: any WeightSource
    private(set) var tower: any WeightSource
    let towerPrefix: String
    /// The folder that the tower's sizes are read from, where they stand in another than the model's.
    let towerDirectory: String?
    private let packedSHA256: String?

    /// Opens the checkpoint in `directory`, or the packed model; an original LLaVA checkpoint takes its tower from
    /// `visionTower`, or from the folder that it names itself.
    public init(directory: String, visionTower: String? = nil) throws {
        self.directory = directory
        self.visionTower = visionTower
        let files = try CheckpointFiles(directory: directory, visionTower: visionTower)
        family = try ModelFamily.of(files)
        configuration = try LLaVAConfiguration(files, of: family)
        if let packed = try PackedModelFile(directory: directory) {
            names = try WeightNames(recognising: packed.names, at: directory)
            (decoder, tower, towerPrefix, towerDirectory) = (packed, packed, packed.account.towerPrefix, nil)
            (isPacked, stored, packedSHA256) = (true, packed.account.weights, packed.account.sourceSHA256)
            return
        }
        let checkpoint = CheckpointWeights(checkpoint: try Checkpoint(directory: directory), path: directory)
        names = try WeightNames(recognising: checkpoint.checkpoint.names, at: directory)
        decoder =
            configuration.text.tiesHead
            ? TiedHead(source: checkpoint, head: names.head, embedding: names.decoder + "embed_tokens") : checkpoint
        (isPacked, packedSHA256) = (false, nil)
        stored = WeightFormat(
            storing: checkpoint.checkpoint.type(of: names.decoder + "layers.0.self_attn.q_proj.weight"))
        let apart = try LLaVAConfiguration.separateTower(files.file, directory: directory, given: visionTower)
        towerDirectory = apart
        if let prefix = names.vision {
            (tower, towerPrefix) = (checkpoint, prefix)
        } else {
            guard let apart else {
                throw ModelError(.missingTensor, "there is no vision tower under any known name", at: directory)
            }
            tower = CheckpointWeights(checkpoint: try Checkpoint(directory: apart), path: apart)
            towerPrefix = "vision_model."
        }
    }

    /// The same model with everything that reads its weights passing through `filter`.
    func passing(_ filter: (any WeightSource) -> any WeightSource) -> ModelFolder {
        var copy = self
        copy.decoder = filter(decoder)
        copy.tower = filter(tower)
        return copy
    }

    /// The SHA-256 of the checkpoint's files, computed on a thread of its own; a packed model knows that of the checkpoint
    /// it was made of.
    public func fingerprint(progress: @escaping @Sendable () -> Void = {}) -> ModelFingerprint {
        packedSHA256.map { ModelFingerprint(known: $0) }
            ?? ModelFingerprint(
                directories: [directory, towerDirectory ?? visionTower].compactMap(\.self), progress: progress)
    }
}

/// Weights whose head is the embedding, even if a separate head is stored.
private struct TiedHead: WeightSource {
    let source: any WeightSource
    let head: String
    let embedding: String

    func tensor(_ name: String, shape: [Int]) throws -> Tensor {
        try source.tensor(name == head + ".weight" ? embedding + ".weight" : name, shape: shape)
    }

    func release(_ name: String) { source.release(name == head + ".weight" ? embedding + ".weight" : name) }
}

extension WeightFormat {
    /// The format that keeps numbers of this type as they are.
    init(storing type: ElementType?) {
        self =
            switch type {
            case .float16: .f16
            case .bfloat16: .bf16
            case .float32, .float64, nil: .f32
            }
    }
}
