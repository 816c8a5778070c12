public import ArgumentParser
import Foundation
public import MachineLimits
import Tensors
import VisionLanguage

/// `winnow model`: packs a checkpoint, shows what it needs, and checks what fewer bits change.
struct ModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "Pack a checkpoint, show what it needs, check what fewer bits cost.",
        subcommands: [ModelPackCommand.self, ModelShowCommand.self, ModelCheckCommand.self])
}

/// `winnow model pack`: a checkpoint in the format and order that kernels read.
struct ModelPackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pack",
        abstract: "Make a packed model from a checkpoint: memory-mapped, and shared by all workers of a machine.",
        discussion: """
            The folder that it writes is a model like any other; give it to --model or in a batch file. Results made with it \
            carry the hash of the checkpoint it was made of, and the format of its weights.
            """)

    @Argument(help: "The checkpoint folder.", completion: .directory)
    var checkpoint: String

    @Option(help: "How weights are kept: f32, bf16, f16, int8, w8a8 or int4.")
    var weights: WeightFormat

    @Option(help: "The folder to write, which must not exist.", completion: .directory)
    var out: String

    @Option(help: "The folder of the vision tower, for original LLaVA checkpoints.")
    var visionTower: String?

    @Option(help: "Threads that convert weights.")
    var threads = UsableProcessors.count()

    @Option(help: "How to print: table, json (one value) or quiet.")
    var output = OutputFormat.table

    func validate() throws {
        guard (1...1024).contains(threads) else { throw ValidationError("--threads must be from 1 to 1024") }
    }

    func run() throws {
        let clock = ContinuousClock(), start = clock.now
        let folder = try ModelFolder(directory: checkpoint, visionTower: visionTower)
        let bytes = try ModelPacking.pack(folder, weights: weights, threads: threads, to: out)
        let seconds = (clock.now - start) / .seconds(1)
        struct Report: Encodable {
            let folder, weights: String
            let bytes: Int
            let seconds: Double
        }
        try output.show(
            Report(folder: out, weights: weights.rawValue, bytes: bytes, seconds: seconds),
            table:
                "\(out): \(ByteCount(bytes: bytes)) in \(weights.rawValue), packed in \(String(format: "%.0f s", seconds))",
            quiet: out)
    }
}

/// `winnow model show`: sizes, formats, and what fits here.
struct ModelShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a model's sizes, what it needs in each format, and what fits on this machine.")

    @Argument(help: "The folder of a checkpoint or of a packed model.", completion: .directory)
    var model: String

    @Option(help: "The folder of the vision tower, for original LLaVA checkpoints.")
    var visionTower: String?

    @Option(help: "Memory to fit into, such as 24GB; default: what this machine or control group has left.")
    var memory: ByteCount?

    @Option(help: "How to print: table, json (one value) or quiet.")
    var output = OutputFormat.table

    func run() throws {
        let folder = try ModelFolder(directory: model, visionTower: visionTower)
        let available = try memory?.bytes ?? AvailableMemory.now().available
        let report = ModelReport(folder, available: available)
        try output.show(
            report, table: report.table(), quiet: report.formats.filter(\.fits).map(\.format).joined(separator: "\n"))
    }
}

/// What `winnow model show` prints.
private struct ModelReport: Encodable {
    struct Need: Encodable {
        let format: String
        /// Bytes of all weights, and the least memory that the model runs in.
        let weights, least: Int
        let fits: Bool
        /// Jobs about one unreduced picture that are answered at the same time in what is left.
        let jobs: Int
    }

    let folder: String
    let packed: Bool
    let stored: String
    let decoder, tower: String
    let availableBytes: Int
    let formats: [Need]

    init(_ folder: ModelFolder, available: Int) {
        let t = folder.configuration.text, v = folder.configuration.vision
        self.folder = folder.directory
        packed = folder.isPacked
        stored = folder.stored.rawValue
        decoder =
            "\(t.layers) layers of \(t.hidden), MLP \(t.intermediate), \(t.heads) heads (\(t.keyValueHeads) for keys and values), vocabulary \(t.vocabulary), context \(t.context)"
        tower = "\(v.layers) layers of \(v.hidden), \(v.patches) patches of \(v.patchSize) pixels"
        availableBytes = available
        let choices = folder.isPacked ? [folder.stored] : WeightFormat.allCases
        formats = choices.map { format in
            let need = folder.memory(weights: format, activations: .float32)
            let shares = need.shares(of: available)
            return Need(
                format: format.rawValue, weights: need.weights, least: need.least, fits: shares != nil,
                jobs: shares.map { $0.cache / (need.rowsPerJob * need.cacheBytesPerRow) } ?? 0)
        }
    }

    func table() -> String {
        var table = TextTable(
            ["format", "weights", "least memory", "here", "jobs at a time"], rightAligned: [1, 2, 4])
        for need in formats {
            table.add([
                need.format, "\(ByteCount(bytes: need.weights))", "\(ByteCount(bytes: need.least))",
                need.fits ? "fits" : "too much",
                need.fits ? "\(need.jobs)" : "–",
            ])
        }
        return """
            \(folder): \(packed ? "packed as" : "a checkpoint in") \(stored)
            decoder: \(decoder)
            tower: \(tower)
            \(ByteCount(bytes: availableBytes)) of memory to use

            \(table.text())
            """
    }
}

extension ByteCount: ExpressibleByArgument {
    /// "24GiB", "9 GB", "512M", or bytes; less than a million is a forgotten unit.
    public init?(argument: String) {
        guard let count = ByteCount(argument), count.bytes >= 1_000_000 else { return nil }
        self = count
    }
}
