import Foundation
public import JobVocabulary

/// The sizes of a LLaVA-1.5 or LLaVA-NeXT model, read from the `config.json` of its checkpoint.
///
/// Absent keys get the defaults of the configuration classes that wrote the file (`LlamaConfig`, `MistralConfig`,
/// `CLIPVisionConfig`, `LlavaConfig` of transformers): released files leave out most of them.
public struct LLaVAConfiguration: Sendable, Hashable {
    /// The CLIP tower.
    public struct Vision: Sendable, Hashable {
        /// Width of a row.
        public var hidden: Int
        /// Width inside the MLP.
        public var intermediate: Int
        /// Layers in the checkpoint.
        public var layers: Int
        /// Attention heads.
        public var heads: Int
        /// Side of the square picture, in pixels.
        public var imageSize: Int
        /// Side of a patch, in pixels.
        public var patchSize: Int
        /// Epsilon of layer normalisation.
        public var epsilon: Double
        /// `quick_gelu` or `gelu`.
        public var activation: String

        /// Patches along one side; pixels that are left over take part in none.
        public var side: Int { imageSize / patchSize }
        /// Visual tokens without the class token.
        public var patches: Int { side * side }
    }

    /// The Llama or Mistral decoder; they are one network.
    public struct Text: Sendable, Hashable {
        /// Width of a row.
        public var hidden: Int
        /// Width inside the MLP.
        public var intermediate: Int
        /// Layers.
        public var layers: Int
        /// Heads of queries.
        public var heads: Int
        /// Heads of keys and values.
        public var keyValueHeads: Int
        /// Width of one head.
        public var headSize: Int
        /// Rows of the embedding.
        public var vocabulary: Int
        /// Epsilon of RMS normalisation.
        public var epsilon: Double
        /// Base of the rotary frequencies.
        public var ropeBase: Double
        /// Positions the model was trained for, prompt and answer together.
        public var context: Int
        /// Whether the rows of the embedding are those of the head as well, whatever else is stored.
        public var tiesHead = false
    }

    /// The tower's sizes.
    public var vision: Vision
    /// The decoder's sizes.
    public var text: Text
    /// Index into the tower's hidden states: 0 is the embedding, −2 the output of the last layer but one.
    public var featureLayer: Int
    /// Whether the class token is passed on as a visual token (`full`) or dropped (`default`).
    public var keepsClassToken: Bool
    /// Whether the projector's layers have biases.
    public var projectorBias: Bool
    /// Id that stands for one visual token in a prompt; not necessarily a row of the embedding.
    public var imageToken: Int
    /// Ids that end an answer.
    public var endOfSequence: Set<Int>
    /// How pictures become square, where the checkpoint's files say so.
    public var framing: StatedFraming?
    /// How pictures of any size are laid on several tiles; nil if each is framed to be one tile (LLaVA-1.5).
    public var anyResolution: AnyResolution?

    /// How pictures become square where nobody asks for anything: as the checkpoint says, or else cut, as transformers does.
    public var usualFraming: PictureFraming { framing?.framing ?? .crop }

    /// How pictures become square, and where that is written.
    public struct StatedFraming: Sendable, Hashable {
        /// What happens to the sides of a picture that is not square.
        public var framing: PictureFraming
        /// The file and its key, with the value.
        public var place: String
    }

    /// Throws if a checkpoint says itself how pictures become square, and it is another way than the one asked for; and
    /// where it takes pictures as they are.
    public func check(_ asked: PictureFraming) throws(ModelError) {
        guard anyResolution == nil else {
            throw ModelError(
                .malformedConfiguration,
                "the model is LLaVA-NeXT, which lays each picture whole on a canvas of tiles, so that none becomes square; leave "
                    + "image_mode (--image-mode) out")
        }
        guard let framing, framing.framing != asked else { return }
        throw ModelError(
            .malformedConfiguration,
            "\(framing.place), so that pictures are \(framing.framing == .pad ? "filled up" : "cut") to a square; leave "
                + "image_mode (--image-mode) out, or ask for \(framing.framing.rawValue)")
    }

    /// How many tower layers have to run for `featureLayer`.
    public var visionLayersNeeded: Int { featureLayer < 0 ? vision.layers + 1 + featureLayer : featureLayer }
    /// Visual tokens of a tile before any reduction; where there are no tiles, of a picture.
    public var visualTokens: Int { vision.patches + (keepsClassToken ? 1 : 0) }

    /// The models whose sizes ``named(_:)`` knows; those of LLaVA-NeXT lay a picture on several tiles.
    public static var names: [String] { released.map(\.name) }

    /// Sizes of released models by name; nil for another name.
    public static func named(_ name: String) -> LLaVAConfiguration? { released.first { $0.name == name }?.sizes }

    private static let released: [(name: String, sizes: LLaVAConfiguration)] = {
        let vicuna7B = Text(
            hidden: 4096, intermediate: 11008, layers: 32, heads: 32, keyValueHeads: 32, headSize: 128,
            vocabulary: 32064, epsilon: 1e-5, ropeBase: 10000, context: 4096)
        let vicuna13B = Text(
            hidden: 5120, intermediate: 13824, layers: 40, heads: 40, keyValueHeads: 40, headSize: 128,
            vocabulary: 32064, epsilon: 1e-5, ropeBase: 10000, context: 4096)
        let mistral7B = Text(
            hidden: 4096, intermediate: 14336, layers: 32, heads: 32, keyValueHeads: 8, headSize: 128,
            vocabulary: 32064, epsilon: 1e-5, ropeBase: 1_000_000, context: 32768)
        func model(_ text: Text, _ anyResolution: AnyResolution? = nil) -> LLaVAConfiguration {
            var model = LLaVAConfiguration(
                vision: Vision(
                    hidden: 1024, intermediate: 4096, layers: 24, heads: 16, imageSize: 336, patchSize: 14,
                    epsilon: 1e-5, activation: "quick_gelu"),
                text: text, featureLayer: -2, keepsClassToken: false, projectorBias: true, imageToken: 32000,
                endOfSequence: [2])
            model.anyResolution = anyResolution
            return model
        }
        return [
            ("llava-1.5-7b", model(vicuna7B)), ("llava-1.5-13b", model(vicuna13B)),
            ("llava-v1.6-vicuna-7b", model(vicuna7B, .released)),
            ("llava-v1.6-vicuna-13b", model(vicuna13B, .released)),
            ("llava-v1.6-mistral-7b", model(mistral7B, .released)),
        ]
    }()

    /// A model that takes every picture as one tile.
    init(
        vision: Vision, text: Text, featureLayer: Int, keepsClassToken: Bool, projectorBias: Bool, imageToken: Int,
        endOfSequence: Set<Int>
    ) {
        self.vision = vision
        self.text = text
        self.featureLayer = featureLayer
        self.keepsClassToken = keepsClassToken
        self.projectorBias = projectorBias
        self.imageToken = imageToken
        self.endOfSequence = endOfSequence
    }
}
