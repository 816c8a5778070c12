internal import CKernels

/// The fast backend: kernels written for the instruction sets of processors, and oneDNN for products in bf16.
///
/// Every number that it computes depends on its own row only, to the last bit: sums have one fixed order, whatever the
/// number of rows and threads. Use an instance from one thread; the OpenMP team behind it is the only pool of threads.
public final class CPUBackend: Backend {
    /// bfloat16 or float32, as the backend was made for.
    public let activationType: ElementType
    /// Always float32: the stream adds up the work of many layers.
    public let residualType = ElementType.float32
    /// Threads of the OpenMP team.
    public let threads: Int
    /// The instructions that products and attention use.
    public let instructions: InstructionSet
    private let oneDNN: OneDNNProducts

    /// Whether the processor multiplies bf16 natively.
    public static var hasBFloat16: Bool { OneDNNProducts.hasBFloat16 }

    /// A backend whose activations are bf16 or f32, on `threads` threads.
    ///
    /// `instructions`, which the processor must have, is the widest set unless told otherwise.
    public init(precision: ElementType, threads: Int, instructions: InstructionSet = .best) {
        precondition(precision == .bfloat16 || precision == .float32, "activations are bf16 or f32")
        precondition(instructions.isPresent, "this processor has no \(instructions.rawValue)")
        activationType = precision
        self.threads = threads
        self.instructions = instructions
        oneDNN = OneDNNProducts(threads: threads)
    }

    /// "cpu-f32-avx2", "cpu-bf16-avx512-vnni", …: the arithmetic and the instructions, on both of which the last bits of a
    /// result may depend.
    public var name: String { "cpu-\(activationType == .bfloat16 ? "bf16" : "f32")-\(instructions.rawValue)" }

    /// Packs weights into panels, or into oneDNN's layout for bf16 weights and activations.
    ///
    /// Without a format they stay in the one that they are stored in. Throws `wrongShape` for weights that do not stack,
    /// `notFinite` where a number cannot be stored in the format, `engineFailure` where memory does not suffice.
    public func pack(_ matrices: [Tensor], bias: [Tensor], as format: WeightFormat?) throws(TensorError) -> Linear {
        ck_use_threads(Int32(threads))
        let (inputs, outputs) = try Linear.extents(of: matrices, bias: bias)
        let format = format ?? WeightFormat(holding: matrices), bias = bias.flatMap(\.floats)
        if activationType == .bfloat16, format == .bf16 {
            let stacked = Tensor(shape: [outputs, inputs], type: .bfloat16)
            var row = 0
            for matrix in matrices {
                convert(matrix, into: stacked.rows(row..<row + matrix.rows))
                row += matrix.rows
            }
            return try oneDNN.pack(stacked, bias: bias)
        }
        let packed = try PackedWeights(format, inputs: inputs, outputs: outputs)
        var row = 0
        for (number, matrix) in matrices.enumerated() {
            let source = matrix.type == .float64 ? convert(matrix, to: .float32) : matrix
            let bad = source.withUnsafeBytes {
                ck_pack(
                    format.ck, Int64(inputs), $0.baseAddress, source.type.ck, Int64(row), Int64(matrix.rows),
                    packed.storage.base)
            }
            if bad >= 0, format.isInteger || format == .f16 && matrix.type != .float16 {
                throw TensorError(
                    .notFinite,
                    "row \(bad)\(matrices.count > 1 ? " of matrix \(number + 1) of \(matrices.count)" : "") holds a number "
                        + "that \(format.rawValue) cannot: NaN, infinity\(format == .f16 ? " or one beyond 65504" : ""); "
                        + "repair the checkpoint or choose another format for its weights")
            }
            row += matrix.rows
        }
        return PanelLinear(packed, bias: bias)
    }

    /// Weights that are packed already, as they lie in a file.
    public func adopt(_ packed: PackedWeights, bias: [Float]) throws(TensorError) -> Linear {
        precondition(bias.isEmpty || bias.count == packed.outputs, "\(bias.count) biases, \(packed.outputs) outputs")
        guard activationType == .bfloat16, packed.format == .bf16 else { return PanelLinear(packed, bias: bias) }
        return try oneDNN.pack(convert(packed.unpacked(), to: .bfloat16), bias: bias)
    }

    /// One product with bias and activation attached.
    public func linear(_ x: Tensor, _ weights: Linear, activation: Activation, as type: ElementType) -> Tensor {
        let result = Tensor(shape: [x.rows, weights.outputs], type: type)
        switch activation {
        case .none: multiply(x, weights, CK_STORE, result)
        case .gelu: multiply(x, weights, CK_GELU, result)
        case .quickGELU: multiply(x, weights, CK_QUICK_GELU, result)
        }
        return result
    }

    /// One product that adds to what is there.
    public func linear(_ x: Tensor, _ weights: Linear, addingTo residual: Tensor) {
        multiply(x, weights, CK_ADD_TO_RESULT, residual)
    }

    private func multiply(_ x: Tensor, _ weights: Linear, _ finish: ck_finish, _ result: Tensor) {
        precondition(result.shape == [x.rows, weights.outputs], "the result rows do not match the product")
        precondition(x.width == weights.inputs, "a row of \(x.width) does not fit weights of \(weights.inputs) inputs")
        guard x.rows > 0 else { return }
        ck_use_threads(Int32(threads))
        if let weights = weights as? OneDNNLinear {
            oneDNN.multiply(x, weights, finish, result)
            return
        }
        guard let weights = weights as? PanelLinear else { preconditionFailure("weights of another backend") }
        x.withUnsafeBytes { from in
            result.withUnsafeMutableBytes { to in
                var rows = ck_rows(
                    x: from.baseAddress, x_type: x.type.ck, rows: Int64(x.rows), y: to.baseAddress,
                    y_type: result.type.ck, finish: finish, set: instructions.ck)
                weights.packed.withKernelView(bias: weights.bias) { view in
                    withUnsafePointer(to: view) {
                        let room = HostStorage(byteCount: ck_room_bytes($0, &rows))
                        ck_multiply($0, &rows, room.base)
                        withExtendedLifetime(room) {}
                    }
                }
            }
        }
    }

    /// Pieces that a product of `rows` rows is cut into at `threads` threads: no more threads than these can share it.
    public static func pieces(_ weights: Linear, rows: Int, threads: Int) -> Int {
        guard let weights = weights as? PanelLinear else { return 1 }
        return weights.packed.withKernelView(bias: []) { view in
            withUnsafePointer(to: view) { Int(ck_pieces($0, Int64(rows), Int32(threads))) }
        }
    }

    /// Billions of operations a second that the multiply instructions reach from registers on all threads, measured for
    /// `seconds`: the limit of products of weights in `format`.
    public func multiplyLimit(_ format: WeightFormat, seconds: Double) -> Double {
        ck_use_threads(Int32(threads))
        return ck_multiply_limit(format.ck, instructions.ck, seconds)
    }

    /// One pass of a kernel over float32 rows.
    public func normalize(_ x: Tensor, _ norm: Normalization, as type: ElementType) -> Tensor {
        precondition(x.type == residualType, "normalisation reads \(residualType) rows")
        precondition(x.width == norm.gain.count, "rows of \(x.width) with \(norm.gain.count) gains")
        let result = Tensor(shape: x.shape, type: type)
        ck_use_threads(Int32(threads))
        x.withUnsafeBytes { x0 in
            result.withUnsafeMutableBytes { out in
                let input = x0.assumingMemoryBound(to: Float.self).baseAddress
                let rows = Int64(x.rows), width = Int64(x.width), epsilon = Float(norm.epsilon)
                if let bias = norm.bias {
                    ck_layer_norm(input, rows, width, norm.gain, bias, epsilon, out.baseAddress, type.ck)
                } else {
                    ck_rms_norm(input, rows, width, norm.gain, epsilon, out.baseAddress, type.ck)
                }
            }
        }
        return result
    }

    /// One pass of a kernel.
    public func siluMultiply(_ gateUp: Tensor) -> Tensor {
        ck_use_threads(Int32(threads))
        let result = Tensor(shape: [gateUp.rows, gateUp.width / 2], type: activationType)
        gateUp.withUnsafeBytes { input in
            result.withUnsafeMutableBytes { output in
                ck_silu_multiply(
                    input.baseAddress, gateUp.type.ck, Int64(result.rows), Int64(result.width), output.baseAddress,
                    result.type.ck)
            }
        }
        return result
    }

    /// One pass of a kernel.
    public func rotarySplit(
        _ qkv: Tensor, _ heads: Heads, _ angles: RotaryAngles, keys: Tensor, values: Tensor
    ) -> Tensor {
        ck_use_threads(Int32(threads))
        checkRotarySplit(qkv, heads, angles, keys: keys, values: values)
        let queries = Tensor(shape: [qkv.rows, heads.width], type: activationType)
        qkv.withUnsafeBytes { input in
            queries.withUnsafeMutableBytes { q in
                keys.withUnsafeMutableBytes { k in
                    values.withUnsafeMutableBytes { v in
                        ck_rotary_split(
                            input.baseAddress, qkv.type.ck, Int64(qkv.rows), Int64(heads.count),
                            Int64(heads.keyValueCount),
                            Int64(heads.size), angles.cosine, angles.sine, q.baseAddress, activationType.ck,
                            k.baseAddress, v.baseAddress, keys.type.ck)
                    }
                }
            }
        }
        return queries
    }

    /// One kernel for all heads; the map is float32.
    public func attend(_ problem: Attention, output: Tensor, map: AttentionMapKind?) -> Tensor? {
        ck_use_threads(Int32(threads))
        problem.check(output: output)
        for part in [problem.queries.tensor, output] {
            precondition(part.type == activationType, "attention reads and writes \(activationType)")
        }
        let queries = problem.queries.tensor.rows, keys = problem.keys.tensor.rows
        let mean = map.map { _ in Tensor(shape: [queries, keys], type: .float32) }
        let bias = problem.keyBias?.map { Float($0) } ?? []
        output.withUnsafeMutableBytes { out in
            bias.withUnsafeBufferPointer { bias in
                var described = ck_attention()
                described.describe(problem.queries, problem.keys, problem.values, problem.heads)
                described.causal = problem.causal ? 1 : 0
                described.key_bias = problem.keyBias == nil ? nil : bias.baseAddress
                described.out = out.baseAddress
                described.mean = mean?.withUnsafeMutableBytes { $0.assumingMemoryBound(to: Float.self).baseAddress }
                described.mean_of_logits = map == .logits ? 1 : 0
                ck_attend(&described, 1, instructions.ck)
            }
        }
        withExtendedLifetime((problem, mean)) {}
        return mean
    }

    /// One kernel for all sequences and heads.
    public func attendSingle(_ queries: Tensor, _ heads: Heads, caches: [KeysAndValues]) -> Tensor {
        ck_use_threads(Int32(threads))
        precondition(queries.rows == caches.count, "one query for each cache")
        precondition(queries.width == heads.width && queries.type == activationType, "the queries do not fit the heads")
        let result = Tensor(shape: [queries.rows, heads.width], type: activationType)
        let problems = caches.enumerated().map { row, cache in
            precondition(cache.keys.shape == cache.values.shape, "one value for each key")
            precondition(cache.keys.width == heads.keyValueWidth, "a cache does not fit the heads")
            precondition(cache.keys.type == cache.values.type, "keys and values are kept alike")
            var described = ck_attention()
            described.describe(
                Columns(queries.rows(row..<row + 1)), Columns(cache.keys), Columns(cache.values), heads)
            described.out = result.rows(row..<row + 1).withUnsafeMutableBytes { $0.baseAddress }
            return described
        }
        ck_attend(problems, Int64(problems.count), instructions.ck)
        withExtendedLifetime((queries, caches)) {}
        return result
    }

    /// Copies rows one by one.
    public func gather(_ table: Tensor, rows: [Int], as type: ElementType) -> Tensor {
        let result = Tensor(shape: [rows.count, table.width], type: type)
        for (target, source) in rows.enumerated() {
            convert(table.rows(source..<source + 1), into: result.rows(target..<target + 1))
        }
        return result
    }

    /// The tensor itself where it has that type already.
    public func convert(_ x: Tensor, to type: ElementType) -> Tensor {
        if x.type == type { return x }
        let result = Tensor(shape: x.shape, type: type)
        convert(x, into: result)
        return result
    }

    private func convert(_ x: Tensor, into result: Tensor) {
        x.withUnsafeBytes { from in
            result.withUnsafeMutableBytes { to in
                if x.type == result.type {
                    to.copyMemory(from: from)
                } else if x.type == .float64 || result.type == .float64 {
                    result.store(x.doubles)
                } else {
                    ck_convert(from.baseAddress, x.type.ck, to.baseAddress, result.type.ck, Int64(x.count))
                }
            }
        }
    }
}

/// Weights in panels.
private final class PanelLinear: Linear, @unchecked Sendable {
    let packed: PackedWeights
    let bias: [Float]

    init(_ packed: PackedWeights, bias: [Float]) {
        self.packed = packed
        self.bias = bias
        super.init(
            inputs: packed.inputs, outputs: packed.outputs, format: packed.format, byteCount: packed.byteCount)
    }
}

extension Linear {
    /// The panels that products read, where they do: what a packed model keeps.
    public var panels: PackedWeights? { (self as? PanelLinear)?.packed }
}

extension ck_attention {
    /// Queries, keys and values where they lie, and the result side by side.
    fileprivate mutating func describe(_ queries: Columns, _ keys: Columns, _ values: Columns, _ heads: Heads) {
        func start(_ columns: Columns) -> UnsafeRawPointer? {
            columns.tensor.withUnsafeBytes { $0.baseAddress.map { $0 + columns.first * columns.tensor.type.size } }
        }
        (self.queries, query_stride, query_count) = (
            start(queries), Int64(queries.tensor.width), Int64(queries.tensor.rows)
        )
        (self.keys, key_stride, key_count) = (start(keys), Int64(keys.tensor.width), Int64(keys.tensor.rows))
        (self.values, value_stride) = (start(values), Int64(values.tensor.width))
        (self.heads, kv_heads, head_size) = (Int64(heads.count), Int64(heads.keyValueCount), Int64(heads.size))
        out_stride = Int64(heads.width)
        type = queries.tensor.type.ck
        key_type = keys.tensor.type.ck
    }
}

extension ElementType {
    /// The kernels' name for the type.
    var ck: ck_type {
        switch self {
        case .float32: CK_F32
        case .bfloat16: CK_BF16
        case .float16: CK_F16
        case .float64: preconditionFailure("kernels do not compute in float64")
        }
    }
}
