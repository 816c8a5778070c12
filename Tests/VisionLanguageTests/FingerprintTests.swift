import Foundation
import Testing
import VisionLanguage

/// The SHA-256 of a checkpoint that result files carry.
struct FingerprintTests {
    @Test("equal files have equal fingerprints; one byte makes a difference")
    func fingerprint() throws {
        let copy = try CheckpointCopy(of: Golden.all[1])
        try copy.write()
        let first = try ModelFingerprint(directories: [copy.path]).value()
        #expect(first.count == 64)
        #expect(try ModelFingerprint(directories: [copy.path]).value() == first)
        let file = copy.folder.appendingPathComponent("model.safetensors")
        var data = try Data(contentsOf: file)
        data[data.count - 1] ^= 1
        try data.write(to: file)
        #expect(try ModelFingerprint(directories: [copy.path]).value() != first)
    }

    @Test(
        "the sample taken at submission looks at the same files",
        arguments: ["model.safetensors", "config.json", "tokenizer.model", "merges.txt", "pytorch_model-1.bin"])
    func sample(name: String) throws {
        let copy = try CheckpointCopy(of: Golden.all[1])
        try copy.write()
        let file = copy.folder.appendingPathComponent(name)
        func digests() throws -> [String] {
            [CheckpointSample.digest(directories: [copy.path]), try ModelFingerprint(directories: [copy.path]).value()]
        }
        let before = try digests()
        var data = (try? Data(contentsOf: file)) ?? Data()
        data.append(7)
        try data.write(to: file)
        for (one, other) in zip(before, try digests()) { #expect(one != other) }
    }
}
