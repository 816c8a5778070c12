public import ArgumentParser
import Foundation
public import JobModel
public import JobVocabulary
import TokenReduction
import VisionLanguage

/// What the command line wants otherwise than the batch file.
struct BatchOverrides: ParsableArguments {
    @Option(
        help: "How weights are kept: auto, f32, bf16, f16, int8 or int4; the batch file's choice where it is left out.")
    var weights: BatchDescription.Weights?

    @Option(help: "Visual features to store: projected, tower or none; the batch file's choice where it is left out.")
    var features: BatchDescription.Features?

    @Option(help: "What to store of each visual token: full, indices or none; else the batch file's choice.")
    var trace: StoredTrace?

    /// The batch with the wishes of the command line; says on standard error what its results will take.
    func apply(to file: BatchFile) throws -> BatchFile {
        var file = file
        file.description.weights = weights ?? file.description.weights
        file.description.features = features ?? file.description.features
        file.description.trace = trace ?? file.description.trace
        printError(try StoredSize(file).text)
        return file
    }
}

extension BatchDescription.Features: ExpressibleByArgument {}
extension StoredTrace: ExpressibleByArgument {}
extension BatchDescription.Weights: ExpressibleByArgument {}
