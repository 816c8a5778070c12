import Tensors

/// One layer of a CLIP tower, for pictures or for text: attention, then an MLP, each of the normalised rows and added to
/// them.
struct CLIPLayer {
    let norm1: Normalization
    let queryKeyValue: Linear
    let output: Linear
    let norm2: Normalization
    let up: Linear
    let down: Linear

    /// Builds a layer of `hidden` columns whose MLP has `intermediate`.
    init(_ weights: Weights, hidden: Int, intermediate: Int, epsilon: Double) throws {
        let attention = weights.under("self_attn")
        norm1 = try weights.layerNorm("layer_norm1", width: hidden, epsilon: epsilon)
        queryKeyValue = try attention.linear(
            ["q_proj", "k_proj", "v_proj"], inputs: hidden, outputs: [hidden, hidden, hidden], bias: true)
        output = try attention.linear("out_proj", inputs: hidden, outputs: hidden, bias: true)
        norm2 = try weights.layerNorm("layer_norm2", width: hidden, epsilon: epsilon)
        up = try weights.linear("mlp.fc1", inputs: hidden, outputs: intermediate, bias: true)
        down = try weights.linear("mlp.fc2", inputs: intermediate, outputs: hidden, bias: true)
    }
}
