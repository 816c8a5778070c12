/// The sizes of a whole CLIP model's text side, read from its `config.json`; absent keys get the defaults of
/// transformers' `CLIPTextConfig`.
struct CLIPSizes: Equatable {
    /// The text tower.
    struct Text: Equatable {
        let hidden, intermediate, layers, heads, vocabulary: Int
        /// Rows of the position table: the most ids of a piece.
        let positions: Int
        let epsilon: Double
        /// `quick_gelu` or `gelu`.
        let activation: String
        let pooled: PooledID
    }

    /// Which row of a piece stands for it.
    enum PooledID: Equatable {
        /// That of the largest id: the rule of configurations that say `eos_token_id` is 2, as OpenAI's do.
        case largest
        /// That of the first end marker, or the first row of a piece without one.
        case end(Int)

        /// The first such row of `ids`.
        func position(in ids: [Int]) -> Int {
            switch self {
            case .largest: ids.indices.max { ids[$0] < ids[$1] || (ids[$0] == ids[$1] && $0 > $1) } ?? 0
            case .end(let end): ids.firstIndex(of: end) ?? 0
            }
        }
    }

    /// The text tower.
    let text: Text
    /// Width of the space that pictures and texts share.
    let projection: Int

    /// Reads the sizes of the checkpoint whose `config.json` this is.
    init(_ file: ConfigurationFile) throws(ModelError) {
        guard let section = file.section("text_config") else {
            throw ModelError(
                .malformedConfiguration, "text_config is missing; is this a whole CLIP model?", at: file.path)
        }
        let end = try section.integer("eos_token_id", default: 49407, in: 0...10_000_000)
        text = try Text(
            hidden: section.integer("hidden_size", default: 512, in: 1...65536),
            intermediate: section.integer("intermediate_size", default: 2048, in: 1...1_048_576),
            layers: section.integer("num_hidden_layers", default: 12, in: 1...1000),
            heads: section.integer("num_attention_heads", default: 8, in: 1...4096),
            vocabulary: section.integer("vocab_size", default: 49408, in: 1...10_000_000),
            positions: section.integer("max_position_embeddings", default: 77, in: 1...65536),
            epsilon: section.positive("layer_norm_eps", default: 1e-5),
            activation: section.require("hidden_act", ["quick_gelu", "gelu"], default: "quick_gelu"),
            pooled: end == 2 ? .largest : .end(end))
        guard text.hidden % text.heads == 0 else {
            throw ModelError(.malformedConfiguration, "text heads must divide the hidden size", at: file.path)
        }
        let own = try section.integer("projection_dim", default: 512, in: 1...65536)
        projection = try file.integer("projection_dim", default: own, in: 1...65536)
    }
}
