import Foundation
import ImageDecoding

extension LLaVAConfiguration {
    /// Reads `config.json` of `directory`; the original LLaVA layout takes the tower's sizes from `visionTower`.
    public init(directory: String, visionTower: String? = nil) throws(ModelError) {
        let checkpoint = try CheckpointFiles(directory: directory, visionTower: visionTower)
        try self.init(checkpoint, of: ModelFamily.of(checkpoint))
    }

    /// Reads the sizes of a checkpoint of `family`.
    init(_ checkpoint: CheckpointFiles, of family: ModelFamily) throws(ModelError) {
        self = try family.configuration(checkpoint)
        try endOfSequence = Self.endOfSequence(directory: checkpoint.directory, checkpoint.file)
        try check(checkpoint.file.path)
    }

    /// The `llava-hf` layout: nested `text_config` and `vision_config`.
    ///
    /// - Parameter places: The tables that know the keys of the top level; see ``CheckpointSettings``.
    init(huggingFace file: ConfigurationFile, as places: [CheckpointSettings]) throws(ModelError) {
        guard let text = file.section("text_config"), let vision = file.section("vision_config") else {
            throw ModelError(.malformedConfiguration, "text_config and vision_config must be objects", at: file.path)
        }
        let decoder = try text.require("model_type", ["llama", "mistral"], default: "llama")
        _ = try vision.require("model_type", ["clip_vision_model"], default: "clip_vision_model")
        try CheckpointSettings.check(file, as: places)
        try CheckpointSettings.check(text, as: .text)
        try CheckpointSettings.check(vision, as: .vision)
        let text_ = try Text(
            text, defaults: decoder == "mistral" ? .mistral : .llama,
            vocabulary: file.integer("vocab_size", default: 32000, in: 1...10_000_000))
        if decoder == "mistral" { try Text.checkSlidingWindow(text) }
        // Trainers note the language model's width once more.
        _ = try file.integer("hidden_size", default: text_.hidden, in: text_.hidden...text_.hidden)
        let image = file.has("image_token_id") ? "image_token_id" : "image_token_index"
        _ = try file.require("projector_hidden_act", ["gelu"], default: "gelu")
        try self.init(
            vision: Vision(vision), text: text_,
            featureLayer: file.integer("vision_feature_layer", default: -2, in: -1000...1000),
            keepsClassToken: file.require(
                "vision_feature_select_strategy", ["default", "full"], default: "default") == "full",
            projectorBias: file.flag("multimodal_projector_bias", default: true),
            imageToken: file.integer(image, default: 32000, in: 0...10_000_000), endOfSequence: [])
    }

    /// The authors' layout: decoder sizes at the top level, the tower in a folder of its own.
    ///
    /// - Parameter places: The tables that know the keys of the top level; see ``CheckpointSettings``.
    init(original checkpoint: CheckpointFiles, as places: [CheckpointSettings]) throws(ModelError) {
        let file = checkpoint.file
        try CheckpointSettings.check(file, as: places)
        let tower = try Self.towerDirectory(file, directory: checkpoint.directory, given: checkpoint.visionTower)
        let towerFile = try ConfigurationFile(path: tower + "/config.json")
        let towerSettings = towerFile.section("vision_config") ?? towerFile
        _ = try towerSettings.require("model_type", ["clip_vision_model"], default: "clip_vision_model")
        try towerFile.refuse("quantization_config", unless: [], changing: "results")
        try CheckpointSettings.check(towerSettings, as: .vision)
        let vision = try Vision(towerSettings)
        let isMistral = try file.text("model_type") == "llava_mistral"
        let text = try Text(file, defaults: isMistral ? .mistral : .llama, vocabulary: 32000)
        if isMistral { try Text.checkSlidingWindow(file) }
        _ = try file.require("mm_projector_type", ["mlp2x_gelu"], default: "mlp2x_gelu")
        try self.init(
            vision: vision, text: text,
            featureLayer: file.integer("mm_vision_select_layer", default: -2, in: -1000...1000),
            keepsClassToken: file.require("mm_vision_select_feature", ["patch", "cls_patch"], default: "patch")
                == "cls_patch",
            projectorBias: true, imageToken: text.vocabulary, endOfSequence: [])
    }

    /// The folder of the tower of the checkpoint in `directory`, where it is a checkpoint of its own; nil if nobody named one
    /// and the model holds its tower.
    static func towerDirectory(of directory: String, given: String?) throws(ModelError) -> String? {
        let file = try ConfigurationFile(path: directory + "/config.json")
        return try separateTower(file, directory: directory, given: given) ?? given
    }

    /// The folder that the sizes of the tower stand in, in the authors' layout; nil in the other.
    static func separateTower(
        _ file: ConfigurationFile, directory: String, given: String?
    ) throws(ModelError) -> String? {
        guard !file.has("text_config") else { return nil }
        return try towerDirectory(file, directory: directory, given: given)
    }

    /// Where the tower of an original checkpoint is: as given, or as `mm_vision_tower` names it.
    static func towerDirectory(
        _ file: ConfigurationFile, directory: String, given: String?
    ) throws(ModelError) -> String {
        var name = given ?? ""
        if given == nil { name = try file.text("mm_vision_tower", default: "clip_tower") }
        let last = lastPart(of: name)
        for candidate in [name, directory + "/" + name, directory + "/" + last, directory + "/../" + last]
        where FileManager.default.fileExists(atPath: candidate + "/config.json") {
            return candidate
        }
        throw ModelError(
            .missingFile,
            "this is an original LLaVA checkpoint, whose vision tower (\(name)) is a checkpoint of its own; "
                + "put it beside or inside the folder, or name it with vision_tower (--vision-tower)", at: file.path)
    }

    /// The name that a tower has which lies inside an original checkpoint's folder.
    static func towerName(_ file: ConfigurationFile) throws(ModelError) -> String {
        lastPart(of: try file.text("mm_vision_tower", default: "clip_tower"))
    }

    private static func lastPart(of path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    /// What ends an answer: `generation_config.json` says it, or else `config.json` or its language model.
    private static func endOfSequence(
        directory: String, _ configuration: ConfigurationFile
    ) throws(ModelError) -> Set<Int> {
        let path = directory + "/generation_config.json"
        var places = [configuration, configuration.section("text_config")].compactMap(\.self)
        if FileManager.default.fileExists(atPath: path) {
            let file = try ConfigurationFile(path: path)
            try GenerationSettings.check(file)
            places.insert(file, at: 0)
        } else {
            for place in places { try GenerationSettings.checkKnown(place) }
        }
        guard let place = places.first(where: { $0.has("eos_token_id") }) else { return [2] }
        return Set(try place.integers("eos_token_id", default: [2], in: 0...10_000_000))
    }

    private func check(_ path: String) throws(ModelError) {
        let problem: String? =
            if vision.hidden % vision.heads != 0 {
                "vision heads must divide the hidden size"
            } else if vision.imageSize < vision.patchSize {
                "patch_size is larger than image_size"
            } else if vision.patches > 65534 {
                "more than 65,534 patches are not supported"
            } else if let canvases = anyResolution?.canvases,
                canvases.contains(where: { size in
                    let tiles = 1 + (size.height / vision.imageSize) * (size.width / vision.imageSize)
                    return tiles * vision.patches > 65534
                })
            {
                "image_grid_pinpoints has a canvas of more than 65,534 patches, which is not supported"
            } else if text.heads % text.keyValueHeads != 0 {
                "num_key_value_heads must divide num_attention_heads"
            } else if text.headSize % 2 != 0 {
                "rotary positions need an even head size"
            } else if !(0...vision.layers).contains(visionLayersNeeded) { "the feature layer does not exist" } else {
                nil
            }
        if let problem { throw ModelError(.malformedConfiguration, problem, at: path) }
    }
}

extension LLaVAConfiguration.Vision {
    fileprivate init(_ file: ConfigurationFile) throws(ModelError) {
        hidden = try file.integer("hidden_size", default: 768, in: 1...65536)
        intermediate = try file.integer("intermediate_size", default: 3072, in: 1...1_048_576)
        layers = try file.integer("num_hidden_layers", default: 12, in: 1...1000)
        heads = try file.integer("num_attention_heads", default: 12, in: 1...4096)
        imageSize = try file.integer("image_size", default: 224, in: 1...8192)
        patchSize = try file.integer("patch_size", default: 32, in: 1...8192)
        epsilon = try file.positive("layer_norm_eps", default: 1e-5)
        activation = try file.require("hidden_act", ["quick_gelu", "gelu"], default: "quick_gelu")
    }
}

extension LLaVAConfiguration.Text {
    /// What absent keys mean, where the two decoders differ.
    fileprivate struct Defaults {
        let intermediate: Int
        /// nil: as many as heads.
        let keyValueHeads: Int?
        let context: Int

        static let llama = Defaults(intermediate: 11008, keyValueHeads: nil, context: 2048)
        static let mistral = Defaults(intermediate: 14336, keyValueHeads: 8, context: 131_072)
    }

    /// Refuses attention that sees a window only, which `MistralConfig` takes where the file says nothing.
    fileprivate static func checkSlidingWindow(_ file: ConfigurationFile) throws(ModelError) {
        guard !file.has("sliding_window"), !file.isNull("sliding_window") else { return }
        throw file.wrong(
            "sliding_window",
            "null: without the key Mistral sees a window of 4,096 rows, which is not supported")
    }

    fileprivate init(_ file: ConfigurationFile, defaults: Defaults, vocabulary: Int)
        throws(ModelError)
    {
        hidden = try file.integer("hidden_size", default: 4096, in: 1...65536)
        intermediate = try file.integer(
            "intermediate_size", default: defaults.intermediate, in: 1...1_048_576)
        layers = try file.integer("num_hidden_layers", default: 32, in: 1...1000)
        heads = try file.integer("num_attention_heads", default: 32, in: 1...4096)
        let shared = file.isNull("num_key_value_heads") ? nil : defaults.keyValueHeads
        keyValueHeads = try file.integer("num_key_value_heads", default: shared ?? heads, in: 1...4096)
        headSize = try file.integer("head_dim", default: max(1, hidden / heads), in: 1...4096)
        self.vocabulary = try file.integer("vocab_size", default: vocabulary, in: 1...10_000_000)
        epsilon = try file.positive("rms_norm_eps", default: 1e-6)
        ropeBase = try Self.ropeBase(file)
        context = try file.integer(
            "max_position_embeddings", default: defaults.context, in: 1...10_000_000)
        tiesHead = try file.flag("tie_word_embeddings", default: false)
        _ = try file.require("hidden_act", ["silu"], default: "silu")
        for key in ["attention_bias", "mlp_bias"] where try file.flag(key, default: false) {
            throw ModelError(.malformedConfiguration, "\(key) is set; LLaVA decoders have no biases", at: file.path)
        }
    }

    /// The base of rotary positions, which are not scaled. Transformers 5 writes one object of all that is about them.
    private static func ropeBase(_ file: ConfigurationFile) throws(ModelError) -> Double {
        var base = try file.positive("rope_theta", default: 10000)
        for key in ["rope_scaling", "rope_parameters"] where file.has(key) {
            guard let rope = file.section(key) else { throw file.wrong(key, "an object") }
            // Before transformers 4.43 the key was `type`.
            let type = try rope.text(rope.has("rope_type") ? "rope_type" : "type", default: "")
            guard type == "default" || type.isEmpty && !rope.has("factor") else {
                throw ModelError(.malformedConfiguration, "scaled rotary positions are not supported", at: file.path)
            }
            try rope.allow(only: ["rope_type", "type", "rope_theta", "factor"])
            base = try rope.positive("rope_theta", default: base)
        }
        return base
    }
}
