import Foundation
import TestSupport
import Testing

extension BlackBox {
    /// A job that cannot be answered fails alone.
    @Suite struct BadJobTests {
        @Test func badJobsAreRecordedAndTheOthersGoOn() async throws {
            let pictures = try BadPictures()
            try FileManager.default.createSymbolicLink(
                at: pictures.folder.file("images"), withDestinationURL: URL(fileURLWithPath: Demo.folder + "/images"))
            var items = try Demo.items(4, every: 5)
            for name in BadPictures.names { items.append(TestBatch.Item(id: name, image: name, prompt: "What is this?")) }
            items.append(
                TestBatch.Item(
                    id: "long", image: items[0].image, prompt: String(repeating: "hello ", count: 3000)))
            items.append(TestBatch.Item(id: "greedy", image: items[0].image, prompt: "Hi", maxTokens: 5000))
            // The pictures of the demo are copied: links that lead out of the folder are not followed.
            let batch = try TestBatch(items, images: pictures.folder.url.path)
            let end = try await winnow("run", batch.path, "--output", "json")
            #expect(end.code == 3, "\(end)")
            let report = try RunTests.Report(printed: end.output)
            #expect(report.batch.succeeded == 4 && report.batch.failed == 6 && report.batch.state == "finished")

            let rows = try Shard.all(in: batch.results).flatMap(\.rows)
            #expect(rows.map(\.id).sorted() == items.map(\.id).sorted())
            for item in items.prefix(4) {
                let row = try #require(rows.first { $0.id == item.id })
                #expect(!row.failed && row.error.isEmpty && !row.answer.isEmpty && row.kept.count == 192)
            }
            for (id, words) in [
                "empty.jpg": "empty.jpg", "text.png": "text.png", "cut.jpg": "cut short", "huge.png": "30000",
                "long": "2048", "greedy": "2048",
            ] {
                let row = try #require(rows.first { $0.id == id })
                #expect(row.failed && row.error.contains(words) && row.answer.isEmpty && row.kept.isEmpty)
                #expect(report.answers.first { $0.id == id }?.error == row.error)
            }
        }
    }
}
