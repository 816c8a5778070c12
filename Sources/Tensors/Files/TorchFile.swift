/// Weights as `torch.save` writes them (`pytorch_model.bin`), memory-mapped: an archive of stored records, of which one is the pickle
/// of a state dict. Nothing of the pickle is run.
struct TorchFile: TensorFile {
    let path: String
    let names: [String]
    private let mapping: MappedFile
    private let tensors: [String: Place]

    private struct Place {
        let type: TorchStorage
        let shape: [Int]
        let bytes: Range<Int>
    }

    /// Maps the file and checks where its tensors lie; throws `cannotOpen`, `malformedFile` for what is no such file, and
    /// `unsupportedType` for the form of PyTorch before 1.6 and for tensors that are not stored row by row.
    init(path: String) throws(TensorError) {
        self.path = path
        mapping = try MappedFile(path: path)
        guard StoredArchive.isArchive(mapping.bytes) else { throw Self.noArchive(mapping) }
        let records = try StoredArchive(mapping).records
        let pickles = records.keys.filter { $0.hasSuffix("/data.pkl") }
        guard pickles.count == 1, let pickle = pickles.first, let program = records[pickle] else {
            throw TensorError(
                .malformedFile,
                "an archive without the pickle of a state dict; is this a file that torch.save wrote?", at: path)
        }
        let folder = pickle.dropLast("data.pkl".count)
        if let order = records[folder + "byteorder"], !mapping.bytes[order].elementsEqual("little".utf8) {
            throw TensorError(
                .unsupportedType,
                "written on a big-endian machine; load and save it once on another, with PyTorch", at: path)
        }
        let state = try StateDictPickle(UnsafeRawBufferPointer(rebasing: mapping.bytes[program]), path: path)
        var tensors: [String: Place] = [:]
        for (name, entry) in state.entries {
            guard let record = records["\(folder)data/\(entry.key)"] else {
                throw TensorError(
                    .malformedFile, "the numbers of \"\(name.brief)\" are missing; download it again", at: path)
            }
            tensors[name] = try Self.place(entry, name, in: record, path)
        }
        names = state.entries.map(\.name)
        self.tensors = tensors
    }

    func contains(_ name: String) -> Bool { tensors[name] != nil }
    func shape(of name: String) -> [Int]? { tensors[name]?.shape }
    func type(of name: String) -> ElementType? { tensors[name]?.type.elementType }

    func tensor(_ name: String) throws(TensorError) -> Tensor {
        guard let place = tensors[name] else {
            throw TensorError(
                .missingTensor,
                "there is no tensor \"\(name)\"; is this the checkpoint of the configured model?", at: path)
        }
        guard let type = place.type.elementType else {
            throw TensorError(
                .unsupportedType,
                "tensor \"\(name)\" is a \(place.type.rawValue); convert it to floating point", at: path)
        }
        return Tensor(shape: place.shape, type: type, storage: mapping.storage, offset: place.bytes.lowerBound)
    }

    func release(_ name: String) {
        if let place = tensors[name] { mapping.discard(place.bytes) }
    }

    /// Where a tensor's bytes lie, once it is certain that they are its storage's and follow one another row by row.
    private static func place(
        _ entry: StateDictPickle.Entry, _ name: String, in record: Range<Int>, _ path: String
    ) throws(TensorError) -> Place {
        func broken(_ why: String) -> TensorError {
            TensorError(.malformedFile, "tensor \"\(name.brief)\" \(why); download it again", at: path)
        }
        let type = entry.type
        let (storedBytes, tooMany) = entry.stored.multipliedReportingOverflow(by: type.size)
        guard !tooMany, storedBytes == record.count else { throw broken("has a storage of another size than it says") }
        guard entry.shape.count == entry.strides.count, entry.shape.count <= 16,
            (entry.shape + entry.strides + [entry.offset]).allSatisfy({ $0 >= 0 })
        else { throw broken("has sizes that none can have") }
        // Without the zeros, since sizes beside a zero must not be beyond all bounds either.
        var product = 1, isRowByRow = true
        for (size, stride) in zip(entry.shape, entry.strides).reversed() {
            isRowByRow = isRowByRow && (size == 1 || stride == product)
            let (next, overflows) = product.multipliedReportingOverflow(by: max(size, 1))
            guard !overflows, next <= Int.max / type.size else { throw broken("has sizes that none can have") }
            product = next
        }
        let count = entry.shape.contains(0) ? 0 : product
        guard count <= entry.stored, entry.offset <= entry.stored - count else {
            throw broken("reaches beyond its storage")
        }
        guard isRowByRow || count == 0 else {
            throw TensorError(
                .unsupportedType,
                "tensor \"\(name.brief)\" is stored transposed or in part; save it once with .contiguous(), with PyTorch",
                at: path)
        }
        let start = record.lowerBound + entry.offset * type.size
        guard start.isMultiple(of: type.size) else { throw broken("is not aligned") }
        return Place(type: type, shape: entry.shape, bytes: start..<start + count * type.size)
    }

    private static func noArchive(_ file: MappedFile) -> TensorError {
        // A pickled number that PyTorch before 1.6 began its files with.
        guard file.bytes.starts(with: [0x80, 0x02, 0x8A, 0x0A]) else {
            return TensorError(
                .malformedFile, "not a file that torch.save wrote; download it again", at: file.path)
        }
        return TensorError(
            .unsupportedType,
            """
            \(file.path): saved by PyTorch before 1.6, in a form that is not read; save it once again, with Python: \
            import torch; torch.save(torch.load("FILE", weights_only=True), "FILE")
            """)
    }
}

extension String {
    /// The text, or its beginning where a file gave it and it is longer than a message should be.
    var brief: String { count > 300 ? prefix(300) + "…" : self }
}
