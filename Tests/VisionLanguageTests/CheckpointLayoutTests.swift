import Foundation
import Tensors
import Testing
import VisionLanguage

/// The layouts in which LLaVA checkpoints are published and saved all give the same model.
struct CheckpointLayoutTests {
    /// A layout in one folder: what becomes of the released prefixes.
    struct Names: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let prefixes: [(old: String, new: String)]

        func callAsFunction(_ name: String) -> String {
            for (old, new) in prefixes where name.hasPrefix(old) { return new + name.dropFirst(old.count) }
            return name
        }
    }

    static let oneFolder = [
        Names(
            testDescription: "transformers 4.52",
            prefixes: [
                ("language_model.model.", "model.language_model."), ("language_model.lm_head.", "lm_head."),
                ("vision_tower.", "model.vision_tower."), ("multi_modal_projector.", "model.multi_modal_projector."),
                ("image_newline", "model.image_newline"),
            ]),
        Names(
            testDescription: "transformers 5.6",
            prefixes: [
                ("language_model.model.", "model.language_model."), ("language_model.lm_head.", "lm_head."),
                ("vision_tower.vision_model.", "model.vision_tower."),
                ("multi_modal_projector.", "model.multi_modal_projector."), ("image_newline", "model.image_newline"),
            ]),
        Names(
            testDescription: "made and saved by transformers 5",
            prefixes: [("vision_tower.vision_model.", "vision_tower.")]),
    ]

    static let original = Names(
        testDescription: "original",
        prefixes: [
            ("language_model.model.", "model."), ("language_model.lm_head.", "lm_head."),
            ("multi_modal_projector.linear_1.", "model.mm_projector.0."),
            ("multi_modal_projector.linear_2.", "model.mm_projector.2."),
        ])

    @Test("names of later versions of transformers", arguments: Golden.all, oneFolder)
    func newNames(golden: Golden, names: Names) throws {
        var copy = try CheckpointCopy(of: golden)
        copy.rename { names($0) }
        try copy.write()
        try copy.load().expectAnswers(of: golden)
    }

    @Test("three shards with an index; a layer's tensors straddle them", arguments: Golden.all)
    func sharded(golden: Golden) throws {
        let copy = try CheckpointCopy(of: golden)
        try copy.write(shards: 3)
        try copy.load().expectAnswers(of: golden)
    }

    @Test("the authors' layout with its tower inside the folder", arguments: Golden.all)
    func original(golden: Golden) throws {
        let copy = try Self.originalCopy(of: golden, tower: "clip_tower")
        let greedy = try copy.load()
        #expect(greedy.model.configuration.text.vocabulary == 640)
        try greedy.expectAnswers(of: golden)
    }

    @Test("the authors' layout with its tower elsewhere", arguments: Golden.all)
    func originalWithTower(golden: Golden) throws {
        let copy = try Self.originalCopy(of: golden, tower: "../elsewhere/tower")
        let backend = CPUBackend(precision: .float32, threads: 2)
        let lost = try #require(throws: ModelError.self) { try GreedyModel(directory: copy.path, backend: backend) }
        #expect(lost.code == .missingFile && lost.message.contains("--vision-tower"))
        let tower = copy.folder.appendingPathComponent("../elsewhere/tower").standardizedFileURL.path
        try GreedyModel(directory: copy.path, visionTower: tower, backend: backend).expectAnswers(of: golden)
    }

    @Test("the authors' layout with a fine-tuned tower among its weights", arguments: Golden.all)
    func fineTunedTower(golden: Golden) throws {
        var copy = try Self.originalCopy(of: golden, tower: "clip_tower")
        for (name, tensor) in try CheckpointCopy(of: golden).tensors where name.hasPrefix("vision_tower.") {
            copy.tensors["model.vision_tower." + name] = tensor
        }
        try copy.write()
        try copy.remove("clip_tower/model.safetensors")
        try copy.load().expectAnswers(of: golden)
    }

    /// The copy as the authors publish it, extra tensors included; the tower is written to the folder `tower`.
    static func originalCopy(of golden: Golden, tower: String) throws -> CheckpointCopy {
        var copy = try CheckpointCopy(of: golden)
        let towerFolder = copy.folder.appendingPathComponent(tower)
        var towerTensors: [String: Tensor] = [:]
        for (name, tensor) in copy.take("vision_tower.") { towerTensors[String(name.dropFirst(13))] = tensor }
        towerTensors["logit_scale"] = Tensor([Float(4.6)], shape: [])
        towerTensors["visual_projection.weight"] = Tensor([Float](repeating: 1, count: 4), shape: [2, 2])
        towerTensors["text_model.final_layer_norm.weight"] = Tensor([Float](repeating: 1, count: 3), shape: [3])
        try CheckpointCopy.write(towerTensors, to: towerFolder)
        try appendPositionIDs(to: towerFolder.appendingPathComponent("model.safetensors"))

        copy.rename { Self.original($0) }
        for name in ["model.embed_tokens.weight", "lm_head.weight"] {
            copy.tensors[name] = try #require(copy.tensors[name]).rows(0..<640)
        }
        copy.tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = Tensor([Float(1), 0.5], shape: [2])
        try copy.write()
        try copy.edit("config.json") { config in
            var flat = try #require(config["text_config"] as? [String: Any])
            let vision = try #require(config["vision_config"] as? [String: Any])
            flat.merge([
                "model_type": "llava_llama", "vocab_size": 640, "mm_projector_type": "mlp2x_gelu",
                "mm_vision_select_layer": -2, "mm_vision_select_feature": "patch",
                "mm_vision_tower": "openai/clip_tower", "mm_use_im_start_end": false,
            ]) { _, new in new }
            config = flat
            try copy.write(["model_type": "clip", "vision_config": vision], to: tower + "/config.json")
        }
        for name in ["preprocessor_config.json", "processor_config.json"] { try copy.remove(name) }
        return copy
    }

    /// Adds `vision_model.embeddings.position_ids`, int64, as OpenAI's upload has it.
    private static func appendPositionIDs(to file: URL) throws {
        var data = try Data(contentsOf: file)
        let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let json = try JSONSerialization.jsonObject(with: data[8..<8 + length])
        var header = try #require(json as? [String: Any])
        let numbers = data[(8 + length)...]
        header["vision_model.embeddings.position_ids"] = [
            "dtype": "I64", "shape": [1, 2], "data_offsets": [numbers.count, numbers.count + 16],
        ]
        let encoded = try JSONSerialization.data(withJSONObject: header)
        data =
            withUnsafeBytes(of: UInt64(encoded.count).littleEndian) { Data($0) } + encoded + numbers + Data(count: 16)
        try data.write(to: file)
    }
}
