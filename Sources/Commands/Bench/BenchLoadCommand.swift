import ArgumentParser
import Foundation
import Generation
import MachineLimits
import Tensors
import VisionLanguage

/// `winnow bench load`: what loading a checkpoint takes.
struct BenchLoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Load a model; print the time, peak memory and the size of its weights.")

    @Option(help: "The checkpoint folder.")
    var model: String

    @Option(help: "The vision tower's folder, for original LLaVA checkpoints.")
    var visionTower: String?

    @OptionGroup var arithmetic: ArithmeticOptions

    @Option(help: "How to print: table, json (one value) or quiet.")
    var output = OutputFormat.table

    func run() throws {
        let clock = ContinuousClock(), start = clock.now
        let loader = try arithmetic.loader(ModelFolder(directory: model, visionTower: visionTower))
        let network = try loader.load(threads: arithmetic.threads)
        let seconds = (clock.now - start) / .seconds(1)
        var usage = rusage()
        guard getrusage(RUSAGE_SELF.rawValue, &usage) == 0 else { throw CommandFailure("memory use cannot be read") }
        let report = LoadReport(
            backend: network.backend.name, weights: loader.weights.rawValue, seconds: seconds,
            peakBytes: usage.ru_maxrss * 1024, weightsBytes: loader.memory.weights)
        switch output {
        case .json: try printJSON(report)
        case .table, .quiet:
            print(
                """
                \(report.backend), weights \(report.weights): loaded in \(String(format: "%.1f s", report.seconds))
                peak resident memory \(ByteCount(bytes: report.peakBytes)), weights \(ByteCount(bytes: report.weightsBytes))
                """)
        }
    }
}

/// What loading took.
private struct LoadReport: Encodable {
    let backend: String
    let weights: String
    let seconds: Double
    let peakBytes: Int
    /// Bytes of the weights of all products.
    let weightsBytes: Int
}
