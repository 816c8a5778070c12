import Evaluation
import Foundation
import JobModel
import TestSupport
import Testing

/// The folder of an evaluation, read by somebody else than its run.
struct EvaluationFolderTests {
    /// A folder as a run leaves it: settings, batch and answers of three cells.
    private func folder() throws -> MadeGrid {
        let grid = try MadeGrid([("b", "1.jpg"), ("a", "0.jpg"), ("c", "1.jpg")])
        for name in ["0.jpg", "1.jpg"] { try Data().write(to: grid.folder.file(name)) }
        let rows = ["a", "b", "c"].map { MadeGrid.Row(id: $0) }
        _ = try grid.answers(
            rows,
            [
                ("random", 64, [MadeGrid.Row(id: "a", answer: "y", kept: Data([0b101, 0b1000_0000]))]),
                ("random", 128, rows),
            ])
        try EvaluationSettings(grid.batch, modelSHA256: "ab", backend: "cpu").claim(grid.folder.url)
        return grid
    }

    @Test func cellsAreReadWithoutTheCommandThatMadeThem() throws {
        let grid = try folder()
        #expect(EvaluationFolder.isOne(grid.folder.url))
        #expect(!EvaluationFolder.isOne(grid.folder.file("answers")))
        try EvaluationFolder.keep(grid.batch, in: grid.folder.url)
        let read = try EvaluationFolder(grid.folder.url)
        #expect(read.cells.map(\.cell.name) == ["none", "random@128", "random@64"])
        // Questions about one picture together, as a run asks them.
        #expect(read.cells[0].items.map(\.id.rawValue) == ["b", "c", "a"])
        #expect(read.cells[2].rows.map { $0?.answer } == [nil, nil, "y"])
        let row = try #require(read.cells[2].rows[2])
        #expect([0, 1, 2, 15, 16, 600].map { row.keeps($0) } == [true, false, true, true, false, false])
        #expect(read.cells[0].rows[0]?.keeps(0) == nil, "it was not written down")
    }

    @Test func whatWasAskedMustBeThere() throws {
        let grid = try folder()
        let bare = #expect(throws: EvaluationError.self) { try EvaluationFolder(grid.folder.url) }
        #expect(bare?.code == .missingData && bare?.message.contains("it keeps the answers and adds the file") == true)
        try EvaluationFolder.keep(grid.batch, in: grid.folder.url)
        try Data(#"{"id": "b", "image": "1.jpg", "prompt": "Another?"}"#.utf8).write(
            to: grid.folder.file("items.jsonl"))
        let pictures = grid.folder.file("elsewhere")
        try FileManager.default.createDirectory(at: pictures, withIntermediateDirectories: true)
        let gone = #expect(throws: ManifestProblems.self) {
            try EvaluationFolder(grid.folder.url, images: pictures.path)
        }
        #expect(gone.map { "\($0)".contains("there is no image '1.jpg'") } == true)
        let other = #expect(throws: EvaluationError.self) { try EvaluationFolder(grid.folder.url) }
        #expect(other?.code == .otherSettings && other?.message.contains("holds other items") == true)
    }
}
