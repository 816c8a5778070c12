import JobModel
import MachineLimits
import Tensors
import VisionLanguage

/// What each of several workers on this machine may use.
struct MemoryShare {
    /// Bytes of each worker.
    let bytes: Int

    /// Shares out `memory` bytes, or what this machine has left; refuses a batch whose model does not fit so many times.
    ///
    /// Workers map one copy of a packed model; of a checkpoint each makes its own.
    init(_ batch: BatchDescription, workers: Int, memory: Int?) throws {
        let left = try AvailableMemory.now().available, available = min(memory ?? left, left)
        do {
            let folder = try ModelFolder(directory: batch.model, visionTower: batch.visionTower)
            let format = WeightFormat(rawValue: batch.weights.rawValue)
            let activations = try CPUBackend.activationType(
                PrecisionArgument?(batch.precision).elementType, weights: format ?? folder.stored)
            let common = folder.isPacked ? folder.memory(weights: format, activations: activations).weights : 0
            bytes = common + max(available - common, 0) / workers
            try folder.checkFits(
                weights: format, activations: activations, available: bytes,
                of: workers > 1
                    ? "each of \(workers) workers" : available == memory ? "the run (--memory)" : "this machine")
        } catch {
            throw CommandFailure(ExitCodes.usage, "the batch cannot run: \(error)")
        }
    }
}
