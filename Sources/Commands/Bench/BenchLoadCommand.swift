import ArgumentParser
import Foundation
import Tensors
import VisionLanguage

/// `winnow bench load`: what loading a checkpoint takes.
struct BenchLoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Load a checkpoint; print peak memory beside its bf16 size, and the time.")

    @Option(help: "The checkpoint folder.")
    var model: String

    @Option(help: "The vision tower's folder, for original LLaVA checkpoints.")
    var visionTower: String?

    @OptionGroup var arithmetic: ArithmeticOptions

    @Option(help: "How to print: table, json (one value) or quiet.")
    var output = OutputFormat.table

    func run() throws {
        let clock = ContinuousClock(), start = clock.now
        let folder = try ModelFolder(directory: model, visionTower: visionTower)
        let backend = try arithmetic.backend(stored: folder.stored)
        let network = try LLaVA(folder, weights: arithmetic.weights.format, backend: backend)
        let seconds = (clock.now - start) / .seconds(1)
        var usage = rusage()
        guard getrusage(RUSAGE_SELF.rawValue, &usage) == 0 else { throw CommandFailure("memory use cannot be read") }
        let checkpoints = try [model, visionTower].compactMap { try $0.map { try Checkpoint(directory: $0) } }
        let numbers = checkpoints.reduce(0) { sum, checkpoint in
            checkpoint.names.reduce(sum) { $0 + (checkpoint.shape(of: $1)?.reduce(1, *) ?? 0) }
        }
        let report = LoadReport(
            backend: backend.name, seconds: seconds, peakBytes: usage.ru_maxrss * 1024, halfPrecisionBytes: 2 * numbers)
        withExtendedLifetime(network) {}
        switch output {
        case .json: try printJSON(report)
        case .table, .quiet:
            let gibibytes = { (bytes: Int) in String(format: "%.2f GiB", Double(bytes) / Double(1 << 30)) }
            print(
                """
                \(report.backend): loaded in \(String(format: "%.1f s", report.seconds))
                peak resident memory \(gibibytes(report.peakBytes)), bf16 size \(gibibytes(report.halfPrecisionBytes)), \
                difference \(gibibytes(report.peakBytes - report.halfPrecisionBytes))
                """)
        }
    }
}

/// What loading took.
private struct LoadReport: Encodable {
    let backend: String
    let seconds: Double
    let peakBytes: Int
    let halfPrecisionBytes: Int
}
