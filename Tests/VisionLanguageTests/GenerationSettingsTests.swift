import Foundation
import TestSupport
import Testing
import VisionLanguage

/// Settings of `generation_config.json` that change answers are obeyed or refused by name.
@Suite struct GenerationSettingsTests {
    /// The settings of the library that writes the file, with their defaults.
    private static func published() throws -> [String: Any] {
        let file = Repository.fixture("generation/generation_keys.json")
        return try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    }

    private func configuration(_ edit: (inout [String: Any]) -> Void) throws -> LLaVAConfiguration {
        let copy = try CheckpointCopy(of: Golden.all[1])
        try copy.edit("generation_config.json", edit)
        return try LLaVAConfiguration(directory: copy.path)
    }

    @Test("every setting of the library has its standing")
    func complete() throws {
        let missing = try Self.published().keys.filter { GenerationSettings.standings[$0] == nil }
        #expect(missing.sorted() == [])
    }

    @Test("a file with every default, as the library writes it on request, is read")
    func defaults() throws {
        let published = try Self.published()
        #expect(try configuration { $0 = published }.endOfSequence == [2])
    }

    @Test("each setting that changes answers is refused by name, unless it has the value that changes nothing")
    func refused() throws {
        let values: [Any] = [7, 0.5, true, [[1, 2]], "sliding_window", ["a": 1]]
        var count = 0
        for (name, standing) in GenerationSettings.standings {
            guard case .refusedUnless(let neutral) = standing else { continue }
            count += 1
            for value in values where !(value as? Bool == true && neutral.contains("1")) {
                let error = try #require(throws: ModelError.self, "\(name): \(value)") {
                    try configuration { $0[name] = value }
                }
                #expect(
                    error.code == .malformedConfiguration && error.message.contains("\(name) is "), "\(error.message)")
            }
            _ = try configuration { $0[name] = NSNull() }
            for text in neutral { _ = try configuration { $0[name] = Int(text).map { $0 as Any } ?? text } }
        }
        #expect(count > 20)
        for (name, value) in [("repetition_penalty", 1.2), ("no_repeat_ngram_size", 3)] as [(String, Any)] {
            #expect(throws: ModelError.self) { try configuration { $0[name] = value } }
        }
    }

    @Test("what a batch says itself, and what changes nothing, may be anything")
    func others() throws {
        for (name, standing) in GenerationSettings.standings {
            guard standing == .chosenByTheBatch || standing == .withoutEffect else { continue }
            _ = try configuration { $0[name] = 3 }
        }
    }

    @Test("a setting that nobody here knows is named")
    func unknown() throws {
        let error = try #require(throws: ModelError.self) { try configuration { $0["creativity"] = 11 } }
        #expect(error.message.contains("creativity"))
    }
}
