import ArgumentParser
import VisionLanguage

/// `winnow bench checkpoint`: random weights of the true shapes in a folder, to try loading with.
struct BenchCheckpointCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint", abstract: "Write a checkpoint of random weights in the llava-hf layout, in shards.")

    @OptionGroup var shape: BenchShape

    @Option(help: "The folder to write; it must not exist.")
    var out: String

    @Option(help: "Most bytes of one shard.")
    var shardBytes = 5_000_000_000

    @Option(help: "How to print: table, json (one value) or quiet.")
    var output = OutputFormat.table

    func run() throws {
        let count = try RandomCheckpoint.write(try shape.configuration(), to: out, shardBytes: shardBytes)
        struct Report: Encodable {
            let out: String
            let tensors: Int
        }
        try output.show(Report(out: out, tensors: count), table: "\(out): \(count) tensors", quiet: out)
    }
}
