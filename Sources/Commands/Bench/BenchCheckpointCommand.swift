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

    func run() throws {
        let count = try RandomCheckpoint.write(try shape.configuration(), to: out, shardBytes: shardBytes)
        print("\(out): \(count) tensors")
    }
}
