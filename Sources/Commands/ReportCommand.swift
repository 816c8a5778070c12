import Analysis
import ArgumentParser
import Foundation
import JobStore
import JobVocabulary
import ResultFiles
import WireProtocol

/// `winnow report`: results as one HTML page.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Write one self-contained HTML page about the results of one or more batches.",
        discussion: """
            Summary, failures by reason, latency and throughput, tokens and operations, accuracy against operations \
            where answers are known, and a gallery of pictures with kept, merged and pruned patches layer by layer. The \
            page works offline. A folder without shards stands for the results folders inside of it.
            """)

    @Argument(help: "Results folders; several are compared.")
    var folders: [String]

    @Option(help: "The file to write; default: report.html in the first folder.")
    var out: String?

    @Option(help: "The title; default: the batches' names.")
    var title: String?

    @Option(help: "Jobs in the gallery; text-only jobs appear only if there are too few others.")
    var gallery = 48

    @Option(help: "Folder that the items' picture paths start from; default: those of batch.yaml.")
    var images: String?

    @OptionGroup var store: StoreOption

    @Option(help: "How to print: table, json (one value) or quiet.")
    var output = OutputFormat.table

    func validate() throws {
        guard !folders.isEmpty else { throw ValidationError("name at least one results folder") }
        guard (0...2000).contains(gallery) else { throw ValidationError("--gallery must be from 0 to 2000") }
    }

    func run() throws {
        let found = try folders.flatMap(Self.results)
        let sources = try found.map { folder in
            let catalogue = try Catalogue(folder) { try store.results(of: folder).map(CommittedRows.init) }
            catalogue.summary.printWhatIsLeftOut()
            guard catalogue.summary.jobs > 0 else {
                throw CommandFailure(ExitCodes.usage, "there is no result in \(folder.path) yet")
            }
            return ReportPage.Source(catalogue, images: images)
        }
        let page = try ReportPage(
            sources, title: title, gallery: gallery, software: ProtocolVersion.software, now: Date())
        for remark in Set(page.remarks).sorted().prefix(5) { printError("winnow: without its picture: \(remark)") }
        let target = out ?? "\(folders[0])/\(ResultsLayout.report)"
        try OutputFile(target).write(Data(page.html.utf8))
        struct Report: Encodable {
            let out: String
            let bytes, batches: Int
        }
        let bytes = page.html.utf8.count
        let about = sources.count == 1 ? "one batch" : "\(sources.count) batches"
        try output.show(
            Report(out: target, bytes: bytes, batches: sources.count),
            table: "\(target): \(bytes / 1024) KiB about \(about)", quiet: target)
    }

    /// A folder, or the results folders inside of it.
    private static func results(_ path: String) throws -> [ResultsFolder] {
        let files = FileManager.default
        func isResults(_ path: String) -> Bool { files.fileExists(atPath: "\(path)/\(ResultsLayout.shards)") }
        if isResults(path) { return [ResultsFolder(path)] }
        let inner = ((try? files.contentsOfDirectory(atPath: path)) ?? []).sorted().map { "\(path)/\($0)" }
        let found = inner.filter(isResults).map { ResultsFolder($0) }
        guard !found.isEmpty else {
            throw CommandFailure(ExitCodes.usage, "\(path) is not a results folder, and there is none inside it")
        }
        return found
    }
}
