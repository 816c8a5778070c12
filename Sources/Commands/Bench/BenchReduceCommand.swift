import ArgumentParser
import Foundation
import Tensors
import TokenReduction

/// `winnow bench reduce`: what one step of each method costs beside the vision layer it works in.
///
/// One layer of CLIP ViT-L (577 rows, 16 heads, width 1024) with random weights runs in turn with and without reduction;
/// the step's time is printed as a ratio to the layer's own in the same round.
struct BenchReduceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reduce", abstract: "Time one reduction step of every method beside one vision layer.",
        discussion: """
            Each method gives up, in one step from 576 visual tokens, as many as the largest of its steps does in \
            LLaVA-1.5-7B at --keep. 'step' is filter, correlate and compress; 'evidence' is what the layer takes longer \
            because it offers what the method looks at; 'all steps' is the step times the number of steps, of 23 layers. \
            Methods of the language model see 60 text tokens beside, at the same width.
            """)

    @Option(help: "A method to measure; may be repeated; default: all methods.")
    var method: [String] = []

    @Option(help: "Visual tokens that LLaVA-1.5-7B keeps at the end.")
    var keep = 64

    @Option(help: "Arithmetic: f32 or bf16; default: bf16 if the processor has it.")
    var precision: PrecisionArgument?

    @Option(help: "Compute threads.")
    var threads = 1

    @Option(help: "Runs of each measurement; medians are printed, with the least and greatest.")
    var runs = 5

    @Option(help: "How to print: table, json (one value) or quiet.")
    var output = OutputFormat.table

    func validate() throws {
        guard runs >= 1 else { throw ValidationError("--runs must be at least 1") }
        guard (1...1024).contains(threads) else { throw ValidationError("--threads must be from 1 to 1024") }
        guard keep >= 1 else { throw ValidationError("--keep must be at least 1") }
    }

    func run() throws {
        let names = method.isEmpty ? MethodCatalogue.all.map(\.name) : method
        let backend = try CPUBackend(precision.elementType, weights: .bf16, threads: threads)
        let bench = try ReduceBench(backend: backend)
        var steps: [ReduceReport.Step] = []
        for name in names {
            let method = try MethodCatalogue.method(named: name)
            for place in method.places {
                steps.append(try bench.measure(method, in: place, keep: keep, runs: runs))
            }
        }
        let report = ReduceReport(
            backend: backend.name, threads: threads, runs: runs, keep: keep, layerSeconds: bench.layerSeconds.median,
            steps: steps)
        switch output {
        case .json: try printJSON(report)
        case .table, .quiet: print(report.text())
        }
    }
}
