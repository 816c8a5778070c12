import Foundation
import Tensors
import TestSupport
import Testing
import VisionLanguage

/// CLIP's text side on a tiny model, against transformers (Tests/Fixtures/clip).
struct CLIPTextTests {
    struct Embedding: Decodable, Sendable, CustomTestStringConvertible {
        let text: String
        let segments: String
        let eos_token_id: Int
        let rows: [[Int]]
        let embeddings: [[Double]]

        var testDescription: String { "\(text.prefix(30).debugDescription), end marker \(eos_token_id)" }

        /// Texts cut as published; the others show another way of cutting, which is not built.
        static func all() throws -> [Embedding] {
            struct File: Decodable { let embeddings: [Embedding] }
            let data = try Data(contentsOf: Repository.fixture("clip/clip_goldens.json"))
            return try JSONDecoder().decode(File.self, from: data).embeddings.filter { $0.segments == "published" }
        }
    }

    static let small = Repository.fixture("model/small").path

    /// The tiny CLIP model, with another end marker in its settings.
    private func text(_ golden: Embedding, _ backend: any Backend) throws -> (CLIPText, TemporaryDirectory) {
        let folder = try TemporaryDirectory()
        let tower = folder.file("clip")
        try FileManager.default.copyItem(at: Repository.fixture("clip/model"), to: tower)
        let file = tower.appendingPathComponent("config.json")
        var settings = try #require(
            JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        var text = try #require(settings["text_config"] as? [String: Any])
        text["eos_token_id"] = golden.eos_token_id
        settings["text_config"] = text
        try JSONSerialization.data(withJSONObject: settings).write(to: file)
        return (try CLIPText(CLIPFolder(of: Self.small, visionTower: tower.path), backend: backend), folder)
    }

    @Test("embeddings by both rules, short texts and long ones", arguments: try Embedding.all())
    func embeddings(golden: Embedding) throws {
        for (backend, tolerance) in [
            (PortableBackend(type: .float64), 1e-9), (PortableBackend(type: .float32), 1e-4),
            (CPUBackend(precision: .float32, threads: 2), 1e-4),
        ] as [(any Backend, Double)] {
            let (tower, folder) = try text(golden, backend)
            let embeddings = tower.embed(golden.text)
            #expect(embeddings.rows.shape == [golden.rows.count, 20])
            #expect(relativeError(embeddings.rows.doubles, golden.embeddings.flatMap(\.self)) < tolerance)
            #expect(embeddings.flops == golden.rows.map(expectedFLOPs).reduce(0, +))
            withExtendedLifetime(folder) {}
        }
    }

    /// Four products of 24 by 24 in each layer, two of 24 by 44, and causal attention; then the projection.
    ///
    /// The goldens' pieces are filled up with zeros behind the end marker, which are never computed here.
    private func expectedFLOPs(_ ids: [Int]) -> Int {
        let n = (ids.lastIndex { $0 != 0 } ?? 0) + 1
        let matrices = 2 * n * (4 * 24 * 24 + 2 * 24 * 44)
        let attention = 2 * n * (n + 1) * 24
        return 3 * (matrices + attention) + 2 * 24 * 20
    }

    @Test("the goldens hold texts of one piece and of several, and both rules")
    func coverage() throws {
        let all = try Embedding.all()
        #expect(Set(all.map(\.rows.count)).count >= 2)
        #expect(Set(all.map(\.eos_token_id)).count == 2)
    }
}
