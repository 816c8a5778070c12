import Foundation
import ImageDecoding
import JobModel
import Tensors
import TestSupport
import Testing
import Tokenization
import VisionLanguage

/// Whatever stands in the settings of a checkpoint ends in a model or in a typed error, never in a trap.
struct HostileConfigurationTests {
    private let golden = Golden.all[1]

    /// Where a number or word stands, and what must not.
    static let refused: [(section: String?, key: String, value: any Sendable)] = [
        ("text_config", "hidden_size", -40), ("text_config", "hidden_size", 0), ("text_config", "hidden_size", 1e300),
        ("text_config", "hidden_size", "40"), ("text_config", "hidden_size", 40.5),
        ("text_config", "hidden_size", [40]),
        ("text_config", "num_attention_heads", 0), ("text_config", "num_attention_heads", -4),
        ("text_config", "num_key_value_heads", 3), ("text_config", "num_key_value_heads", 8),
        ("text_config", "head_dim", 5), ("text_config", "head_dim", -2),
        ("text_config", "num_hidden_layers", 1_000_000_000), ("text_config", "vocab_size", Int.max),
        ("text_config", "rms_norm_eps", -1e-5), ("text_config", "rms_norm_eps", "small"),
        ("text_config", "max_position_embeddings", 0), ("text_config", "hidden_act", "relu"),
        ("text_config", "attention_bias", true), ("text_config", "rope_theta", 0),
        ("text_config", "rope_scaling", ["rope_type": "linear", "factor": "2"]),
        ("text_config", "rope_scaling", ["type": "linear", "factor": "2"]),
        ("vision_config", "num_attention_heads", 5),
        ("vision_config", "patch_size", 0), ("vision_config", "patch_size", 57), ("vision_config", "image_size", -56),
        ("vision_config", "image_size", 1e18), ("vision_config", "hidden_act", "gelu_new"),
        ("text_config", "model_type", "qwen2"), ("vision_config", "model_type", "siglip_vision_model"),
        (nil, "vision_feature_layer", -5), (nil, "vision_feature_layer", 4), (nil, "vision_feature_layer", [-2, -5]),
        (nil, "vision_feature_select_strategy", "cls"), (nil, "projector_hidden_act", "relu"),
        (nil, "image_token_index", -1), (nil, "text_config", "none"), (nil, "vision_config", [1]),
        (nil, "model_type", 5),
    ]

    @Test("settings that cannot be right are refused by name", arguments: refused.indices)
    func refuses(index: Int) throws {
        let (section, key, value) = Self.refused[index]
        let copy = try CheckpointCopy(of: golden)
        if let section {
            try copy.edit(section: section) { $0[key] = value }
        } else {
            try copy.edit("config.json") { $0[key] = value }
        }
        let error = try #require(throws: ModelError.self, "\(key) = \(value)") {
            try LLaVAConfiguration(directory: copy.path)
        }
        #expect(error.message.contains(copy.path + "/config.json"))
        #expect([.malformedConfiguration, .unknownModelType].contains(error.code))
    }

    /// Settings of pictures that would be computed wrongly, were they ignored.
    static let refusedForPictures: [(key: String, value: any Sendable)] = [
        ("image_mean", "bright"), ("image_mean", [0.5, 0.5]), ("image_mean", ["0.5", "0.5", "0.5"]),
        ("image_std", [0.5, 0, 0.5]), ("rescale_factor", -1), ("resample", 2), ("do_center_crop", false),
        ("size", ["shortest_edge": 20]), ("size", ["shortest_edge": 100_000]), ("crop_size", "56"),
    ]

    @Test("settings of pictures that cannot be carried out are refused by name", arguments: refusedForPictures.indices)
    func refusesPictures(index: Int) throws {
        let (key, value) = Self.refusedForPictures[index]
        let copy = try CheckpointCopy(of: golden)
        try copy.edit("preprocessor_config.json") { $0[key] = value }
        let configuration = try LLaVAConfiguration(directory: copy.path)
        let error = try #require(throws: (any Error).self, "\(key) = \(value)") {
            try LLaVAProcessor(directory: copy.path, configuration: configuration)
        }
        #expect(error is ModelError || error is ImageError)
        #expect("\(error)".contains(copy.path + "/preprocessor_config.json"))
    }

    /// What a mutation puts in the place of a value.
    static let poison: [String] = [
        "-1", "0", "1", "2", "3", "7", "65535", "65536", "4294967296", "9223372036854775807", "-9223372036854775808",
        "1e19", "1e308", "1e-308", "-0.0", "0.5", "true", "false", "null", "\"\"", "\"40\"", "\"\\u0000\"", "[]", "[1]",
        "[null]", "{}", "{\"a\":{}}", "18446744073709551616", "1e999",
    ]

    @Test("any value in the place of any other", arguments: Golden.all)
    func mutations(golden: Golden) throws {
        var copy = try CheckpointCopy(of: golden)
        copy.tensors = copy.tensors.filter { $0.key.hasPrefix("nothing") }
        let weights = URL(fileURLWithPath: golden.directory + "/model.safetensors")
        try FileManager.default.copyItem(at: weights, to: copy.folder.appendingPathComponent("model.safetensors"))
        var loaded = 0, refused = 0
        for file in ["config.json", "preprocessor_config.json", "generation_config.json"] {
            let url = copy.folder.appendingPathComponent(file)
            let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n").map(String.init)
            for index in lines.indices {
                guard let colon = lines[index].range(of: "\": "), !lines[index].hasSuffix("{"),
                    !lines[index].hasSuffix("[")
                else { continue }
                for value in Self.poison {
                    var mutated = lines
                    let comma = lines[index].hasSuffix(",") ? "," : ""
                    mutated[index] = lines[index][..<colon.upperBound] + value + comma
                    try mutated.joined(separator: "\n").write(to: url, atomically: false, encoding: .utf8)
                    if try survives(copy) { loaded += 1 } else { refused += 1 }
                }
            }
            try lines.joined(separator: "\n").write(to: url, atomically: false, encoding: .utf8)
        }
        #expect(loaded > 300 && refused > 300, "\(loaded) loaded, \(refused) refused")
    }

    /// Whether the copy loads and runs; anything but the errors of these modules fails the test.
    private func survives(_ copy: CheckpointCopy) throws -> Bool {
        do {
            let greedy = try copy.load()
            guard greedy.model.configuration.visualTokens <= 16 else { return true }
            let plan = try greedy.plan()
            let patches = greedy.model.configuration.vision.patches
            let side = greedy.model.configuration.vision.patchSize
            let picture = Tensor(
                [Float](repeating: 0.1, count: patches * 3 * side * side), shape: [patches, 3 * side * side])
            let prompt = try greedy.processor.prompt("What?", template: .hf)
            _ = try greedy.answer([(prompt, picture)], plans: [plan], tokens: 2)
            return true
        } catch let error as ModelError {
            if error.code != .promptTooLong { expectCauseBeforePath(error, copy) }
        } catch let error as TensorError {
            expectCauseBeforePath(error, copy)
        } catch let error as TokenizerError {
            expectCauseBeforePath(error, copy)
        } catch let error as ImageError {
            expectCauseBeforePath(error, copy)
        }
        return false
    }

    /// A message names the file, and not at its beginning: what is shown in part must show the cause.
    private func expectCauseBeforePath(_ error: any Error, _ copy: CheckpointCopy) {
        #expect("\(error)".contains(copy.path) && !"\(error)".hasPrefix(copy.path), "\(error)")
    }
}
