import Foundation
import ImageDecoding
import TestSupport
import Testing

extension BlackBox {
    /// Prompts about several pictures beside others, from the items to what a user does with the results.
    @Suite struct SeveralPicturesTests {
        private let folder: TemporaryDirectory
        private var results: String { folder.file("results").path }
        private var batch: String { folder.file("batch.yaml").path }
        private static let pictures = ["images/scene-000.jpg", "images/scene-002.png"]

        init() throws {
            folder = try TemporaryDirectory()
            try write([
                #"{"id": "pair", "images": \#(Self.pictures), "prompt": "What differs?"}"#,
                #"{"id": "one", "image": "\#(Self.pictures[0])", "prompt": "What is it?"}"#,
                #"{"id": "placed", "images": \#(Self.pictures), "prompt": "Is <image> like <image>?"}"#,
                #"{"id": "none", "images": [], "prompt": "How many?"}"#,
            ])
        }

        private func write(_ items: [String], method: String = "{name: ficoco-vl, keep: 64}") throws {
            try Data(items.joined(separator: "\n").utf8).write(to: folder.file("items.jsonl"))
            let yaml = """
                name: pairs
                model: \(Demo.model)
                items: items.jsonl
                images: \(Demo.folder)
                results: results
                template: hf
                image_tag: place
                precision: f32
                method: \(method)
                generation: {max_tokens: 8}
                """
            try Data(yaml.utf8).write(to: folder.file("batch.yaml"))
        }

        @Test func runAndLook() async throws {
            let end = try await winnow("run", batch, "--workers", "2", "--threads", "1")
            try #require(end.code == 0 && end.output.contains("4 of 4 jobs succeeded"), "\(end)")
            let verified = try await winnow("results", "verify", results)
            #expect(verified.code == 0, "\(verified)")
            let shards = try Shard.all(in: results)
            #expect(shards.reduce(into: Set()) { $0.formUnion($1.grids) } == [[24, 24]])
            let rows = Dictionary(uniqueKeysWithValues: shards.flatMap(\.rows).map { ($0.id, $0) })
            for (id, pictures, prompt) in [
                ("pair", Self.pictures, "What differs?"), ("one", [Self.pictures[0]], "What is it?"),
            ] {
                let row = try #require(rows[id])
                #expect(row.leftAt.count == 576 * pictures.count && row.kept.count == 64 * pictures.count)
                var arguments = [
                    "answer", "--model", Demo.model, "--prompt", prompt, "--precision", "f32", "--max-tokens", "8",
                    "--threads", "1", "--template", "hf", "--method", "ficoco-vl", "--keep", "64", "--output", "json",
                ]
                for picture in pictures { arguments += ["--image", "\(Demo.folder)/\(picture)"] }
                let answer = try await winnow(arguments)
                let single = try AnswerTests.Answer(printed: answer.output)
                #expect(single.tokenIds == row.tokenIDs.map { Int($0) } && single.text == row.answer)
                #expect(single.visualTokens == row.kept.count)
            }
            #expect(rows["none"]?.leftAt.isEmpty == true && rows["placed"]?.kept.count == 128)

            let query = try await winnow(
                "results", "query", "SELECT id, pictures, image FROM jobs ORDER BY id", results, "--output", "json")
            struct Listed: Decodable, Equatable {
                let id, image: String
                let pictures: Int
            }
            let both = Self.pictures.joined(separator: "\n")
            #expect(
                try JSONDecoder().decode([Listed].self, from: Data(query.output.utf8)) == [
                    Listed(id: "none", image: "", pictures: 0), Listed(id: "one", image: Self.pictures[0], pictures: 1),
                    Listed(id: "pair", image: both, pictures: 2), Listed(id: "placed", image: both, pictures: 2),
                ])
            let png = folder.file("pair.png").path
            let show = try await winnow("results", "show", "pair", results, "--png", png)
            #expect(show.code == 0, "\(show)")
            // The demo model's 24×24 patches of 14 pixels: two lines of panels, each under its title, and the picture's name.
            let sheet = try Picture(contentsOf: URL(fileURLWithPath: png))
            #expect(sheet.height == 12 + 2 * (16 + 16 + 4 + 336 + 12), "\(sheet.width)×\(sheet.height)")
            let drawn = try await winnow("results", "show", "pair", results, "--drawing", "blocks")
            #expect(drawn.output.contains("\npicture 2 of 2 (images/scene-002.png)\nthe model's view  "), "\(drawn)")
            let report = try await winnow("report", results)
            #expect(report.code == 0 && report.errors.isEmpty, "\(report)")
            let html = try String(contentsOfFile: results + "/report.html", encoding: .utf8)
            #expect(html.contains(#""tile":"picture 2 of 2""#))
            let merge = try await winnow("results", "merge", results)
            #expect(merge.code == 0 && merge.output.contains("with the same 4 rows"), "\(merge)")
        }

        @Test(.enabled(if: SystemPython.hasH5py, "needs Debian's python3-h5py"))
        func thePythonReaderKnowsThem() async throws {
            let end = try await winnow("run", batch, "--threads", "1")
            try #require(end.code == 0, "\(end)")
            try await writeReader(to: folder)
            let script = """
                import sys
                sys.path.insert(0, sys.argv[1])
                from winnow_results import open_results
                for use_catalogue in [True, False]:
                    results = open_results(sys.argv[2], use_catalogue=use_catalogue)
                    pair, one, none = results["pair"], results["one"], results["none"]
                    assert list(pair.pictures["image"]) == sys.argv[3:], pair.pictures
                    assert pair.image == "\\n".join(sys.argv[3:]) and none.image == ""
                    assert [len(text) for text in pair.pictures["sha256"]] == [64, 64]
                    assert list(pair.segments["first_token"]) == [0, 576] and pair.grids == [(24, 24)] * 2
                    assert one.grid == (24, 24) and one.mask().sum() == 64
                    masks = pair.masks()
                    assert len(masks) == 2 and sum(mask.sum() for mask in masks) == 128, masks
                    try:
                        pair.mask()
                        raise SystemExit("one mask of two pictures")
                    except ValueError as error:
                        assert "masks" in str(error)
                    table = results.table
                    print(sorted(zip(table["id"], (int(count) for count in table["pictures"]))))
                """
            let printed = try SystemPython.run(script, [folder.url.path, results] + Self.pictures)
            let line = "[('none', 0), ('one', 1), ('pair', 2), ('placed', 2)]\n"
            #expect(printed == line + line)
        }

        @Test func whatCannotBeIsRefusedBeforeAnythingRuns() async throws {
            try write([
                #"{"id": "few", "images": \#(Self.pictures), "prompt": "Is <image> alone?"}"#,
                #"{"id": "both", "image": "\#(Self.pictures[0])", "images": [], "prompt": "What?"}"#,
                #"{"id": "gone", "images": ["images/scene-000.jpg", "images/none.jpg"], "prompt": "What?"}"#,
            ])
            let refused = try await winnow("run", batch)
            #expect(refused.code == 2, "\(refused)")
            for words in [
                "the prompt has 1 <image> and the item 2 pictures", "'image' and 'images' are both there",
                "there is no image 'images/none.jpg'",
            ] { #expect(refused.errors.contains(words), "\(refused)") }
            try write(
                [#"{"id": "many", "images": \#([String](repeating: Self.pictures[0], count: 4)), "prompt": "What?"}"#],
                method: "none")
            let full = try await winnow("run", batch)
            #expect(full.code == 2 && full.errors.contains("4 pictures of 576 visual tokens"), "\(full)")
            // Each picture may keep as few as it likes.
            try write(
                [#"{"id": "many", "images": \#([String](repeating: Self.pictures[0], count: 4)), "prompt": "What?"}"#],
                method: "{name: prumerge, keep: 550, count: adaptive}")
            let open = try await winnow("run", batch, "--threads", "1")
            #expect(open.code == 0 && open.output.contains("1 of 1 job succeeded"), "\(open)")
            try write(
                [#"{"id": "all", "images": \#([String](repeating: Self.pictures[0], count: 114)), "prompt": "What?"}"#],
                method: "{name: ficoco-v, keep: 1}")
            let untold = try await winnow("run", batch)
            #expect(untold.code == 2 && untold.errors.contains("65664 visual tokens"), "\(untold)")
            let answer = try await winnow(
                "answer", "--model", Demo.model, "--image", "\(Demo.folder)/\(Self.pictures[0])", "--prompt",
                "<image> or <image>?", "--template", "none")
            #expect(answer.code != 0 && answer.errors.contains("2 <image> and one picture"), "\(answer)")
        }
    }
}
