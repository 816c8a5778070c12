import ArgumentParser
import Evaluation
import Foundation
import JobVocabulary
import TokenReduction
import VisionLanguage

/// `winnow flops`: what a reduction saves, by every way of counting.
struct FLOPsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flops", abstract: "Count the operations of a method, as they run and as papers count them.",
        discussion: """
            Prints the operations that this program runs for one picture and one prompt, three published conventions for \
            reading the prompt, and the bytes of the key-value cache. Conventions are counted twice: with the rows that \
            each layer works on, and with one length for all layers, as tables label methods that reduce inside the \
            language model.
            """)

    @Option(help: "Sizes: \(LLaVAConfiguration.names.joined(separator: ", ")), or a checkpoint folder.")
    var model = LLaVAConfiguration.names[0]

    @Option(help: "The vision tower's folder, for original LLaVA checkpoints.")
    var visionTower: String?

    @OptionGroup var reduction: MethodOptions

    @Option(
        help: ArgumentHelp(
            "Width and height of the picture in pixels, for models that lay it on several tiles.",
            valueName: "width x height"))
    var picture: PixelSize?

    @Option(help: "Tokens of the prompt beside the picture.")
    var textTokens = 60

    @Option(help: "Bits of one number in the key-value cache.")
    var cacheBits = 16

    @Option(help: "How to print: table, json (one value) or quiet.")
    var output = OutputFormat.table

    func validate() throws {
        try reduction.checkBudget()
        guard textTokens >= 0 else { throw ValidationError("--text-tokens must be 0 or more") }
        guard [4, 8, 16, 32].contains(cacheBits) else { throw ValidationError("--cache-bits is 4, 8, 16 or 32") }
    }

    func run() throws {
        let configuration = try sizes()
        let plan = try ReductionPlan(
            method: reduction.method, keep: reduction.keep, fromLayer: reduction.fromLayer,
            options: reduction.options(), model: configuration.depth)
        let account: CostAccount
        do {
            account = try CostAccount(
                plan: plan, model: configuration, textTokens: textTokens, picture: tiling(in: configuration))
        } catch {
            throw CommandFailure(ExitCodes.usage, "\(error)")
        }
        let report = FLOPsReport(account, model: model, cacheBits: cacheBits)
        switch output {
        case .json: try printJSON(report)
        case .table: printWrapped(report.text())
        case .quiet: print(report.operations)
        }
    }

    /// How the picture lies on its tiles; nil in models that take every picture as one.
    private func tiling(in configuration: LLaVAConfiguration) throws -> PictureTiling? {
        guard configuration.anyResolution != nil else {
            guard picture == nil else {
                throw CommandFailure(
                    ExitCodes.usage,
                    "\(model) makes every picture one square tile, so its size does not matter: leave out --picture")
            }
            return nil
        }
        guard let picture else {
            throw CommandFailure(
                ExitCodes.usage,
                "the cost of a picture in \(model) depends on its size, because it is split into tiles: give one, such as "
                    + "--picture 672x672, which papers count")
        }
        return configuration.tiling(width: picture.width, height: picture.height)
    }

    private func sizes() throws -> LLaVAConfiguration {
        if let configuration = LLaVAConfiguration.named(model) { return configuration }
        guard FileManager.default.fileExists(atPath: model) else {
            throw CommandFailure(
                ExitCodes.usage,
                "there is no model '\(model)'\(model.guess(among: LLaVAConfiguration.names)): name \(LLaVAConfiguration.names.joined(separator: ", ")) or a checkpoint folder"
            )
        }
        return try LLaVAConfiguration(directory: model, visionTower: visionTower)
    }
}

/// A picture's sides in pixels, written as 640x480.
struct PixelSize: ExpressibleByArgument {
    let width: Int
    let height: Int

    init?(argument: String) {
        let sides = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard sides.count == 2, sides.allSatisfy((1...100_000).contains) else { return nil }
        (width, height) = (sides[0], sides[1])
    }
}
