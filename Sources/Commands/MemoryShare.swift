import Generation
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
            let format = batch.weights.format
            let activations = try CPUBackend.activationType(
                batch.precision.elementType, weights: format ?? folder.stored)
            // Where bf16 meets bf16, each worker has a copy of a packed model in oneDNN's layout.
            let isShared = folder.isPacked && !(activations == .bfloat16 && folder.stored == .bf16)
            let common = isShared ? folder.memory(weights: format, activations: activations).weights : 0
            bytes = common + max(available - common, 0) / workers
            let (whom, way): (String, String?) =
                workers > 1
                ? ("each of \(workers) workers", "run fewer workers, or pack the model, which they then share")
                : available == memory ? ("the run (--memory)", "raise --memory") : ("this machine", nil)
            try folder.checkFits(
                weights: format, activations: activations, available: bytes, of: whom, orElse: way)
        } catch {
            throw CommandFailure(ExitCodes.usage, "the batch cannot run: \(error)")
        }
    }
}
