import Foundation
import Testing
import VisionLanguage

/// The settings of a checkpoint as different versions of transformers write them all mean the same model.
struct ConfigurationDriftTests {
    @Test("as transformers 5 writes it", arguments: Golden.all)
    func versionFive(golden: Golden) throws {
        let copy = try CheckpointCopy(of: golden)
        try copy.write()
        try copy.edit("config.json") { config in
            config["image_token_id"] = config.removeValue(forKey: "image_token_index")
            for key in ["ignore_index", "vocab_size", "projector_hidden_act", "vision_feature_layer"] {
                config[key] = nil
            }
        }
        try copy.edit(section: "text_config") { text in
            text["rope_parameters"] = ["rope_theta": 10000.0, "rope_type": "default"]
            for key in ["rope_theta", "rope_scaling"] { text[key] = nil }
        }
        try nestProcessor(copy)
        try copy.load().expectAnswers(of: golden)
    }

    @Test("as transformers 4.36 wrote it: whatever has its default value is left out", arguments: Golden.all)
    func absentDefaults(golden: Golden) throws {
        let copy = try CheckpointCopy(of: golden)
        try copy.write()
        try copy.edit("config.json") { config in
            config["torch_dtype"] = config.removeValue(forKey: "dtype")
            for key in ["image_seq_length", "multimodal_projector_bias", "vision_feature_select_strategy"] {
                config[key] = nil
            }
        }
        try copy.edit(section: "text_config") { text in
            for key in ["rope_theta", "hidden_act", "head_dim", "attention_bias", "mlp_bias"] { text[key] = nil }
            if golden.name == "hf" { text["num_key_value_heads"] = nil }
        }
        try copy.edit(section: "vision_config") { vision in
            for key in ["hidden_act", "layer_norm_eps", "num_channels"] { vision[key] = nil }
        }
        for name in ["processor_config.json", "generation_config.json"] { try copy.remove(name) }
        let greedy = try copy.load()
        #expect(try greedy.model.configuration == LLaVAConfiguration(directory: golden.directory))
        try greedy.expectAnswers(of: golden)
    }

    @Test("the sizes that the released 7B config.json leaves out")
    func released() throws {
        let copy = try CheckpointCopy(of: Golden.all[0])
        try copy.remove("config.json")
        try copy.write(
            [
                "model_type": "llava", "image_token_index": 32000, "vision_feature_layer": -2, "vocab_size": 32064,
                "vision_feature_select_strategy": "default", "projector_hidden_act": "gelu", "torch_dtype": "float16",
                "text_config": [
                    "model_type": "llama", "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "vocab_size": 32064,
                ],
                "vision_config": [
                    "model_type": "clip_vision_model", "hidden_size": 1024, "image_size": 336,
                    "intermediate_size": 4096,
                    "num_attention_heads": 16, "num_hidden_layers": 24, "patch_size": 14, "projection_dim": 768,
                ],
            ], to: "config.json")
        #expect(try LLaVAConfiguration(directory: copy.path) == LLaVAConfiguration.named("llava-1.5-7b"))
    }

    @Test("a feature layer counted from the front is the same layer")
    func positiveFeatureLayer() throws {
        let golden = Golden.all[1], copy = try CheckpointCopy(of: Golden.all[1])
        try copy.write()
        try copy.edit("config.json") { $0["vision_feature_layer"] = 2 }  // of 3: the output of the last but one
        try copy.load().expectAnswers(of: golden)
    }

    @Test("several end-of-sequence tokens")
    func endOfSequence() throws {
        let copy = try CheckpointCopy(of: Golden.all[1])
        try copy.edit("generation_config.json") { $0["eos_token_id"] = [2, 13] }
        #expect(try LLaVAConfiguration(directory: copy.path).endOfSequence == [2, 13])
    }

    /// Moves the image processor's settings into `processor_config.json`.
    private func nestProcessor(_ copy: CheckpointCopy) throws {
        let data = try Data(contentsOf: copy.folder.appendingPathComponent("preprocessor_config.json"))
        let settings = try JSONSerialization.jsonObject(with: data)
        try copy.edit("processor_config.json") { $0["image_processor"] = settings }
        try copy.remove("preprocessor_config.json")
    }
}
