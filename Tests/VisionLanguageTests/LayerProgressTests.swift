import Tensors
import Testing
import VisionLanguage

/// Whoever waits for the model hears of every layer.
struct LayerProgressTests {
    @Test("every layer that is loaded or run is reported")
    func layers() throws {
        let golden = Golden.all[1]
        var count = 0
        let model = try LLaVA(
            directory: golden.directory, backend: CPUBackend(precision: .float32, threads: 1),
            progress: LayerProgress { count += 1 })
        #expect(count == 2 + 2)  // two layers of the tower, two of the decoder
        let patches = Tensor([Float](repeating: 0, count: 16 * 588), shape: [16, 588])
        let plan = try GreedyModel(directory: golden.directory, backend: PortableBackend()).plan()
        let tile = TileRequest(patches: patches, plan: plan)
        let pictures = try model.encode([tile, tile])
        #expect(count == 6)
        let prompt = try MultimodalPrompt(ids: [1, 640, 5], imageToken: 640, visualTokens: 16)
        let (sequences, _) = try model.prefill(
            pictures.map { DecoderInput(prompt, [$0], plan: plan) }, room: [2, 2])
        #expect(count == 8)
        _ = try model.decode([7, 8], sequences)
        #expect(count == 10)
    }
}
