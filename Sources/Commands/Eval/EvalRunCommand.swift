import AccessKeys
import ArgumentParser
import Evaluation
import Foundation
import Generation
import Glibc
import JobModel
import MachineLimits
import Tensors
import TokenReduction
import VisionLanguage

/// `winnow eval run`: every question with every method and budget.
struct EvalRunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Ask the questions of a batch with many methods and budgets, and compare them.",
        discussion: """
            Methods and budgets come from the options, everything else from the batch file. Answers are kept one by one in \
            the output folder; the same command again goes on where it was. Each method stands beside 'none', and beside \
            those of --against at the same budget, with a 95 % interval for the difference (paired bootstrap over \
            pictures). 'delivered' is the mean of the visual tokens that enter the language model; a method that reduces inside \
            it gets them all and drops them there. The folder also gets summary.json, accuracy.svg and, for a public \
            benchmark, official answer files; 'winnow report' makes a page of it, with the same questions method beside \
            method. \
            --report-only prints what an interrupted run, or one that is still going on, has so far. 'times as fast' \
            compares answers made with equal threads and capacity; it depends on the questions per picture, which share \
            the tower and the prompt's beginning. With --connect the workers of a coordinator answer: each method and budget \
            is a batch of theirs, which goes on although this command is stopped, and which the same command finds again. \
            Their seconds are not compared.
            """)

    @Argument(help: "The batch file, such as Jobs/benchmarks/demo.yaml.")
    var batch: String

    @Option(
        name: .customLong("method"),
        help: "A method, with options as in ficoco-v:axis=row; may be repeated; default: all methods.")
    var methods: [String] = []

    @Option(help: "A method to compare the others with besides 'none', such as random; may be repeated.")
    var against: [String] = []

    @Option(parsing: .upToNextOption, help: "Budgets of visual tokens.")
    var keep = Self.usualBudgets

    /// The budgets at which papers compare methods, and one below.
    private static let usualBudgets = [192, 128, 64, 32]

    @Option(
        help: "A checkpoint folder in place of the batch file's, such as that of LLaVA-1.5-13B; give --out with it.")
    var model: String?

    @Option(help: "The folder for answers and report; default: eval/NAME beside the batch's results.")
    var out: String?

    @Flag(help: "Ask nothing, write nothing: report on the answers that the folder holds, even while a run goes on.")
    var reportOnly = false

    @Option(
        help: ArgumentHelp(
            "Let the workers of this coordinator answer, such as tcp://head:5758; default: this process answers.",
            valueName: "endpoint"))
    var connect: String?

    @OptionGroup var access: KeyArguments

    @Option(help: "Ask only this many questions.")
    var limit: Int?

    @Option(help: "Questions answered at the same time.")
    var capacity = 20

    @Option(
        help: "How weights are kept: auto, f32, bf16, f16, int8, w8a8 or int4; default: the batch file's choice.")
    var weights: BatchDescription.Weights?

    @Option(help: "Compute threads.")
    var threads = UsableProcessors.count()

    @Option(help: "How to print: table or json.")
    var output = OutputFormat.table

    func validate() throws {
        try refuseEmptyPaths([("the batch file's path", batch), ("--model", model), ("--out", out)])
        guard !keep.isEmpty, keep.allSatisfy({ $0 >= 1 }) else { throw ValidationError("--keep takes numbers from 1") }
        guard limit.map({ $0 >= 1 }) ?? true else { throw ValidationError("--limit must be at least 1") }
        guard (1...1024).contains(capacity), (1...1024).contains(threads) else {
            throw ValidationError("--capacity and --threads must be from 1 to 1024")
        }
        guard connect == nil || !reportOnly else {
            throw ValidationError("--report-only asks no questions: leave out --connect")
        }
    }

    func run() throws {
        var changes = BatchChanges()
        changes.model = model.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
        let file = try BatchPreflight.load(batch, changing: changes)
        let wanted = file.description
        let folder = URL(
            fileURLWithPath: out ?? URL(fileURLWithPath: wanted.results).deletingLastPathComponent().path
                + "/eval/\(wanted.name)", isDirectory: true)
        let configuration = try LLaVAConfiguration(directory: wanted.model, visionTower: wanted.visionTower)
        let named = try methods.map { try MethodChoice(parsing: $0) }
        let rivals = try against.map { try MethodChoice(parsing: $0) }
        let choices = (named.isEmpty ? MethodChoice.all : named) + rivals
        let tokens = configuration.depth.visualTokens
        if let all = keep.first(where: { $0 >= tokens }), keep != Self.usualBudgets {
            throw CommandFailure(
                ExitCodes.usage, "--keep \(all) keeps every token: the model has \(tokens) of a tile; give fewer")
        }
        let (cells, refused) = GridCell.grid(choices, budgets: keep, model: configuration.depth)
        for refusal in refused { printError("left out: \(refusal.cell.name): \(refusal.reason)") }

        if try cells.contains(where: { try $0.plan(configuration.depth).readsQuestion }) {
            _ = try CLIPFolder(of: wanted.model, visionTower: wanted.visionTower)
        }
        let source = try ModelFolder(directory: wanted.model, visionTower: wanted.visionTower)
        let isOfWorkers =
            connect != nil || reportOnly && EvaluationSettings.backend(of: folder) == EvaluationSettings.workers
        // Whether weights and arithmetic suit a machine is for the workers' machines to say where they answer.
        let loader =
            try isOfWorkers
            ? nil
            : ModelLoader(
                asking: source, precision: wanted.precision.elementType, weights: (weights ?? wanted.weights).format)
        let computes =
            loader.map { "\($0.backend(threads: threads).name), weights \($0.weights.rawValue)" }
            ?? EvaluationSettings.workers
        let fingerprint = source.fingerprint()
        let runner = try GridRunner(wanted, cells: cells, folder: folder, limit: limit)
        if reportOnly {
            try EvaluationSettings(wanted, modelSHA256: fingerprint.value(), backend: computes).check(folder)
            let answers = try runner.answersSoFar()
            printError("\(answers.first?.items.count ?? 0) of \(runner.questions) questions are answered everywhere")
            try report(answers, wanted, configuration, against: rivals, in: folder)
            return
        }
        // A model that does not fit ends the command before the folder is made.
        let model = try loader.map { try (loader: $0, shares: $0.sharesHere(), loaded: $0.load(threads: threads)) }
        let settings = try EvaluationSettings(wanted, modelSHA256: fingerprint.value(), backend: computes)
        let claim = try settings.claim(folder)
        defer { withExtendedLifetime(claim) {} }
        try EvaluationFolder.keep(wanted, in: folder)
        var display = EvalProgress()
        let answers: [CellAnswers]
        if let model {
            answers = try runner.run(
                model: model.loaded, processor: model.loader.processor(), capacity: capacity, threads: threads,
                memory: model.shares
            ) { display.show($0) }
        } else {
            var asked = file
            asked.description.weights = weights ?? wanted.weights
            let grid = try ClusterGrid(
                cells, of: asked, questions: runner.writeQuestions(), folder: folder, coordinator: coordinator())
            try grid.wait { display.show($0) }
            answers = try runner.taking(grid.answers)
        }
        display.end()
        try report(answers, wanted, configuration, against: rivals, in: folder)
    }

    private func coordinator() throws -> CoordinatorClient {
        let endpoint = connect ?? ""
        return try CoordinatorClient(endpoint: endpoint, security: access.security(for: endpoint, as: .client))
    }

    /// Prints what the answers come to, and leaves it in the folder of a run.
    private func report(
        _ answers: [CellAnswers], _ wanted: BatchDescription, _ configuration: LLaVAConfiguration,
        against rivals: [MethodChoice], in folder: URL
    ) throws {
        let scoring = try EvalScoring(
            answers, wanted, configuration: configuration, folder: reportOnly ? nil : folder)
        let summary = GridSummary(
            answers, measure: scoring.measure, scores: scoring.scores, parts: scoring.parts,
            averagedBudgets: keep.filter { [192, 128, 64].contains($0) },
            against: rivals.map(\.label))
        let report = EvalReport(summary, title: "\(wanted.name): \(summary.measure) and counted operations")
        if !reportOnly { try report.write(to: folder) }
        switch output {
        case .json: try printJSON(summary)
        case .table: print(report.text() + "\n\nFiles: \(folder.path)")
        case .quiet: print(folder.path)
        }
        try endCommand(answers.contains { $0.failed > 0 } ? ExitCodes.someJobsFailed : ExitCodes.success)
    }
}

/// Progress of an evaluation on standard error: a line that renews itself on a terminal, one now and then elsewhere.
private struct EvalProgress {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let start = ContinuousClock.now
    private var first: Int?
    private var last: ContinuousClock.Instant?

    mutating func show(_ progress: GridRunner.Progress) {
        let first = first ?? progress.done
        self.first = first
        let isEnd = progress.done == progress.total
        if let last, !isEnd, ContinuousClock.now - last < .seconds(isTerminal ? 1 : 30) { return }
        last = .now
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let rate = Double(progress.done - first) / max(seconds, 1e-3)
        let left = rate > 0 ? String(format: ", %.0f s left", Double(progress.total - progress.done) / rate) : ""
        let line = "\(progress.done) of \(progress.total) answers" + (isEnd ? "" : left)
        isTerminal ? writeError("\r\u{1B}[2K\(line.shown)") : printError(line)
    }

    func end() { if isTerminal { printError("") } }
}
