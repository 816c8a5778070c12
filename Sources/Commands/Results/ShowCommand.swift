import Analysis
import ArgumentParser
import Foundation
import ImageDecoding
import JobModel
import JobVocabulary
import ResultFiles

/// `winnow results show`: what became of the patches of one job's pictures.
struct ShowCommand: ParsableCommand {
    /// How the picture comes to the terminal.
    enum Drawing: String, ExpressibleByArgument, CaseIterable {
        case blocks, sixel, off
    }

    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Draw one job's pictures with kept and pruned patches, here and as PNG.",
        discussion: """
            The panels: the square that the model saw; what is left of it after some of the reducing steps, the last \
            among them, with pruned patches faded; and each patch in the colour of the token that holds its content in \
            the end, dark where it is gone. Each has its title over it, also in the PNG. Of several pictures or tiles each \
            has a line of panels; a terminal shows as many side by side as it has room for.
            """)

    @Argument(help: "The job's id.")
    var id: String

    @OptionGroup var place: FolderArgument
    @OptionGroup var store: StoreOption

    @Option(help: "How to draw in the terminal: blocks, sixel or off; default: blocks if output is a terminal.")
    var drawing: Drawing?

    @Option(help: "A PNG file to write the panels to.")
    var png: String?

    @Option(help: "Reducing steps that are shown.")
    var steps = 4

    @Option(help: "Folder that the items' picture paths start from; default: that of batch.yaml.")
    var images: String?

    func validate() throws {
        guard (1...64).contains(steps) else { throw ValidationError("--steps must be from 1 to 64") }
    }

    func run() throws {
        if ResultsChoice.isResults(id), !ResultsChoice.isResults(place.folder) {
            throw CommandFailure(
                ExitCodes.usage, "\(id) is a folder of results: name the job first, and then the folder")
        }
        let folder = try place.results()
        let (row, header) = try FoundJob.find(id, in: store.catalogue(of: folder))
        print(JobText(row).text.shown)
        guard row.status == .ok else { return }
        guard !row.pictures.isEmpty else {
            guard png == nil else {
                throw CommandFailure(ExitCodes.usage, "job \(row.id) is text-only: nothing to draw")
            }
            return
        }
        guard header.trace != .none else {
            throw CommandFailure(ExitCodes.usage, "the batch was run with trace: none, so nothing can be drawn")
        }
        let images = try images ?? BatchImages.folder(of: folder)
        let views = try (0..<row.segments.count).map { try ModelView(row, segment: $0, images: images) }
        let tiles = views.map { ReductionPanels($0, row: row, steps: steps) }
        let names = tiles.indices.map { name(of: $0, in: row) }
        switch drawing ?? (isatty(STDOUT_FILENO) == 1 ? .blocks : .off) {
        case .off: break
        case .blocks:
            for (index, (view, panels)) in zip(views, tiles).enumerated() {
                let name = names[index].isEmpty ? "" : names[index].shown + "\n"
                print(
                    "\n" + name + panels.blocks(columns: 2 * view.columns, width: terminalWidth() ?? 120),
                    terminator: "")
            }
        case .sixel: print("\n" + ReductionPanels.sheet(tiles, names: names).sixels())
        }
        if let png {
            try OutputFile(png).write(Data(ReductionPanels.sheet(tiles, names: names).png()))
            printError("the panels are in \(png)")
        }
    }

    /// Which of several segments it is; empty where there is one.
    private func name(of segment: Int, in row: ResultRow) -> String {
        let name = row.name(ofSegment: segment)
        guard !name.isEmpty else { return "" }
        return "\(name) (\(row.pictures.image[Int(row.segments.picture[segment])].onOneLine))"
    }
}

/// What is known of a job, as lines of text.
private struct JobText {
    let text: String

    init(_ row: ResultRow) {
        var lines = [
            ("job", row.id), ("picture", row.pictures.isEmpty ? "none" : row.pictures.names), ("prompt", row.prompt),
        ]
        if row.status == .failed {
            lines.append(("failed", row.error))
        } else {
            lines.append(("answer", row.answer))
            if !row.expectedAnswers.isEmpty { lines.append(("expected", row.expectedAnswers)) }
            lines.append(("method", "\(row.method), \(row.visualTokensIn) → \(row.visualTokensOut) visual tokens"))
            let flops = row.flops.total
            let seconds = row.seconds.load + row.seconds.vision + row.seconds.prefill + row.seconds.decode
            lines.append(("cost", String(format: "%.4g GFLOP, %.3g s", flops / 1e9, seconds)))
        }
        text = lines.map { name, value in
            name.padding(toLength: 10, withPad: " ", startingAt: 0) + value.replacing("\n", with: "\n          ")
        }.joined(separator: "\n")
    }
}
