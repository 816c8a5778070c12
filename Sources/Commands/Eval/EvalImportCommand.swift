import ArgumentParser
import Evaluation
import Foundation

/// `winnow eval import NAME`: a benchmark's folder, checked, and its questions as items.
struct EvalImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Check the folder of a public benchmark and write its questions as items.",
        discussion: """
            The folder is laid out as LLaVA's evaluation instructions say. What is missing is listed with the place where \
            the official project publishes it; so is a question file of another length, and truth that does not fit the questions. \
            Benchmarks: \
            \(BenchmarkCatalogue.all.map { "\($0.name) (\($0.title))" }.joined(separator: ", ")).
            """)

    @Argument(help: "The benchmark, such as pope.")
    var name: String

    @Option(help: "The benchmark's folder.")
    var data: String

    @Option(help: "How to print: table or json.")
    var output = OutputFormat.table

    func run() throws {
        let benchmark = try BenchmarkCatalogue.benchmark(named: name)
        let folder = DataFolder(URL(fileURLWithPath: data, isDirectory: true))
        if benchmark.parts.allSatisfy({ $0.purpose != .questions || folder.holds($0.path) }) {
            // What is wrong with the file is found again below, beside everything else.
            do { try benchmark.unpackPictures(in: folder) } catch { printError("\(error)") }
        }
        let check = DataCheck(benchmark, in: folder)
        var items: String?
        if check.questions != nil {
            let file = folder.file(BenchmarkItems.file(benchmark.name))
            try OutputFile(file.path).write(BenchmarkItems.lines(benchmark, benchmark.questions(in: folder)))
            items = file.path
        }
        switch output {
        case .json: try printJSON(ImportReport(benchmark, check, items: items))
        case .table: printTable(benchmark, check, items: items)
        case .quiet: if let items { print(items) }
        }
        try endCommand(check.canRun ? ExitCodes.success : ExitCodes.usage)
    }

    private func printTable(_ benchmark: any Benchmark, _ check: DataCheck, items: String?) {
        var table = TextTable(["part", "needed for", "", "published"])
        for part in benchmark.parts {
            let isThere = !check.missing.contains(part)
            table.add([part.path, part.purpose.rawValue, isThere ? "there" : "MISSING", isThere ? "" : part.published])
        }
        print("\(benchmark.name): \(benchmark.title)\n\n\(table.text())\n")
        if let questions = check.questions {
            print("\(counted(questions, "question")), \(check.withoutPicture) of them without a picture")
        }
        if !check.missingPictures.isEmpty {
            let shown = check.missingPictures.prefix(3).joined(separator: ", ")
            print("\(counted(check.missingPictures.count, "picture is", "pictures are")) missing, such as \(shown)")
        }
        if !check.picturesOutside.isEmpty {
            let shown = check.picturesOutside.prefix(3).joined(separator: ", ")
            print(
                "\(counted(check.picturesOutside.count, "picture lies", "pictures lie")) outside of the folder, such as \(shown): copy them there, or "
                    + "link to the benchmark's whole folder")
        }
        for problem in check.problems { print("problem: \(problem.onOneLine)".shown) }
        if let judge = benchmark.judge { print("scored by \(judge)") }
        if let items { print("items: \(items)") }
        if check.canRun { print("run it: winnow eval run Jobs/benchmarks/\(benchmark.name).yaml") }
    }
}

/// The same as JSON.
private struct ImportReport: Encodable {
    struct Part: Encodable {
        let path, neededFor, published: String
        let isThere: Bool
    }

    let benchmark: String
    let parts: [Part]
    let questions: Int?
    let withoutPicture: Int
    let missingPictures: [String]
    let picturesOutside: [String]
    let problems: [String]
    let items: String?
    let judge: String?
    let canRun: Bool

    init(_ benchmark: any Benchmark, _ check: DataCheck, items: String?) {
        self.benchmark = benchmark.name
        parts = benchmark.parts.map { part in
            Part(
                path: part.path, neededFor: part.purpose.rawValue, published: part.published,
                isThere: !check.missing.contains(part))
        }
        questions = check.questions
        withoutPicture = check.withoutPicture
        missingPictures = check.missingPictures
        picturesOutside = check.picturesOutside
        problems = check.problems
        self.items = items
        judge = benchmark.judge
        canRun = check.canRun
    }
}
