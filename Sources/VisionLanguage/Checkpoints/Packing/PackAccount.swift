import Foundation
import JobVocabulary
import Tensors

/// The description in a packed file, beside its tensors.
struct PackAccount: Codable {
    /// Weights of one product.
    struct Product: Codable {
        let format: WeightFormat
        let inputs: Int
        let outputs: Int
    }

    /// The form of this account.
    let version: Int
    /// The order of numbers in packed weights, ``PackedWeights/layout``.
    let layout: String
    /// What the weights were asked to be kept as: the format of the decoder's layers.
    let weights: WeightFormat
    /// SHA-256 of the checkpoint's files: the model that results belong to.
    let sourceSHA256: String
    /// The prefix of the tower's names.
    let towerPrefix: String
    /// By the names of the stacked matrices, joined.
    let products: [String: Product]

    static let current = 1
    /// The file in a model's folder that makes it a packed one.
    static let file = "winnow-packed.safetensors"
    /// The key of the account among the file's metadata.
    static let key = "winnow"

    /// The name of stacked matrices in the file.
    static func name(of matrices: [String]) -> String { matrices.joined(separator: "+") }

    func json() throws -> String {
        let encoder = JSONEncoder.canonical
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// Reads the account of `file`; throws `otherPack` if this program does not read such files.
    init(of file: SafetensorsFile) throws(ModelError) {
        guard let text = file.metadata[Self.key] else {
            throw ModelError(
                .otherPack, "the file does not say how it was packed; pack the checkpoint again", at: file.path)
        }
        struct Version: Decodable { let version: Int }
        guard let version = try? JSONDecoder().decode(Version.self, from: Data(text.utf8)).version else {
            throw ModelError(
                .otherPack, "the packed model describes itself in an unknown way; pack the checkpoint again",
                at: file.path)
        }
        guard version == Self.current else {
            throw ModelError(
                .otherPack,
                "the model was packed by another version of winnow (form \(version), this one reads \(Self.current)); "
                    + "pack the checkpoint again", at: file.path)
        }
        guard let account = try? JSONDecoder().decode(PackAccount.self, from: Data(text.utf8)) else {
            throw ModelError(
                .otherPack, "the packed model describes itself in an unknown way; pack the checkpoint again",
                at: file.path)
        }
        guard account.layout == PackedWeights.layout else {
            throw ModelError(
                .otherPack,
                "the model is packed for kernels that read \(account.layout.prefix(40)), these read "
                    + "\(PackedWeights.layout); pack the checkpoint again", at: file.path)
        }
        self = account
    }

    init(weights: WeightFormat, sourceSHA256: String, towerPrefix: String, products: [String: Product]) {
        version = Self.current
        layout = PackedWeights.layout
        self.weights = weights
        self.sourceSHA256 = sourceSHA256
        self.towerPrefix = towerPrefix
        self.products = products
    }
}
