import Foundation
public import Tensors

/// Makes a packed model of a checkpoint: a folder like any other, whose weights are mapped as they are instead of being
/// converted each time they are loaded.
public enum ModelPacking {
    /// Packs the model of `folder` with weights in `format` into `directory`, which must not exist; returns the bytes of the
    /// packed file.
    ///
    /// The folder appears whole or not at all. Memory holds one product at a time.
    public static func pack(
        _ folder: ModelFolder, weights format: WeightFormat, threads: Int, to directory: String,
        progress: LayerProgress = LayerProgress()
    ) throws -> Int {
        guard !folder.isPacked else {
            throw ModelError(
                .otherPack, "the model is packed already; name the checkpoint that it was made of", at: folder.directory
            )
        }
        let manager = FileManager.default, target = URL(fileURLWithPath: directory).standardizedFileURL
        guard !manager.fileExists(atPath: target.path) else {
            throw ModelError(.missingFile, "the folder exists; name a folder that does not", at: directory)
        }
        // Under a name of its own: two that pack into one folder do not meet before the end.
        let partial =
            target.deletingLastPathComponent().path + "/.\(target.lastPathComponent).\(UUID().uuidString).partial"
        do {
            try manager.createDirectory(atPath: partial, withIntermediateDirectories: true)
        } catch {
            throw ModelError(
                .missingFile, "the folder cannot be made; check that the folder above it exists and is writable",
                at: directory)
        }
        do {
            try copySmallFiles(folder.directory, to: partial)
            if let tower = folder.towerDirectory {
                // Where the settings of an original checkpoint say that its tower is.
                let own =
                    try partial + "/"
                    + LLaVAConfiguration.towerName(
                        ConfigurationFile(path: folder.directory + "/config.json"))
                try manager.createDirectory(atPath: own, withIntermediateDirectories: true)
                try copySmallFiles(tower, to: own)
            }
            let writer = try PackWriter(path: partial + "/" + PackAccount.file, progress: progress)
            let fingerprint = folder.fingerprint()
            try writer.write(folder, weights: format, threads: threads)
            try writer.finish { products in
                PackAccount(
                    weights: format, sourceSHA256: try fingerprint.value(), towerPrefix: folder.towerPrefix,
                    products: products)
            }
            guard rename(partial, target.path) == 0 else {
                throw ModelError(
                    .missingFile, "the folder cannot be put in place; was it made meanwhile?", at: directory)
            }
        } catch {
            try? manager.removeItem(atPath: partial)
            throw error
        }
        let attributes = try manager.attributesOfItem(atPath: target.path + "/" + PackAccount.file)
        return (attributes[.size] as? NSNumber)?.intValue ?? 0
    }

    /// Everything but weights: settings, tokenizer, licence.
    private static func copySmallFiles(_ source: String, to target: String) throws {
        let manager = FileManager.default
        for name in try manager.contentsOfDirectory(atPath: source).sorted()
        where !weightEndings.contains(where: { name.hasSuffix($0) }) {
            // Through a link: hubs keep the files themselves elsewhere.
            let path = URL(fileURLWithPath: source + "/" + name).resolvingSymlinksInPath().path
            let type = try? manager.attributesOfItem(atPath: path)[.type] as? FileAttributeType
            guard type == .typeRegular else { continue }
            do {
                try manager.copyItem(atPath: path, toPath: target + "/" + name)
            } catch {
                throw ModelError(
                    .missingFile, "the file cannot be copied; check that it can be read and that there is room",
                    at: path)
            }
        }
    }

    private static let weightEndings = [
        ".safetensors", ".safetensors.index.json", ".bin", ".bin.index.json", ".pt", ".pth", ".gguf", ".h5", ".msgpack",
    ]
}
