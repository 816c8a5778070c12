import Foundation
import TestSupport
import Testing

extension BlackBox {
    /// A job that cannot be answered fails alone.
    @Suite struct BadJobTests {
        @Test func badJobsAreRecordedAndTheOthersGoOn() async throws {
            let pictures = try BadPictures()
            try FileManager.default.copyItem(
                at: URL(fileURLWithPath: Demo.folder + "/images"), to: pictures.folder.file("images"))
            var items = try Demo.items(4, every: 5)
            items += BadPictures.names.map { TestBatch.Item(id: $0, image: $0, prompt: "What is this?") }
            let long = String(repeating: "hello ", count: 3000)
            items.append(TestBatch.Item(id: "long", image: items[0].image, prompt: long))
            let batch = try TestBatch(items, images: pictures.folder.url.path)
            let end = try await winnow("run", batch.path, "--output", "json")
            #expect(end.code == 3, "\(end)")
            let report = try RunTests.Report(printed: end.output)
            #expect(report.batch.succeeded == 4 && report.batch.failed == 5 && report.batch.state == "finished")
            // Said before anything runs; that the fourth is cut short in its middle, only decoding tells.
            #expect(
                end.errors.contains(
                    """
                    warning: 3 pictures cannot be read, so that 3 of 9 items will fail:
                      the file is empty; copy or download it again: empty.jpg
                      this is not a picture in JPEG, PNG, WebP or GIF format; check the path: text.png
                      the file declares 30000×30000 pixels
                    """), "\(end.errors)")

            let rows = try Shard.all(in: batch.results).flatMap(\.rows)
            #expect(rows.map(\.id).sorted() == items.map(\.id).sorted())
            for item in items.prefix(4) {
                let row = try #require(rows.first { $0.id == item.id })
                #expect(!row.failed && row.error.isEmpty && !row.answer.isEmpty && row.kept.count == 192)
            }
            for (id, words) in [
                "empty.jpg": "the file is empty; copy or download it again: /", "text.png": "text.png",
                "cut.jpg": "cut short", "huge.png": "30000",
                "long": "2048",
            ] {
                let row = try #require(rows.first { $0.id == id })
                #expect(row.failed && row.error.contains(words) && row.answer.isEmpty && row.kept.isEmpty, "\(row)")
                #expect(report.answers.first { $0.id == id }?.error == row.error)
            }
        }

        /// Pillow opens it as well; whoever reads the results can tell.
        @Test func aPictureWithoutItsEndMarkIsAnsweredWithANoteInItsRow() async throws {
            let folder = try TemporaryDirectory()
            let whole = try Data(contentsOf: URL(fileURLWithPath: Demo.folder + "/images/scene-000.jpg"))
            try whole.write(to: folder.file("whole.jpg"))
            try whole.dropLast(2).write(to: folder.file("cut.jpg"))
            let items = ["whole.jpg", "cut.jpg"].map { TestBatch.Item(id: $0, image: $0, prompt: "What is this?") }
            let batch = try TestBatch(items, images: folder.url.path)
            let end = try await winnow("run", batch.path, "--output", "json")
            #expect(end.code == 0, "\(end)")
            let sql = "SELECT id, picture_notes FROM jobs ORDER BY id"
            let rows = try await winnow("results", "query", sql, batch.results, "--output", "csv")
            #expect(rows.output == "id,picture_notes\r\ncut.jpg,no end mark\r\nwhole.jpg,\r\n", "\(rows)")
            let answers = try Shard.all(in: batch.results).flatMap(\.rows).map(\.answer)
            #expect(Set(answers).count == 1)
        }

        private func batch(_ model: URL) throws -> TestBatch {
            let items = (0..<3).map { TestBatch.Item(id: "job-\($0)", image: "picture-\($0).png", prompt: "Hi") }
            return try TestBatch(
                items, method: "{name: ficoco-v, keep: 8}", model: model.path,
                images: Repository.fixture("model/images").path)
        }

        @Test func aModelWhoseFilesAreDamagedIsRefusedBeforeAnythingStarts() async throws {
            let folder = try TemporaryDirectory()
            let model = folder.file("model")
            try FileManager.default.copyItem(at: Repository.fixture("model/small"), to: model)
            let weights = model.appendingPathComponent("model.safetensors")
            let whole = try Data(contentsOf: weights)
            try whole.prefix(whole.count / 2).write(to: weights)
            let batch = try batch(model)
            let end = try await winnow("run", batch.path, "--output", "json")
            #expect(end.code == 2 && end.errors.contains(weights.path), "\(end)")
            #expect(!FileManager.default.fileExists(atPath: batch.results))
        }

        /// Files are opened before a batch is taken, and weights read when the first job comes.
        @Test func aModelThatCannotBeLoadedFailsTheRunAndNoJob() async throws {
            let folder = try TemporaryDirectory()
            let model = folder.file("model")
            try FileManager.default.copyItem(at: Repository.fixture("model/small"), to: model)
            let weights = model.appendingPathComponent("model.safetensors")
            var whole = try Data(contentsOf: weights)
            let name = try #require(whole.range(of: Data("mlp.down_proj.weight".utf8)))
            whole.replaceSubrange(name, with: Data("mlp.down_proj.wait  ".utf8))
            try whole.write(to: weights)
            let batch = try batch(model)
            let end = try await winnow("run", batch.path, "--output", "json")
            #expect(end.code == 1 && end.errors.contains("down_proj.weight is missing"), "\(end)")
            #expect(try Shard.all(in: batch.results).isEmpty)
            // However often and of however many jobs the worker finds it out, each log has it once.
            for (log, words) in [("worker-1", "jobs go back"), ("coordinator", "jobs came back")] {
                let text = try String(contentsOfFile: "\(batch.results)/logs/\(log).log", encoding: .utf8)
                #expect(text.components(separatedBy: words).count == 2, "\(text)")
            }
        }
    }
}
