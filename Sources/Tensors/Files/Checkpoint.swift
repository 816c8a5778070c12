import FoundationEssentials

/// The weights of a model as they lie on disk: one file or several with an index, safetensors or what PyTorch saves.
public struct Checkpoint: Sendable {
    /// Every tensor of the checkpoint.
    public var names: Set<String> { Set(location.keys) }
    private let files: [any TensorFile]
    /// Which file holds a tensor.
    private let location: [String: Int]

    /// Names of the only file, each before that of the index of several, in the order in which transformers looks for them.
    private static let names = [
        "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json",
    ]

    /// Opens `model.safetensors`, or the shards that `model.safetensors.index.json` lists, in a model's folder; where there is
    /// neither, `pytorch_model.bin` or the shards of `pytorch_model.bin.index.json`.
    ///
    /// Throws `cannotOpen`, `malformedFile`, `missingTensor` where a shard lacks what the index promises, and
    /// `unsupportedType` for files that PyTorch before 1.6 saved.
    public init(directory: String) throws(TensorError) {
        guard let name = Self.names.first(where: { FileManager.default.fileExists(atPath: "\(directory)/\($0)") })
        else { throw Self.noWeights(directory) }
        let index = "\(directory)/\(name).index.json"
        if FileManager.default.fileExists(atPath: index), try Set(Self.weightMap(index).values) != [name] {
            throw TensorError(
                .malformedFile,
                "the folder holds \(name) and \(name).index.json, which lists other files: these may be two checkpoints; "
                    + "take out the one that you do not want", at: directory)
        }
        if name.hasSuffix(".json") {
            try self.init(index: "\(directory)/\(name)", directory: directory)
        } else {
            try self.init(files: ["\(directory)/\(name)"])
        }
    }

    private static func open(_ path: String) throws(TensorError) -> any TensorFile {
        path.hasSuffix(".bin") ? try TorchFile(path: path) : try SafetensorsFile(path: path)
    }

    /// Opens files that together hold every tensor once; throws `malformedFile` if two hold the same.
    public init(files paths: [String]) throws(TensorError) {
        var files: [any TensorFile] = [], location: [String: Int] = [:]
        for (number, path) in paths.enumerated() {
            let file = try Self.open(path)
            for name in file.names {
                guard let other = location.updateValue(number, forKey: name) else { continue }
                throw TensorError(
                    .malformedFile,
                    "tensor \"\(name)\" is also in \(paths[other]); give files of one checkpoint", at: path)
            }
            files.append(file)
        }
        self.files = files
        self.location = location
    }

    private init(index path: String, directory: String) throws(TensorError) {
        var shards: [String: Int] = [:], files: [any TensorFile] = [], location: [String: Int] = [:]
        // Sorted, so that of several complaints the same one is made every time.
        for (name, shard) in try Self.weightMap(path).sorted(by: { $0.key < $1.key }) {
            let number: Int
            if let known = shards[shard] {
                number = known
            } else {
                guard Self.isPlainFileName(shard) else {
                    throw TensorError(
                        .malformedFile,
                        "shard \"\(shard)\" is not the name of a file in this folder; download the index again",
                        at: path)
                }
                do throws(TensorError) {
                    files.append(try Self.open("\(directory)/\(shard)"))
                } catch {
                    throw TensorError(error.code, "\(error.message) (a shard that \(path) lists)")
                }
                number = files.count - 1
                shards[shard] = number
            }
            guard files[number].contains(name) else {
                throw TensorError(
                    .missingTensor,
                    "the index lists tensor \"\(name)\" in \(shard), which lacks it; download index and shards together",
                    at: path
                )
            }
            location[name] = number
        }
        self.files = files
        self.location = location
    }

    /// Whether there is a tensor of this name.
    public func contains(_ name: String) -> Bool { location[name] != nil }

    /// Extents of a tensor, nil if there is none of this name.
    public func shape(of name: String) -> [Int]? { location[name].flatMap { files[$0].shape(of: name) } }

    /// How a tensor is stored, nil if there is none of this name or its type is not one that tensors have.
    public func type(of name: String) -> ElementType? { location[name].flatMap { files[$0].type(of: name) } }

    /// The tensor of this name, sharing the file's mapping; it must not be written to.
    /// Throws `missingTensor`, or `unsupportedType` for integers and the like.
    public func tensor(_ name: String) throws(TensorError) -> Tensor {
        guard let number = location[name] else {
            let place = files.first.map { files.count == 1 ? $0.path : "\($0.path) and its siblings" } ?? "no files"
            throw TensorError(
                .missingTensor,
                "there is no tensor \"\(name)\"; is this the checkpoint of the configured model?", at: place)
        }
        return try files[number].tensor(name)
    }

    /// Gives back the memory that reading this tensor took, once it has been packed.
    public func release(_ name: String) {
        if let number = location[name] { files[number].release(name) }
    }

    private struct Index: Decodable {
        let weights: [String: String]

        private enum CodingKeys: String, CodingKey { case weights = "weight_map" }
    }

    private static func weightMap(_ path: String) throws(TensorError) -> [String: String] {
        let file = try MappedFile(path: path)
        guard file.byteCount <= SafetensorsHeader.longest else {
            throw TensorError(.malformedFile, "\(file.byteCount) bytes are no index; download it again", at: path)
        }
        do {
            return try JSONDecoder().decode(Index.self, from: Data(file.bytes)).weights
        } catch {
            throw TensorError(
                .malformedFile, "the index cannot be read: \(explanation(error)); download it again", at: path)
        }
    }

    private static func isPlainFileName(_ name: String) -> Bool {
        !name.isEmpty && name != "." && !name.contains("..")
            && name.utf8.allSatisfy { $0 >= 32 && $0 != UInt8(ascii: "/") }
    }

    private static func noWeights(_ directory: String) -> TensorError {
        let present: [String]
        do {
            present = try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            return TensorError(.cannotOpen, "not a folder that can be read; give the model's folder", at: directory)
        }
        guard !present.contains("adapter_config.json") else {
            return TensorError(
                .unsupportedType,
                """
                \(directory): holds an adapter (LoRA) and not a model; merge it into its model once, with Python: \
                PeftModel.from_pretrained(MODEL, "FOLDER").merge_and_unload().save_pretrained("MERGED")
                """)
        }
        return TensorError(
            .cannotOpen,
            "there are no weights (\(names.joined(separator: ", "))); give the model's folder", at: directory)
    }
}
