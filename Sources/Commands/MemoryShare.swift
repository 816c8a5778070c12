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
        let left = try AvailableMemory.now(), available = min(memory ?? left.available, left.available)
        do {
            let loader = try ModelLoader(
                ModelFolder(directory: batch.model, visionTower: batch.visionTower),
                precision: batch.precision.elementType, weights: batch.weights.format)
            let common = loader.sharesWeights ? loader.memory.weights : 0
            bytes = common + max(available - common, 0) / workers
            let (whom, way): (String, String?) =
                workers > 1
                ? ("each of \(workers) workers", "run fewer workers, or pack the model, which they then share")
                : available == memory ? ("the run (--memory)", "raise --memory") : (left.limitedBy.owner, nil)
            try loader.checkFits(bytes, of: whom, orElse: way)
        } catch {
            throw CommandFailure(ExitCodes.usage, "the batch cannot run: \(error)")
        }
    }
}

extension BatchPreflight {
    /// Refuses a batch that wants another format of weights than that of its packed model. Returns a sentence where this
    /// machine could not hold the model: the workers may be on others that can.
    static func warningAboutModel(of batch: BatchDescription) throws -> String? {
        do {
            let folder = try ModelFolder(directory: batch.model, visionTower: batch.visionTower)
            try folder.checkFormat(batch.weights.format)
            let format = batch.weights.format
            // What another processor can do is for its worker to say.
            let loader =
                try (try? ModelLoader(folder, precision: batch.precision.elementType, weights: format))
                ?? ModelLoader(folder, precision: .float32, weights: format)
            let need = loader.memory.least
            let here = try AvailableMemory.now().total
            guard need > here else { return nil }
            return
                "the model needs \(ByteCount(bytes: need)) and this machine has \(ByteCount(bytes: here)): the batch waits "
                + "for a worker on a machine with more"
        } catch {
            throw CommandFailure(ExitCodes.usage, "the batch cannot run: \(error)")
        }
    }
}
