import Tensors

/// One layer of a transformer: attention, then an MLP, each of the normalised rows and added to them.
///
/// CLIP's two towers have layer norms, biases and an MLP of two products; Llama has RMS norms, no biases and a gated MLP.
/// What stands between projection and output, who sees whom and where positions come in, is the network's own.
struct TransformerLayer {
    /// What an MLP does before its last product.
    enum Expansion {
        /// `act(x·Wᵀ + b)`.
        case plain(Linear, Activation)
        /// `silu(x·Gᵀ)·(x·Uᵀ)`, with the rows of G and U stacked.
        case gated(Linear)

        var linear: Linear {
            switch self {
            case .plain(let linear, _), .gated(let linear): linear
            }
        }
    }

    let norm1: Normalization
    let queryKeyValue: Linear
    let output: Linear
    let norm2: Normalization
    let expansion: Expansion
    let down: Linear

    /// A layer of CLIP, for pictures or for text: `hidden` columns, and `intermediate` inside the MLP.
    init(clip weights: Weights, hidden: Int, intermediate: Int, epsilon: Double, activation: Activation) throws {
        let attention = weights.under("self_attn")
        norm1 = try weights.layerNorm("layer_norm1", width: hidden, epsilon: epsilon)
        queryKeyValue = try attention.linear(
            ["q_proj", "k_proj", "v_proj"], inputs: hidden, outputs: [hidden, hidden, hidden], bias: true)
        output = try attention.linear("out_proj", inputs: hidden, outputs: hidden, bias: true)
        norm2 = try weights.layerNorm("layer_norm2", width: hidden, epsilon: epsilon)
        expansion = .plain(
            try weights.linear("mlp.fc1", inputs: hidden, outputs: intermediate, bias: true), activation)
        down = try weights.linear("mlp.fc2", inputs: intermediate, outputs: hidden, bias: true)
    }

    /// A layer of Llama, whose MLP's last product is stored as `down`.
    init(llama weights: Weights, _ c: LLaVAConfiguration.Text, heads: Heads, down: WeightFormat?) throws {
        let attention = weights.under("self_attn"), mlp = weights.under("mlp")
        norm1 = try weights.rmsNorm("input_layernorm", width: c.hidden, epsilon: c.epsilon)
        queryKeyValue = try attention.linear(
            ["q_proj", "k_proj", "v_proj"], inputs: c.hidden,
            outputs: [heads.width, heads.keyValueWidth, heads.keyValueWidth], bias: false)
        output = try attention.linear("o_proj", inputs: heads.width, outputs: c.hidden, bias: false)
        norm2 = try weights.rmsNorm("post_attention_layernorm", width: c.hidden, epsilon: c.epsilon)
        expansion = .gated(
            try mlp.linear(
                ["gate_proj", "up_proj"], inputs: c.hidden, outputs: [c.intermediate, c.intermediate], bias: false))
        self.down = try mlp.stored(as: down).linear(
            "down_proj", inputs: c.intermediate, outputs: c.hidden, bias: false)
    }

    /// Queries, keys and values of residual rows, side by side, as `type`.
    func projections(of rows: Tensor, as type: ElementType, on backend: any Backend) -> Tensor {
        let normalized = backend.normalize(rows, norm1, as: backend.activationType)
        return backend.linear(normalized, queryKeyValue, activation: .none, as: type)
    }

    /// Adds to residual rows what attention made of them.
    func add(_ attended: Tensor, to rows: Tensor, on backend: any Backend) {
        backend.linear(attended, output, addingTo: rows)
    }

    /// Rows that pass an MLP together: few enough that what lies between its products, up to three times as wide as the MLP, takes
    /// little memory, and enough for products at full speed on few threads.
    static let rowsAtOnce = 192

    /// Adds the MLP of residual rows to them.
    func feedForward(_ rows: Tensor, on backend: any Backend) {
        for start in stride(from: 0, to: rows.rows, by: Self.rowsAtOnce) {
            feedForwardTogether(rows.rows(start..<min(start + Self.rowsAtOnce, rows.rows)), on: backend)
        }
    }

    private func feedForwardTogether(_ rows: Tensor, on backend: any Backend) {
        let normalized = backend.normalize(rows, norm2, as: backend.activationType)
        let wide: Tensor
        switch expansion {
        case .plain(let up, let activation):
            wide = backend.linear(normalized, up, activation: activation, as: backend.activationType)
        case .gated(let gateUp):
            wide = backend.siluMultiply(
                backend.linear(normalized, gateUp, activation: .none, as: backend.activationType))
        }
        backend.linear(wide, down, addingTo: rows)
    }

    /// Operations of `work`; `width` columns of queries in all heads.
    func flops(of work: LayerWork, width: Int) -> Int {
        // A query and a key cost a product with the key and one with the value.
        queryKeyValue.flops(rows: work.projected) + output.flops(rows: work.attending) + 4 * work.pairs * width
            + expansion.linear.flops(rows: work.fed) + down.flops(rows: work.fed)
    }
}

extension [TransformerLayer] {
    /// Operations of what each layer did.
    func flops(of work: [LayerWork], width: Int) -> Int {
        zip(self, work).reduce(0) { $0 + $1.0.flops(of: $1.1, width: width) }
    }
}
