import Foundation
import Tensors

/// The weights of a packed model: mapped, in the order that kernels read them, and shared with every process that maps them.
struct PackedModelFile: WeightSource {
    let account: PackAccount
    private let file: SafetensorsFile

    /// Opens the packed file of a folder; nil where it is an ordinary checkpoint.
    init?(directory: String) throws {
        let path = directory + "/" + PackAccount.file
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            file = try SafetensorsFile(path: path)
        } catch {
            guard error.code == .malformedFile else { throw error }
            throw ModelError(
                .otherPack,
                "the file is damaged or was not copied to its end: copy it again, or pack the checkpoint again",
                at: path)
        }
        account = try PackAccount(of: file)
    }

    /// The names that the checkpoint had.
    var names: Set<String> {
        Set(file.names.flatMap { $0.split(separator: "+").map(String.init) })
    }

    func tensor(_ name: String, shape: [Int]) throws -> Tensor {
        guard file.contains(name) else {
            throw ModelError(.missingTensor, "tensor \(name) is missing; pack the checkpoint again", at: file.path)
        }
        let tensor = try file.tensor(name)
        guard tensor.shape == shape else { throw wrongShape(name, "\(tensor.shape)", "\(shape)") }
        return tensor
    }

    func release(_ name: String) {}

    func packed(
        _ names: [String], inputs: Int, outputs: Int, as format: WeightFormat?
    ) throws -> PackedWeights? {
        let name = PackAccount.name(of: names)
        guard let product = account.products[name] else { return nil }
        guard product.inputs == inputs, product.outputs == outputs else {
            throw wrongShape(name, "\([product.outputs, product.inputs])", "\([outputs, inputs])")
        }
        guard format == nil || format == product.format else {
            throw ModelError(
                .otherPack,
                "the model is packed as \(account.weights.rawValue); leave the format of weights to it, or pack the "
                    + "checkpoint again as the one you want", at: file.path)
        }
        return try file.packed(name, product.format, inputs: inputs, outputs: outputs)
    }

    private func wrongShape(_ name: String, _ shape: String, _ expected: String) -> ModelError {
        ModelError(
            .wrongShape,
            "\(name) has shape \(shape), config.json asks for \(expected); do the two files belong together?",
            at: file.path)
    }
}
