import Tensors
import Testing
import VisionLanguage

/// Weights may be stored as fp64, fp32, bf16 or fp16: what counts is their values.
struct StoredTypeTests {
    @Test("every stored type gives the goldens", arguments: Golden.all, [ElementType.float64, .float32, .float16])
    func storedType(golden: Golden, type: ElementType) throws {
        var copy = try CheckpointCopy(of: golden)
        let stored = try #require(copy.tensors.values.first).type
        #expect(stored == (golden.name == "hf" ? .bfloat16 : .float16))
        copy.store(as: type)
        try copy.write()
        try copy.load().expectAnswers(of: golden)
    }

    @Test("a checkpoint may mix types")
    func mixed() throws {
        var copy = try CheckpointCopy(of: Golden.all[1])
        let backend = PortableBackend()
        for name in copy.tensors.keys where name.hasPrefix("vision_tower.") {
            copy.tensors[name] = copy.tensors[name].map { backend.convert($0, to: .float32) }
        }
        try copy.write()
        try copy.load().expectAnswers(of: Golden.all[1])
    }
}
