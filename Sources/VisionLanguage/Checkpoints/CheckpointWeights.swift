import Tensors

/// Parameters from safetensors files.
struct CheckpointWeights: WeightSource {
    let checkpoint: Checkpoint
    let path: String

    func tensor(_ name: String, shape: [Int]) throws -> Tensor {
        guard checkpoint.contains(name) else {
            throw ModelError(
                .missingTensor, "tensor \(name) is missing; the checkpoint is incomplete, download it again", at: path)
        }
        let tensor = try checkpoint.tensor(name)
        guard tensor.shape == shape else {
            throw ModelError(
                .wrongShape,
                "tensor \(name) has shape \(tensor.shape), config.json asks for \(shape); "
                    + "do the two files belong together?", at: path)
        }
        return tensor
    }

    func release(_ name: String) { checkpoint.release(name) }
}
