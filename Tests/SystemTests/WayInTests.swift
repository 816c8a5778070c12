import Foundation
import HDF5
import TestSupport
import Testing

extension BlackBox {
    /// A batch without a file by hand: folders, CSV, requests of OpenAI's Batch API, and `winnow init`.
    @Suite struct WayInTests {
        private let folder: TemporaryDirectory

        init() throws { folder = try TemporaryDirectory() }

        /// Puts pictures of the demo below the folder `photos`.
        private func photograph(_ names: String...) throws {
            for (number, name) in names.enumerated() {
                let file = folder.file("photos/\(name)")
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try FileManager.default.copyItem(
                    at: URL(fileURLWithPath: "\(Demo.folder)/images/scene-00\(number).jpg"), to: file)
            }
        }

        private func write(_ text: String, to name: String) throws {
            try Data(text.utf8).write(to: folder.file(name))
        }

        private static let quick = [
            "--model", Demo.model, "--template", "hf", "--max-tokens", "4", "--features", "none", "--workers", "1",
            "--threads", "1",
        ]

        private func run(_ arguments: String...) async throws -> RunningWinnow.End {
            try await RunningWinnow(["run"] + arguments + Self.quick + ["--output", "json"], in: folder.url).end()
        }

        @Test func aFolderAndAPromptAreABatch() async throws {
            try photograph("b.jpg", "a/c.JPG")
            try write("x", to: "photos/scan.tif")
            try write("x", to: "photos/notes.txt")
            let end = try await run(
                "--images", "photos", "--prompt", "What shape is green?", "--method", "ficoco-v", "--keep", "64")
            try #require(end.code == 0, "\(end)")
            let left =
                "warning: 1 picture is of kinds that are not read, and left out; convert to JPEG, PNG or WebP:\n  1 TIFF: scan.tif\n"
            #expect(
                end.errors.contains(left) && end.errors.contains("skipped:\n  1 file: notes.txt\n"),
                "\(end.errors)")
            let report = try RunTests.Report(printed: end.output)
            #expect(report.answers.map(\.id) == ["a/c.JPG", "b.jpg"])
            #expect(report.answers.allSatisfy { $0.visualTokens == 64 && $0.question == "What shape is green?" })
            let results = folder.file("results/photos")
            #expect(
                URL(fileURLWithPath: report.batch.results).resolvingSymlinksInPath()
                    == results.resolvingSymlinksInPath())

            // The same as one prompt about the picture.
            let single = try await winnow(
                "answer", "--model", Demo.model, "--template", "hf", "--max-tokens", "4", "--method", "ficoco-v",
                "--keep", "64", "--image", folder.file("photos/b.jpg").path, "--prompt", "What shape is green?",
                "--threads", "1")
            #expect(single.output == report.answers[1].answer + "\n", "\(single)")

            // What is stored beside the results is a batch file, and says which jobs there should be.
            for file in ["jobs.sqlite", "jobs.sqlite-wal", "jobs.sqlite-shm"] {
                try? FileManager.default.removeItem(at: results.appendingPathComponent(file))
            }
            let verified = try await winnow("results", "verify", results.path)
            #expect(verified.code == 0 && verified.output.contains("0 missing"), "\(verified)")
            let again = try await winnow(
                "run", results.path + "/batch.yaml", "--new", "--threads", "1", "--output", "json", in: folder.url)
            #expect(again.code == 0, "\(again)")
            let second = try RunTests.Report(printed: again.output)
            #expect(second.batch.results.hasSuffix("results/photos-2"))
            #expect(second.answers.map(\.answer) == report.answers.map(\.answer))
        }

        /// A resumed run takes pictures up that came since, and shows each answer beside its own question.
        @Test func aResumedFolderTakesUpNewPictures() async throws {
            try photograph("m.jpg", "n.jpg")
            let first = try await run("--images", "photos", "--prompt", "What shape is green?")
            try #require(first.code == 0, "\(first)")
            try photograph("a.jpg")
            let second = try await run("--images", "photos", "--prompt", "What shape is green?", "--resume")
            try #require(second.code == 0, "\(second)")
            let report = try RunTests.Report(printed: second.output)
            #expect(Set(report.answers.map(\.id)) == ["a.jpg", "m.jpg", "n.jpg"])
            #expect(report.answers.allSatisfy { $0.question == "What shape is green?" && $0.error.isEmpty })
            // Another question is another item of the same id.
            let other = try await run("--images", "photos", "--prompt", "How many?", "--resume")
            #expect(other.code == 2, "\(other)")
            for words in [#"(prompt: "What shape is green?" → "How many?")"#, "Use --new", "--force"] {
                #expect(other.errors.contains(words), "\(other)")
            }
        }

        @Test func aTableOfQuestionsIsABatch() async throws {
            try photograph("a.jpg", "b.jpg")
            try write(
                "\u{FEFF}image,prompt,answers,kind\r\nphotos/a.jpg,\"What is written, on the sign?\",24|none,text\r\nphotos/b.jpg,,,\r\n",
                to: "questions.csv")
            let end = try await run("--items", "questions.csv", "--prompt", "What shape is green?")
            try #require(end.code == 0, "\(end)")
            let report = try RunTests.Report(printed: end.output)
            #expect(report.answers.map(\.question) == ["What is written, on the sign?", "What shape is green?"])
            let rows = try await winnow(
                "results", "query", "SELECT id, expected_answers, labels FROM jobs ORDER BY id", report.batch.results,
                "--output", "csv")
            let expected =
                "id,expected_answers,labels\r\nrow-1,\"[\"\"24\"\",\"\"none\"\"]\",\"{\"\"kind\"\":\"\"text\"\"}\"\r\nrow-2,,\r\n"
            #expect(rows.output == expected, "\(rows)")
        }

        @Test func requestsOfABatchAPIComeBackAsItsOutput() async throws {
            try photograph("a.jpg")
            let picture = try Data(contentsOf: folder.file("photos/a.jpg")).base64EncodedString()
            func request(_ id: String, _ url: String, _ tokens: Int) -> String {
                #"{"custom_id":"\#(id)","method":"POST","url":"/v1/chat/completions","body":{"model":"m","max_tokens":\#(tokens),"#
                    + #""messages":[{"role":"user","content":[{"type":"text","text":"What shape is green?"},"#
                    + #"{"type":"image_url","image_url":{"url":"\#(url)"}}]}]}}"#
            }
            try write(
                request("by path", "photos/a.jpg", 1) + "\n" + request("inline", "data:image/jpeg;base64,\(picture)", 2)
                    + "\n", to: "requests.jsonl")
            let end = try await run("--items", "requests.jsonl")
            try #require(end.code == 0, "\(end)")
            let report = try RunTests.Report(printed: end.output)
            let exported = try await winnow(
                "results", "export", report.batch.results, "--format", "openai", "--model-id", "demo")
            struct Line: Decodable {
                struct Response: Decodable {
                    struct Body: Decodable {
                        struct Choice: Decodable {
                            struct Message: Decodable { let content: String }
                            let message: Message
                            let finish_reason: String
                        }
                        struct Usage: Decodable { let completion_tokens: Int }
                        let model: String
                        let choices: [Choice]
                        let usage: Usage
                    }
                    let body: Body
                }
                let custom_id: String
                let response: Response
            }
            let lines = try exported.output.split(separator: "\n").map {
                try JSONDecoder().decode(Line.self, from: Data($0.utf8))
            }.sorted { $0.custom_id < $1.custom_id }
            #expect(
                lines.map(\.custom_id) == ["by path", "inline"] && lines.allSatisfy { $0.response.body.model == "demo" }
            )
            #expect(lines.map(\.response.body.choices.first?.message.content) == report.answers.map(\.answer))
            #expect(zip(lines, [1, 2]).allSatisfy { $0.response.body.usage.completion_tokens <= $1 })
        }

        @Test func whatInitWritesRuns() async throws {
            try photograph("a.jpg", "b.jpg")
            try write("x", to: "photos/c.heic")
            let made = try await winnow(
                "init", "photos", "--model", Demo.model, "--prompt", "Is it \"green\"?", in: folder.url)
            #expect(
                made.code == 0 && made.output.contains("2 items") && made.output.contains("winnow run photos.yaml"),
                "\(made)")
            #expect(made.errors.contains("1 HEIC: c.heic"), "\(made)")
            let text = try String(contentsOf: folder.file("photos.yaml"), encoding: .utf8)
            #expect(text.contains("items: \"photos\"\n") && text.contains("prompt: \"Is it \\\"green\\\"?\"\n"))
            let end = try await winnow(
                "run", "photos.yaml", "--max-tokens", "2", "--features", "none", "--threads", "1", "--output", "json",
                in: folder.url)
            try #require(end.code == 0, "\(end)")
            let report = try RunTests.Report(printed: end.output)
            #expect(report.answers.map(\.id) == ["a.jpg", "b.jpg"])
            #expect(report.answers.allSatisfy { $0.question == "Is it \"green\"?" })
            let twice = try await winnow("init", "photos", in: folder.url)
            #expect(twice.code == 2 && twice.errors.contains("--force"), "\(twice)")
            let forced = try await winnow("init", "photos", "--force", "--output", "quiet", in: folder.url)
            #expect(forced.code == 0 && forced.output.hasSuffix("photos.yaml\n"), "\(forced)")
            let reduced = try await winnow(
                "init", "photos", "--model", Demo.model, "--method", "ficoco-v", "--keep", "64", "--set", "axis=row",
                "--template", "hf", "--max-tokens", "2", "--out", "reduced.yaml", in: folder.url)
            #expect(reduced.code == 0, "\(reduced)")
            #expect(
                try String(contentsOf: folder.file("reduced.yaml"), encoding: .utf8).contains(
                    "\nmethod: {name: ficoco-v, keep: 64, \"axis\": \"row\"}\n"))
            let kept = try await winnow(
                "run", "reduced.yaml", "--features", "none", "--threads", "1", "--output", "json",
                in: folder.url)
            #expect(try RunTests.Report(printed: kept.output).answers.allSatisfy { $0.visualTokens == 64 })
            for (options, words) in [
                (["--method", "ficoco-w", "--keep", "64"], "did you mean ficoco-v?"),
                (["--method", "fastv"], "needs --keep"),
            ] {
                let wrong = try await winnow(["init", "photos", "--out", "wrong.yaml"] + options)
                #expect(wrong.code == 2 && wrong.errors.contains(words), "\(wrong)")
            }
            let empty = try await winnow("init", "results", in: folder.url)
            #expect(empty.code == 2 && empty.errors.contains("there is no picture"), "\(empty)")
        }

        @Test func wrongUsageIsSaidInWords() async throws {
            for (arguments, words) in [
                (["run"], "give a batch file"), (["submit"], "give a batch file"),
                (["run", "--images", "photos", "--prompt", "x"], "--model"),
                (["run", "--images", "photos", "--model", Demo.model], "photos"),
            ] {
                let end = try await RunningWinnow(arguments, in: folder.url).end()
                #expect(end.code == 2 && end.errors.contains(words), "\(end)")
            }
            try photograph("a.jpg")
            let end = try await run("--images", "photos")
            #expect(end.code == 2 && end.errors.contains("--prompt"), "\(end)")
            let budget = try await run("--images", "photos", "--prompt", "x", "--keep", "64")
            #expect(budget.code == 2 && budget.errors.contains("--method"), "\(budget)")
            #expect(!FileManager.default.fileExists(atPath: folder.file("results").path))
        }

        @Test func aCoordinatorTakesAFolderAsWell() async throws {
            try photograph("a.jpg", "b.jpg")
            let services = try await Services()
            let end = try await RunningWinnow(
                ["submit", "--images", "photos", "--prompt", "What?", "--name", "mine", "--model", Demo.model]
                    + ["--connect", services.endpoints.clients, "--output", "quiet"], in: folder.url
            ).end()
            #expect(end.code == 0 && end.output == "mine\n", "\(end)")
            let jobs = try await winnow("jobs", "mine", "--connect", services.endpoints.clients, "--output", "quiet")
            #expect(jobs.output == "a.jpg\nb.jpg\n", "\(jobs)")
        }

        /// A portrait from a phone stands upright unless the batch reads pictures as they are stored.
        @Test func picturesStandUpright() async throws {
            try FileManager.default.createDirectory(at: folder.file("photos"), withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                at: Repository.fixture("images/orientation_6.jpg"), to: folder.file("photos/phone.jpg"))
            for (arguments, size, orientation) in [
                ([String](), [24, 40], UInt8(6)), (["--orientation", "as-stored"], [40, 24], 1),
            ] {
                let end = try await RunningWinnow(
                    ["run", "--new", "--images", "photos", "--prompt", "What?"] + arguments + Self.quick
                        + ["--output", "json"], in: folder.url
                ).end()
                try #require(end.code == 0, "\(end)")
                let report = try RunTests.Report(printed: end.output)
                try File.reading(#require(report.shards.first)) { file in
                    let width: [Int64] = try file.root.dataset("pictures/width").read()
                    let height: [Int64] = try file.root.dataset("pictures/height").read()
                    let turned: [UInt8] = try file.root.dataset("pictures/orientation").read()
                    #expect(width + height == size.map { Int64($0) } && turned == [orientation])
                    guard case .string(let how) = try file.root.attribute("generation_json") else {
                        throw Shard.Damage(description: "no generation_json")
                    }
                    #expect(how.contains(orientation == 1 ? #""orientation":"as-stored""# : #""orientation":"exif""#))
                }
                let shown = try await winnow(
                    "results", "show", "phone.jpg", report.batch.results, "--drawing", "off", "--png",
                    folder.file("panels.png").path)
                #expect(shown.code == 0, "\(shown)")
            }
        }
    }
}
