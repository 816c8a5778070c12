/// A safetensors file, memory-mapped: tensors are views of the file and cost no memory until they are read.
public struct SafetensorsFile: Sendable {
    /// Where the file is.
    public let path: String
    /// Every tensor, in the order of the file.
    public let names: [String]
    /// What the writer of the file says of it.
    public let metadata: [String: String]
    private let mapping: MappedFile
    private let entries: [String: SafetensorsHeader.Entry]

    /// Maps the file and checks its header; throws `cannotOpen` or `malformedFile`.
    public init(path: String) throws(TensorError) {
        self.path = path
        mapping = try MappedFile(path: path)
        let header = try SafetensorsHeader(mapping)
        names = header.entries.map(\.name)
        metadata = header.metadata
        // Uniquing, not `uniqueKeysWithValues`: that one traps, and this comes from a file.
        entries = Dictionary(header.entries.map { ($0.name, $0) }) { first, _ in first }
    }

    /// Whether there is a tensor of this name, of whatever type.
    public func contains(_ name: String) -> Bool { entries[name] != nil }

    /// Extents of a tensor, nil if there is none of this name.
    public func shape(of name: String) -> [Int]? { entries[name]?.shape }

    /// How a tensor is stored, nil if there is none of this name or its type is not one that tensors have.
    public func type(of name: String) -> ElementType? { entries[name].flatMap { ElementType(safetensors: $0.dtype) } }

    /// The tensor of this name, sharing the mapping, which lives as long as it does; it must not be written to.
    /// Throws `missingTensor`, or `unsupportedType` for integers and the like.
    public func tensor(_ name: String) throws(TensorError) -> Tensor {
        guard let entry = entries[name] else {
            throw TensorError(
                .missingTensor,
                "there is no tensor \"\(name)\"; is this the checkpoint of the configured model?", at: path)
        }
        guard let type = ElementType(safetensors: entry.dtype) else {
            throw TensorError(
                .unsupportedType,
                "tensor \"\(name)\" is \(entry.dtype); convert it to F32, BF16 or F16", at: path)
        }
        return Tensor(shape: entry.shape, type: type, storage: mapping.storage, offset: entry.bytes.lowerBound)
    }

    /// Packed weights of this name, sharing the mapping. Throws `missingTensor`, or `malformedFile` where its bytes are not
    /// those of such weights.
    public func packed(
        _ name: String, _ format: WeightFormat, inputs: Int, outputs: Int
    ) throws(TensorError) -> PackedWeights {
        guard let entry = entries[name] else {
            throw TensorError(.missingTensor, "there are no packed weights \"\(name)\"; pack the model again", at: path)
        }
        let expected = PackedWeights.byteCount(format, inputs: inputs, outputs: outputs)
        guard entry.dtype == "U8", entry.bytes.count == expected else {
            throw TensorError(
                .malformedFile,
                "\"\(name)\" has \(entry.bytes.count) bytes of \(entry.dtype) where \(format.rawValue) weights of "
                    + "\(outputs) × \(inputs) take \(expected) of U8; pack the model again", at: path)
        }
        return PackedWeights(
            format, inputs: inputs, outputs: outputs, storage: mapping.storage, offset: entry.bytes.lowerBound)
    }

    /// Gives back the memory that reading this tensor took; it is read from the file again if it is needed again.
    /// Call it when a tensor has been packed.
    public func release(_ name: String) {
        if let entry = entries[name] { mapping.discard(entry.bytes) }
    }
}
