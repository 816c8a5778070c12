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
}
