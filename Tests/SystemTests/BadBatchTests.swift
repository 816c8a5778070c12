import Foundation
import TestSupport
import Testing

extension BlackBox {
    /// What is wrong with a batch is said before anything runs.
    @Suite struct BadBatchTests {
        private let folder: TemporaryDirectory
        private var path: String { folder.file("bad.yaml").path }

        init() throws { folder = try TemporaryDirectory() }

        private func write(_ text: String, to name: String = "bad.yaml") throws {
            try Data(text.utf8).write(to: folder.file(name))
        }

        /// Exit code 2, and nothing was made.
        private func refusal(_ command: String = "run") async throws -> RunningWinnow.End {
            let before = try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted()
            let end = try await winnow(command, path)
            #expect(end.code == 2 && end.output.isEmpty, "\(end)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted() == before)
            return end
        }

        @Test(arguments: ["run", "submit"])
        func allProblemsAreReportedTogether(command: String) async throws {
            try write(
                """
                model: \(Demo.model)
                items: items.jsonl
                images: \(Demo.folder)
                colour: red
                method: {name: ficoco-v, keep: 0}
                generation:
                  max_tokens: many
                  top_p: 1.5
                """)
            try write(
                """
                {"id": "a", "image": "images/scene-000.jpg", "prompt": "Hi"}
                {"id": "a", "image": "images/scene-001.jpg", "prompt": "Hi"}
                {"id": "b", "image": "images/absent.jpg", "prompt": "Hi"}
                {"id": "c", "image": "images/scene-000.jpg", "prompt": "Hi", "max_tokens": 0}
                {"id": "d", "image": "../secret.jpg", "prompt": "Hi"}
                {"id": "e", "image": "images/scene-000.jpg"}
                {"id": "f", "image": "images/scene-000.jpg", "prompt": "Hi", "size": 3}
                not json
                """, to: "items.jsonl")
            let end = try await refusal(command)
            for line in [4, 5, 7, 8] { #expect(end.errors.contains("\(path):\(line): "), "line \(line): \(end)") }
            for line in 2...8 {
                #expect(end.errors.contains("\(folder.file("items.jsonl").path):\(line): "), "item \(line): \(end)")
            }
            #expect(!end.errors.contains("items.jsonl:1:"))
        }

        @Test(arguments: [
            ("model: MODEL\nitems: items.jsonl\nmethod: {name: ficoco-v, keep: 64, axes: row}", "axes"),
            ("model: MODEL\nitems: items.jsonl\nmethod: {name: ficoco-v, keep: 64, axis: diagonal}", "axis"),
            ("model: MODEL\nitems: items.jsonl\nmethod: {name: ficoco-v, keep: 577}", "keep at most 576"),
            ("model: MODEL\nitems: items.jsonl\nmethod: {name: none, keep: 640}", "keep at most 576"),
            ("model: MODEL\nitems: items.jsonl\nmethod: {name: best, keep: 64}", "best"),
            ("model: MODEL\nitems: items.jsonl\nmethod: ficoco-v", "keep"),
            ("model: MODEL\nitems: items.jsonl\nmethod: {name: ficoco-v, keep: 64, from_layer: 900}", "900"),
            ("model: absent\nitems: items.jsonl", "absent"),
            ("model: .\nitems: items.jsonl", "config.json"),
            ("items: items.jsonl", "model"),
            ("model: MODEL\nitems: absent.jsonl", "absent.jsonl"),
            ("model: [MODEL", "YAML"),
            ("", "empty"),
        ])
        func oneProblem(text: String, word: String) async throws {
            try write(text.replacing("MODEL", with: Demo.model) + "\nimages: \(Demo.folder)\n")
            if text.isEmpty { try write("") }
            try write(#"{"id": "a", "image": "images/scene-000.jpg", "prompt": "Hi"}"#, to: "items.jsonl")
            #expect(try await refusal().errors.contains(word))
        }

        /// A literal `<image>` would move the picture, or be a second one: whoever submits says which, or nothing runs.
        @Test func anImageTagInAQuestionIsRefusedWithItsLineAndBothWaysOn() async throws {
            try write("model: \(Demo.model)\nitems: items.jsonl\nimages: \(Demo.folder)\n")
            try write(
                """
                {"id": "a", "image": "images/scene-000.jpg", "prompt": "Hi"}
                {"id": "b", "image": "images/scene-000.jpg", "prompt": "What does <image> mean in HTML?"}
                """, to: "items.jsonl")
            let end = try await refusal()
            #expect(end.errors.contains("items.jsonl:2: "), "\(end)")
            #expect(end.errors.contains("image_tag: place") && end.errors.contains("image_tag: text"), "\(end)")
        }

        @Test func aBatchFileThatIsNotThere() async throws {
            #expect(try await refusal().errors.contains("bad.yaml"))
        }
    }
}
