import Analysis
import ArgumentParser
import Evaluation
import Foundation
import JobModel
import JobStore
import JobVocabulary
import ResultFiles
import WireProtocol

/// `winnow report`: results as one HTML page.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Write one self-contained HTML page about results, method beside method.",
        discussion: """
            Summary, failures by reason, latency and throughput, tokens and operations, accuracy against operations \
            where answers are known, and a gallery: each picture beside the patches that were kept of it, layer by layer. \
            Of several folders the same questions stand side by side, a row each with a column for every method, with \
            tables of how often methods agree and of accuracy by label, with paired 95 % intervals over pictures; \
            questions are the same if id, prompt and pictures are. A folder of 'winnow eval run' brings all of its methods \
            and budgets, or those of --method. The page works offline. A folder without shards stands for the results \
            folders inside of it.
            """)

    @Argument(
        help: """
            Results folders and folders of 'winnow eval run', or batches by name or file, which means the last run of each; several \
            are compared.
            """)
    var folders: [String]

    @Option(
        name: .customLong("method"),
        help: "Of an evaluation only this method, or this one at one budget, as in ficoco-v@64; may be repeated.")
    var methods: [String] = []

    @Option(help: "The file to write; default: report.html in the first folder.")
    var out: String?

    @Option(help: "The title; default: the batches' names.")
    var title: String?

    @Option(
        help:
            "Jobs in the gallery, or questions if methods stand side by side: those on which they differ come first.")
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
        let places = found.map { URL(fileURLWithPath: $0).standardizedFileURL.resolvingSymlinksInPath().path }
        for (number, path) in found.enumerated() where places[..<number].contains(places[number]) {
            throw CommandFailure(ExitCodes.usage, "\(path) is named twice: name each folder once")
        }
        let sources = try found.flatMap { path -> [ReportPage.Source] in
            EvaluationFolder.isOne(URL(fileURLWithPath: path)) ? try cells(path) : [try batch(ResultsFolder(path))]
        }
        let page = try ReportPage(
            sources, title: title, gallery: gallery, software: ProtocolVersion.software, now: Date())
        for remark in Set(page.remarks).sorted().prefix(5) { printError("winnow: \(remark)") }
        // A folder of several results gets the page itself; one that only has the name of a batch does not.
        let named = ResultsChoice.path(folders[0]), holdsAll = found[0].hasPrefix(named + "/")
        let target = out ?? "\(holdsAll ? named : found[0])/\(ResultsLayout.report)"
        try OutputFile(target).write(Data(page.html.utf8))
        struct Report: Encodable {
            let out: String
            let bytes, batches: Int
            let sharedQuestions: Int?
        }
        let bytes = page.html.utf8.count
        let about = sources.count == 1 ? "one batch" : "\(sources.count) sets of answers"
        let shared = page.sharedQuestions.map { ", \($0) questions side by side" } ?? ""
        try output.show(
            Report(out: target, bytes: bytes, batches: sources.count, sharedQuestions: page.sharedQuestions),
            table: "\(target): \(bytes / 1024) KiB about \(about)\(shared)", quiet: target)
    }

    private func batch(_ folder: ResultsFolder) throws -> ReportPage.Source {
        let catalogue = try store.catalogue(of: folder)
        guard catalogue.summary.jobs > 0 else {
            throw CommandFailure(ExitCodes.usage, "there is no result in \(folder.path) yet")
        }
        return try ReportPage.Source(catalogue, images: images)
    }

    private func cells(_ path: String) throws -> [ReportPage.Source] {
        let evaluated = try EvaluatedCells(URL(fileURLWithPath: path), images: images)
        let wanted = evaluated.methods.filter { cell in
            methods.isEmpty || methods.contains(cell.name) || methods.contains(cell.method)
        }
        for method in methods where !wanted.contains(where: { $0.name == method || $0.method == method }) {
            let known = evaluated.methods.map(\.name)
            throw CommandFailure(
                ExitCodes.usage,
                "\(path) has no answers of '\(method)'\(method.guess(among: known)); it has those of "
                    + known.joined(separator: ", "))
        }
        return wanted.map { ReportPage.Source($0) }
    }

    /// A folder of results or of an evaluation, or those inside of it; or the last run of a batch.
    private static func results(_ word: String) throws -> [String] {
        func isEvaluation(_ path: String) -> Bool { EvaluationFolder.isOne(URL(fileURLWithPath: path)) }
        let path = ResultsChoice.path(word)
        if isEvaluation(path) { return [path] }
        if ResultsChoice.isResults(path) || !isFolder(path) { return [try ResultsChoice.folder(path).path] }
        let inner = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
            .map { "\(path)/\($0)" }
        let found = inner.filter { ResultsChoice.isResults($0) || isEvaluation($0) }
        if found.isEmpty, let choice = try? ResultsChoice(word) {
            if let remark = choice.remark { printError("winnow: \(remark)") }
            return [choice.folder.path]
        }
        guard !found.isEmpty else {
            throw CommandFailure(
                ExitCodes.usage,
                "\(path) holds neither results nor an evaluation, nor does a folder inside of it: name the folder that "
                    + "has \(ResultsLayout.batchFile) and \(ResultsLayout.shards), or that of 'winnow eval run'")
        }
        return found
    }
}
