internal import HDF5
internal import JobVocabulary

extension ShardHeader {
    /// Reads what all rows share from the attributes of a file.
    init(_ root: borrowing Group) throws {
        guard let trace = StoredTrace(rawValue: try root.requiredString("trace")) else {
            throw ResultFileError(.corrupt, "\(root.name) has an attribute trace of no known meaning")
        }
        var features: ShardHeader.Features?
        if try root.contains(ShardLayout.features) {
            let group = try root.group(ShardLayout.features)
            let data = try group.dataset("data")
            guard data.shape.count == 2, data.shape[1] > 0 else {
                throw ResultFileError(.corrupt, "\(data.name) has shape \(data.shape), not (tokens, width)")
            }
            features = ShardHeader.Features(
                width: data.shape[1], layer: try group.requiredInteger("layer"),
                space: try group.requiredString("space"))
        }
        let methods = try root.dataset("jobs/method").enumerationNames()
        self.init(
            batch: try root.requiredString("batch"), worker: try root.requiredString("worker"),
            model: try root.requiredString("model"), modelSHA256: try root.requiredString("model_sha256"),
            methodJSON: try root.requiredString("method_json"),
            generationJSON: try root.requiredString("generation_json"),
            software: try root.requiredString("software"), methods: methods.sorted { $0.key < $1.key }.map(\.value),
            features: features, trace: trace)
        host = try root.requiredString("host")
        processor = try root.requiredString("processor")
    }
}

extension Group {
    func requiredString(_ name: String) throws -> String {
        guard case .string(let value) = try attribute(name) else {
            throw ResultFileError(.corrupt, "\(self.name) has no text attribute \(name)")
        }
        return value
    }

    func requiredInteger(_ name: String) throws -> Int {
        guard case .integer(let value) = try attribute(name) else {
            throw ResultFileError(.corrupt, "\(self.name) has no integer attribute \(name)")
        }
        return Int(value)
    }
}
