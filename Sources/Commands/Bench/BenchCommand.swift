import ArgumentParser
import Tensors
import VisionLanguage

/// `winnow bench`: how fast the parts are, as ratios of things run in turn.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure speed as ratios, and make checkpoints to measure with.",
        subcommands: [
            BenchForwardCommand.self, BenchReduceCommand.self, BenchResultsCommand.self, BenchCatalogueCommand.self,
            BenchLoadCommand.self, BenchCheckpointCommand.self, BenchQueueCommand.self, BenchFleetCommand.self,
            FleetWorkersCommand.self,
        ])
}

/// Which model a bench runs.
struct BenchShape: ParsableArguments {
    @Option(help: "Sizes: llava-1.5-7b or llava-1.5-13b.")
    var shape = "llava-1.5-7b"

    @Option(help: "Decoder layers; default: all.")
    var layers: Int?

    /// The sizes asked for.
    func configuration() throws -> LLaVAConfiguration {
        guard var configuration = LLaVAConfiguration.named(shape), configuration.anyResolution == nil else {
            throw CommandFailure(ExitCodes.usage, "there is no shape '\(shape)'; choose llava-1.5-7b or llava-1.5-13b")
        }
        if let layers {
            guard (1...configuration.text.layers).contains(layers) else {
                throw CommandFailure(ExitCodes.usage, "--layers must be from 1 to \(configuration.text.layers)")
            }
            configuration.text.layers = layers
        }
        return configuration
    }
}
