import ArgumentParser
import Evaluation
import Foundation
import Generation
import JobModel
import MachineLimits
import Tensors
import TokenReduction
import VisionLanguage

/// `winnow model check`: what fewer bits cost.
struct ModelCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Compare a model with weights in a smaller format to the model as it is stored.",
        discussion: """
            Both are asked the same prompts, one after the other so that only one is in memory. Divergence and agreement are \
            those of the next token after each token of the stored model's answer. Without --items, the pictures are made up: \
            good for comparing formats, not for saying what your pictures lose.
            """)

    @Argument(help: "The checkpoint folder.", completion: .directory)
    var model: String

    @Option(help: "The format to try: f32, bf16, f16, int8, w8a8 or int4.")
    var weights: WeightFormat

    @Option(help: "Items with pictures, in a form that batches take: JSON lines, or a CSV file.", completion: .file())
    var items: String?

    @Option(
        help: "The folder that the pictures' paths start from; default: that of the items.", completion: .directory)
    var images: String?

    @Option(help: "Prompts to ask.")
    var limit = 16

    @Option(help: "Tokens of each answer.")
    var maxTokens = 8

    @Option(name: .customLong("method"), help: "A method whose kept tokens are compared; may be repeated.")
    var methods = ["ficoco-v", "fastv", "vispruner"]

    @Option(help: "Visual tokens that the methods keep; default: a ninth of them.")
    var keep: Int?

    @Option(help: "The folder of the CLIP model, for original LLaVA checkpoints and methods that read the question.")
    var visionTower: String?

    @Option(help: "Compute threads.")
    var threads = UsableProcessors.count()

    @Option(help: "How to print: table, json (one value) or quiet (the mean divergence).")
    var output = OutputFormat.table

    func validate() throws {
        guard images == nil || items != nil else { throw ValidationError("--images goes with --items") }
        guard (1...100_000).contains(limit), (1...4096).contains(maxTokens) else {
            throw ValidationError("--limit must be from 1 to 100000, --max-tokens from 1 to 4096")
        }
        guard (1...1024).contains(threads) else { throw ValidationError("--threads must be from 1 to 1024") }
    }

    func run() throws {
        let folder = try ModelFolder(directory: model, visionTower: visionTower)
        guard !folder.isPacked else {
            throw CommandFailure(ExitCodes.usage, "\(model) is packed: name the checkpoint that it was made of")
        }
        let processor = try ModelLoader.processor(directory: model, visionTower: visionTower)
        let sample: WeightSample
        if let items {
            let folder = images ?? URL(fileURLWithPath: items).deletingLastPathComponent().path
            sample = try WeightSample(
                BatchDescription(name: "check", model: model, items: items, images: folder, results: ""),
                processor: processor, limit: limit)
        } else {
            sample = try WeightSample(madeUp: limit, processor: processor, configuration: folder.configuration)
        }
        let budget = keep ?? max(1, folder.configuration.visualTokens / 9)
        guard (1...folder.configuration.visualTokens).contains(budget) else {
            throw CommandFailure(
                ExitCodes.usage,
                "--keep must be from 1 to \(folder.configuration.visualTokens), the tokens of a picture")
        }
        let plans = try methods.map { name in
            (name, try ReductionPlan(method: name, keep: budget, model: folder.configuration.depth))
        }
        func trial(_ format: WeightFormat?, following reference: WeightTrial? = nil) throws -> WeightTrial {
            // The same arithmetic for both: what differs is the weights.
            let loader = try ModelLoader(asking: folder, precision: .float32, weights: format)
            try loader.sharesHere()
            let network = try loader.load(threads: threads)
            return try WeightTrial(network, sample, steps: maxTokens, plans: plans, following: reference)
        }
        let reference = try trial(nil)
        let loss = WeightLoss(try trial(weights, following: reference), against: reference)
        try output.show(loss, table: table(loss, stored: folder.stored, budget), quiet: "\(loss.meanDivergence)")
    }

    private func table(_ loss: WeightLoss, stored: WeightFormat, _ budget: Int) -> String {
        var table = TextTable(["method", "kept by both", "the same for"], rightAligned: [1, 2])
        for kept in loss.kept {
            table.add([kept.method, percent(kept.same), "\(kept.identical) of \(loss.prompts) prompts"])
        }
        return """
            \(weights.rawValue) beside \(stored.rawValue), as stored: \(loss.prompts) prompts, \(loss.tokens) next tokens
            KL divergence: mean \(String(format: "%.3g", loss.meanDivergence)), \
            worst \(String(format: "%.3g", loss.worstDivergence)) nats
            the same first choice: \(percent(loss.agreement))
            answers that changed: \(loss.changedAnswers) of \(loss.prompts)

            \(methods.isEmpty ? "" : "visual tokens kept, \(budget) of them\n" + table.text())
            """
    }

    private func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }
}
