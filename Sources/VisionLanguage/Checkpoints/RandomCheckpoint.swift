import Foundation
import ImageDecoding
import Tensors

/// Writes a checkpoint of random weights: what loading does, and what it costs, can be tried without real weights.
public enum RandomCheckpoint {
    /// Writes `config.json` and sharded safetensors with their index into `directory`; returns the number of tensors.
    public static func write(_ configuration: LLaVAConfiguration, to directory: String, shardBytes: Int) throws -> Int {
        guard !FileManager.default.fileExists(atPath: directory) else {
            throw ModelError(.missingFile, "the folder exists; name a folder that does not", at: directory)
        }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let weights = RandomWeights(seed: 1)
        let shards = shards(of: tensors(configuration), atMost: shardBytes)
        var map: [String: String] = [:]
        for (number, shard) in shards.enumerated() {
            let name = String(format: "model-%05d-of-%05d.safetensors", number + 1, shards.count)
            var writer = try SafetensorsWriter(
                path: directory + "/" + name,
                declaring: shard.map { SafetensorsWriter.Declaration($0.name, shape: $0.shape, type: .bfloat16) })
            for tensor in shard {
                try writer.append(weights.tensor(tensor.name, shape: tensor.shape))
                map[tensor.name] = name
            }
            try writer.finish()
        }
        try writeJSON(["metadata": [:], "weight_map": map], to: directory + "/model.safetensors.index.json")
        try writeJSON(settings(configuration), to: directory + "/config.json")
        return map.count
    }

    private typealias Shape = (name: String, shape: [Int])

    /// Every tensor of the released layout.
    private static func tensors(_ c: LLaVAConfiguration) -> [Shape] {
        let names = WeightNames.released
        let v = c.vision, t = c.text
        var tensors: [Shape] = []
        func linear(_ name: String, _ outputs: Int, _ inputs: Int, bias: Bool) {
            tensors.append((name + ".weight", [outputs, inputs]))
            if bias { tensors.append((name + ".bias", [outputs])) }
        }
        func norm(_ name: String, _ width: Int, bias: Bool) {
            tensors.append((name + ".weight", [width]))
            if bias { tensors.append((name + ".bias", [width])) }
        }
        let tower = names.vision ?? ""
        tensors.append((tower + "embeddings.class_embedding", [v.hidden]))
        tensors.append((tower + "embeddings.patch_embedding.weight", [v.hidden, 3, v.patchSize, v.patchSize]))
        tensors.append((tower + "embeddings.position_embedding.weight", [v.patches + 1, v.hidden]))
        norm(tower + "pre_layrnorm", v.hidden, bias: true)
        for layer in 0..<v.layers {
            let prefix = tower + "encoder.layers.\(layer)."
            for name in ["q_proj", "k_proj", "v_proj", "out_proj"] {
                linear(prefix + "self_attn." + name, v.hidden, v.hidden, bias: true)
            }
            linear(prefix + "mlp.fc1", v.intermediate, v.hidden, bias: true)
            linear(prefix + "mlp.fc2", v.hidden, v.intermediate, bias: true)
            norm(prefix + "layer_norm1", v.hidden, bias: true)
            norm(prefix + "layer_norm2", v.hidden, bias: true)
        }
        norm(tower + "post_layernorm", v.hidden, bias: true)
        linear(names.projector.first, t.hidden, v.hidden, bias: true)
        linear(names.projector.second, t.hidden, t.hidden, bias: true)
        if c.anyResolution != nil { tensors.append((names.newline, [t.hidden])) }
        tensors.append((names.decoder + "embed_tokens.weight", [t.vocabulary, t.hidden]))
        let queries = t.heads * t.headSize, keys = t.keyValueHeads * t.headSize
        for layer in 0..<t.layers {
            let prefix = names.decoder + "layers.\(layer)."
            linear(prefix + "self_attn.q_proj", queries, t.hidden, bias: false)
            linear(prefix + "self_attn.k_proj", keys, t.hidden, bias: false)
            linear(prefix + "self_attn.v_proj", keys, t.hidden, bias: false)
            linear(prefix + "self_attn.o_proj", t.hidden, queries, bias: false)
            linear(prefix + "mlp.gate_proj", t.intermediate, t.hidden, bias: false)
            linear(prefix + "mlp.up_proj", t.intermediate, t.hidden, bias: false)
            linear(prefix + "mlp.down_proj", t.hidden, t.intermediate, bias: false)
            norm(prefix + "input_layernorm", t.hidden, bias: false)
            norm(prefix + "post_attention_layernorm", t.hidden, bias: false)
        }
        norm(names.decoder + "norm", t.hidden, bias: false)
        linear(names.head, t.vocabulary, t.hidden, bias: false)
        return tensors
    }

    /// Consecutive tensors of at most `limit` bytes together; a larger tensor has a shard to itself.
    private static func shards(of tensors: [Shape], atMost limit: Int) -> [[Shape]] {
        var shards: [[Shape]] = [[]], bytes = 0
        for tensor in tensors {
            let size = 2 * tensor.shape.reduce(1, *)
            if bytes + size > limit, !shards[shards.count - 1].isEmpty {
                shards.append([])
                bytes = 0
            }
            shards[shards.count - 1].append(tensor)
            bytes += size
        }
        return shards
    }

    private static func settings(_ c: LLaVAConfiguration) -> [String: Any] {
        var settings: [String: Any] = [
            "model_type": c.anyResolution == nil ? "llava" : "llava_next",
            "image_token_index": c.imageToken, "vision_feature_layer": c.featureLayer,
            "vision_feature_select_strategy": c.keepsClassToken ? "full" : "default",
            "projector_hidden_act": "gelu",
            "text_config": [
                "model_type": "llama", "hidden_size": c.text.hidden, "intermediate_size": c.text.intermediate,
                "num_hidden_layers": c.text.layers, "num_attention_heads": c.text.heads,
                "num_key_value_heads": c.text.keyValueHeads, "head_dim": c.text.headSize,
                "vocab_size": c.text.vocabulary, "rms_norm_eps": c.text.epsilon, "rope_theta": c.text.ropeBase,
                "max_position_embeddings": c.text.context, "hidden_act": "silu",
            ],
            "vision_config": [
                "model_type": "clip_vision_model", "hidden_size": c.vision.hidden,
                "intermediate_size": c.vision.intermediate, "num_hidden_layers": c.vision.layers,
                "num_attention_heads": c.vision.heads, "image_size": c.vision.imageSize,
                "patch_size": c.vision.patchSize, "layer_norm_eps": c.vision.epsilon, "hidden_act": c.vision.activation,
            ],
        ]
        if let anyResolution = c.anyResolution {
            settings["image_grid_pinpoints"] = anyResolution.canvases.map { [$0.height, $0.width] }
        }
        return settings
    }

    private static func writeJSON(_ value: [String: Any], to path: String) throws {
        let data = try JSONSerialization.data(withJSONObject: value, options: [.sortedKeys, .prettyPrinted])
        try data.write(to: URL(fileURLWithPath: path))
    }
}
