import Foundation
import Tensors
import Testing
import Tokenization
import VisionLanguage

/// A checkpoint that cannot be run is refused by an error that names the file and says what to do.
struct BadCheckpointTests {
    private let golden = Golden.all[1]

    @Test(
        "a missing tensor, wherever it belongs",
        arguments: [
            "language_model.model.layers.1.mlp.down_proj.weight", "language_model.model.norm.weight",
            "language_model.lm_head.weight", "multi_modal_projector.linear_2.bias",
            "vision_tower.vision_model.encoder.layers.0.self_attn.q_proj.bias",
            "vision_tower.vision_model.embeddings.position_embedding.weight",
        ])
    func missingTensor(name: String) throws {
        var copy = try CheckpointCopy(of: golden)
        copy.tensors[name] = nil
        try copy.write()
        let error = try #require(throws: ModelError.self) { try copy.load() }
        #expect(error.code == .missingTensor)
        #expect(error.message.contains(copy.path) && error.message.contains(name))
    }

    @Test("what no layer needs may be missing")
    func unneeded() throws {
        var copy = try CheckpointCopy(of: golden)
        _ = copy.take("vision_tower.vision_model.encoder.layers.2.")  // the features are those of the layer before
        _ = copy.take("vision_tower.vision_model.post_layernorm.")
        try copy.write()
        try copy.load().expectAnswers(of: golden)
    }

    @Test(
        "a tensor of another shape",
        arguments: [
            "language_model.model.embed_tokens.weight", "language_model.model.layers.0.self_attn.k_proj.weight",
            "multi_modal_projector.linear_1.weight", "vision_tower.vision_model.embeddings.patch_embedding.weight",
        ])
    func wrongShape(name: String) throws {
        var copy = try CheckpointCopy(of: golden)
        let tensor = try #require(copy.tensors[name])
        copy.tensors[name] = tensor.rows(0..<tensor.rows - 1)
        try copy.write()
        let error = try #require(throws: ModelError.self) { try copy.load() }
        #expect(error.code == .wrongShape)
        #expect(error.message.contains(copy.path) && error.message.contains(name))
        #expect(error.message.contains("\(tensor.shape)"))
    }

    @Test("a file that ends early", arguments: [0, 5, 100, 20_000, 298_000])
    func truncated(length: Int) throws {
        let copy = try CheckpointCopy(of: golden)
        try copy.write()
        let file = copy.folder.appendingPathComponent("model.safetensors")
        try Data(contentsOf: file).prefix(length).write(to: file)
        let error = try #require(throws: TensorError.self) { try copy.load() }
        #expect(error.code == .malformedFile)
        #expect(error.message.contains(file.path))
    }

    @Test("no weights, and weights of something else")
    func noWeights() throws {
        var copy = try CheckpointCopy(of: golden)
        let absent = try #require(throws: TensorError.self) { try copy.load() }
        #expect(absent.code == .cannotOpen && absent.message.contains(copy.path))

        copy.tensors = ["bert.embeddings.weight": Tensor([Float(1)], shape: [1])]
        try copy.write()
        let foreign = try #require(throws: ModelError.self) { try copy.load() }
        #expect(foreign.code == .missingTensor)
        #expect(foreign.message.contains(copy.path) && foreign.message.contains("no LLaVA weights"))
    }

    @Test("an unknown model type")
    func unknownModel() throws {
        let copy = try CheckpointCopy(of: golden)
        try copy.write()
        try copy.edit("config.json") { $0["model_type"] = "llava_onevision" }
        let error = try #require(throws: ModelError.self) { try copy.load() }
        #expect(error.code == .unknownModelType)
        #expect(error.message.contains("config.json") && error.message.contains("llava_onevision"))
    }

    @Test("a folder that is not there, and a config.json that is not JSON")
    func noConfiguration() throws {
        let absent = try #require(throws: ModelError.self) { try LLaVAConfiguration(directory: "/nowhere/at/all") }
        #expect(absent.code == .missingFile && absent.message.contains("there is no folder /nowhere/at/all"))
        #expect(!absent.message.contains("hf download"))
        let hub = try #require(throws: ModelError.self) { try LLaVAConfiguration(directory: "nowhere-at/all") }
        #expect(hub.message.contains("hf download nowhere-at/all --local-dir models/all"))
        let copy = try CheckpointCopy(of: golden)
        for text in ["", "{", "[]", "\u{0}", "{\"model_type\": NaN}"] {
            try text.write(to: copy.folder.appendingPathComponent("config.json"), atomically: false, encoding: .utf8)
            let error = try #require(throws: ModelError.self) { try LLaVAConfiguration(directory: copy.path) }
            #expect(error.code == .malformedConfiguration && error.message.contains("config.json"))
        }
    }

    @Test("a tokenizer with more pieces than the model embeds")
    func tokenizerTooLarge() throws {
        var copy = try CheckpointCopy(of: golden)
        for name in ["language_model.model.embed_tokens.weight", "language_model.lm_head.weight"] {
            copy.tensors[name] = try #require(copy.tensors[name]).rows(0..<500)
        }
        try copy.write()
        try copy.edit("config.json") { $0["vocab_size"] = 500 }
        try copy.edit(section: "text_config") { $0["vocab_size"] = 500 }
        let error = try #require(throws: ModelError.self) { try copy.load() }
        #expect(error.code == .vocabularyMismatch)
        #expect(error.message.contains("tokenizer.json") && error.message.contains("500"))
    }

    @Test("an image token that the tokenizer knows under another id", arguments: [5, 639, 645])
    func imageTokenMismatch(id: Int) throws {
        let copy = try CheckpointCopy(of: golden)
        try copy.write()
        try copy.edit("config.json") { $0["image_token_index"] = id }
        let error = try #require(throws: TokenizerError.self) { try copy.load() }
        #expect(error.code == .vocabularyMismatch && error.file.contains(copy.path))
    }

    @Test("pictures cut to another size than the tower's")
    func cropMismatch() throws {
        let copy = try CheckpointCopy(of: golden)
        try copy.write()
        try copy.edit("preprocessor_config.json") { $0["crop_size"] = ["height": 42, "width": 42] }
        let error = try #require(throws: ModelError.self) { try copy.load() }
        #expect(error.code == .malformedConfiguration)
        #expect(error.message.contains("preprocessor_config.json") && error.message.contains("42"))
    }
}
