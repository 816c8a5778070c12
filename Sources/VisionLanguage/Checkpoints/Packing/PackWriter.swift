import Tensors

/// Writes weights as a model is built from them: each product as soon as it is packed, so that only one is in memory, and
/// at the end whatever else the model read.
final class PackWriter {
    private var file: SafetensorsAppender?
    private let progress: LayerProgress
    private var products: [String: PackAccount.Product] = [:]
    /// What was read and not packed, by name.
    private var others: [String: Tensor] = [:]

    init(path: String, progress: LayerProgress) throws {
        file = try SafetensorsAppender(path: path)
        self.progress = progress
    }

    /// Builds the model of `folder`, writing its products instead of keeping them.
    func write(_ folder: ModelFolder, weights format: WeightFormat, threads: Int) throws {
        let backend = CPUBackend(precision: .float32, threads: threads)
        let tee = folder.passing { PackedOnTheWay(source: $0, writer: self) }
        _ = try folder.family.model(tee, format, backend, progress)
    }

    /// Writes what is left, and the account.
    func finish(_ account: ([String: PackAccount.Product]) throws -> PackAccount) throws {
        for (name, tensor) in others.sorted(by: { $0.key < $1.key }) { try file?.append(name, tensor) }
        let text = try account(products).json()
        try file.take()?.finish(metadata: [PackAccount.key: text])
    }

    fileprivate func read(_ name: String, _ tensor: Tensor) { others[name] = tensor }

    fileprivate func took(_ linear: Linear, for names: [String]) throws -> Linear {
        guard let panels = linear.panels else { preconditionFailure("products of f32 rows are packed in panels") }
        let name = PackAccount.name(of: names)
        try file?.append(name, panels)
        products[name] = PackAccount.Product(format: linear.format, inputs: linear.inputs, outputs: linear.outputs)
        for name in names { others[name] = nil }
        // A hollow one in its place: this model never runs.
        return Linear(inputs: linear.inputs, outputs: linear.outputs, format: linear.format, byteCount: 0)
    }
}

/// A checkpoint whose products go into a packed file.
private struct PackedOnTheWay: WeightSource {
    let source: any WeightSource
    let writer: PackWriter

    func tensor(_ name: String, shape: [Int]) throws -> Tensor {
        let tensor = try source.tensor(name, shape: shape)
        writer.read(name, tensor)
        return tensor
    }

    func release(_ name: String) { source.release(name) }

    func took(_ linear: Linear, for names: [String]) throws -> Linear { try writer.took(linear, for: names) }
}
