import ArgumentParser
import Foundation
import HDF5
import ResultFiles
import Tensors
import TokenReduction

/// `winnow reduce`: one reduction step on a researcher's own tensors.
struct ReduceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reduce", abstract: "Run one reduction step on the tensors of an HDF5 file.",
        discussion: """
            CASE holds hidden (tokens, width), attention (heads, queries, keys), optionally keys (heads, tokens, d), and the \
            attributes class_token (row, or -1), image_start, image_count, grid (rows and columns, or the side) and precision (f32 or f64). \
            OUT holds hidden, scores, kept, pruned (rows of the input) and merge/source, merge/target, merge/weight.
            """)

    @Argument(help: "The HDF5 file with the tensors.")
    var input: String

    @OptionGroup var reduction: MethodOptions

    @Option(help: "The HDF5 file to write; it must not exist.")
    var out: String

    @Option(help: "How to print: table, json (one value) or quiet.")
    var output = OutputFormat.table

    func run() throws {
        let method = try MethodCatalogue.method(named: reduction.method, options: reduction.options())
        guard let keep = reduction.keep else {
            throw CommandFailure(ExitCodes.usage, "--keep is needed: how many visual tokens stay")
        }
        guard !FileManager.default.fileExists(atPath: out) else {
            throw CommandFailure(ExitCodes.usage, "\(out) exists; name a file that does not")
        }
        let problem = try ReductionCase<Double>(contentsOf: input)
        switch problem.precision {
        case "f64", "float64", nil: try reduce(problem, method, keep: keep) { Tensor($0, shape: $1) }
        case "f32", "float32": try reduce(problem, method, keep: keep) { Tensor($0.map(Float.init), shape: $1) }
        case .some(let other):
            throw CommandFailure(ExitCodes.usage, "\(input): precision is '\(other)'; it must be f32 or f64")
        }
    }

    private func reduce(
        _ problem: ReductionCase<Double>, _ method: ReductionMethod, keep: Int, tensor: ([Double], [Int]) -> Tensor
    ) throws {
        let hidden = tensor(problem.hidden.values, problem.hidden.shape)
        let layout = TokenLayout(
            rows: hidden.rows, visual: [problem.imageStart..<problem.imageStart + problem.imageCount],
            classToken: problem.classToken)
        // The case's attention is taken as what the method's stages read: probabilities, or logits where it says so.
        let needs = method.places.reduce(into: EvidenceNeeds()) { $0.formUnion(method.stages(in: $1)?.needs ?? []) }
        let map = try AttentionMap(
            averagingHeadsOf: tensor(problem.attention.values, problem.attention.shape),
            scores: needs.contains(.attentionLogits) ? .logits : .probabilities)
        let evidence = try Evidence(
            attention: map, averagingHeadsOf: problem.keys.map { tensor($0.values, $0.shape) })
        let result = try SingleReduction(
            method: method, keep: keep, hidden: hidden, evidence: evidence, layout: layout,
            grid: PatchGrid(rows: problem.grid[0], columns: problem.grid[1]))
        try write(result)
    }

    private func write(_ result: SingleReduction) throws {
        try File.writing(out) { file in try write(result, into: file.root) }
        struct Report: Encodable {
            let out: String
            let kept, pruned: Int
        }
        let (kept, pruned) = (result.step.kept.count, result.step.pruned.count)
        try output.show(
            Report(out: out, kept: kept, pruned: pruned), table: "\(out): \(kept) of \(kept + pruned) rows kept",
            quiet: out)
    }

    private func write(_ result: SingleReduction, into root: borrowing Group) throws {
        let step = result.step
        switch result.hidden.type {
        case .float64: try root.write(result.hidden.doubles, to: "hidden", shape: result.hidden.shape)
        default: try root.write(result.hidden.floats, to: "hidden", shape: result.hidden.shape)
        }
        try root.write(step.scores, to: "scores")
        try root.write(step.kept, to: "kept")
        try root.write(step.pruned, to: "pruned")
        let merge = try root.createGroup("merge")
        try merge.write(step.merges.map(\.source), to: "source")
        try merge.write(step.merges.map(\.target), to: "target")
        try merge.write(step.merges.map(\.weight), to: "weight")
        try merge.close()
    }
}
