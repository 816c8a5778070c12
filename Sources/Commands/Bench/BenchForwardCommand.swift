import ArgumentParser
import Foundation
import Generation
import Tensors
import TokenReduction
import VisionLanguage

/// `winnow bench forward`: the forward pass beside the limit of the processor's multiply instructions.
///
/// Prints rows a second of tower, prefill and decode, their rates as shares of that limit, the prefill's speed-up by fewer
/// visual tokens as a share of the ratio of operations, and what a reduction's own arithmetic costs. Everything is run in
/// turn in one process, five times, on random weights of the true shapes.
struct BenchForwardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forward",
        abstract: "Time tower, prefill and decode against the limit of the processor's multiply instructions.")

    @OptionGroup var shape: BenchShape

    @Option(help: "Rows of the full prompt: visual tokens and text.")
    var tokens = 640

    @Option(help: "Visual tokens that the reduced prompt keeps.")
    var keep = 64

    @Option(help: "The encoder method to measure.")
    var method = "ficoco-v"

    @OptionGroup var arithmetic: ArithmeticOptions

    @Option(help: "Runs of each measurement; medians are printed.")
    var runs = 5

    @Option(help: "How to print: table, json (one value) or quiet.")
    var output = OutputFormat.table

    func validate() throws {
        guard runs >= 1 else { throw ValidationError("--runs must be at least 1") }
    }

    func run() throws {
        let configuration = try shape.configuration()
        let text = tokens - configuration.visualTokens
        guard text >= 1, tokens < configuration.text.context else {
            throw CommandFailure(
                ExitCodes.usage,
                "--tokens must be from \(configuration.visualTokens + 1) to \(configuration.text.context - 1)")
        }
        let backend = try arithmetic.backend(stored: .bf16)
        let bench = try ForwardBench(
            configuration, weights: arithmetic.weights.format, backend: backend, method: method, keep: keep,
            textTokens: text)
        for _ in 0..<runs + 1 { try bench.round() }  // the first warms up and is dropped
        let report = bench.report()
        switch output {
        case .json: try printJSON(report)
        case .table, .quiet: print(report.table())
        }
    }
}
