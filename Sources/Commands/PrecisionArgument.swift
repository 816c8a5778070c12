public import ArgumentParser
import Foundation
import Generation
public import JobModel
public import JobVocabulary
import MachineLimits
public import Tensors
import VisionLanguage

/// The arithmetic a command asks for.
enum PrecisionArgument: String, ExpressibleByArgument, CaseIterable {
    case f32, bf16
}

/// How a command computes: which arithmetic, and in which format weights are kept.
struct ArithmeticOptions: ParsableArguments {
    @Option(help: "Arithmetic: f32 or bf16; default: bf16 for bf16 weights if the processor has it, else f32.")
    var precision: PrecisionArgument?

    @Option(help: "How weights are kept: auto (as the checkpoint holds them), f32, bf16, f16, int8, w8a8 or int4.")
    var weights = BatchDescription.Weights.auto

    @Option(help: "Compute threads.")
    var threads = UsableProcessors.count()

    func validate() throws {
        guard (1...1024).contains(threads) else { throw ValidationError("--threads must be from 1 to 1024") }
    }

    /// How the model of `folder` is loaded.
    func loader(_ folder: ModelFolder) throws -> ModelLoader {
        try ModelLoader(asking: folder, precision: precision.elementType, weights: weights.format)
    }

    /// A backend for weights in the wanted format, or in `stored`, the checkpoint's.
    func backend(stored: WeightFormat) throws -> CPUBackend {
        try CPUBackend(precision.elementType, weights: weights.format ?? stored, threads: threads)
    }
}

extension CPUBackend {
    /// A backend for weights in a format; throws a failure of usage where the processor lacks what is asked for.
    convenience init(_ precision: ElementType?, weights: WeightFormat, threads: Int) throws {
        do {
            self.init(
                precision: try CPUBackend.activationType(precision, weights: weights), threads: threads)
        } catch {
            throw CommandFailure(ExitCodes.usage, "\(error)")
        }
    }
}

extension ModelLoader {
    /// A loader; throws a failure of usage where the processor lacks what is asked for.
    init(asking folder: ModelFolder, precision: ElementType?, weights format: WeightFormat?) throws {
        do {
            try self.init(folder, precision: precision, weights: format)
        } catch {
            throw CommandFailure(ExitCodes.usage, "\(error)")
        }
    }

    /// How this machine's memory is shared out for the model; refuses, as wrong input, one that it has no memory for.
    @discardableResult
    func sharesHere() throws -> ModelMemory.Shares {
        let left = try AvailableMemory.now()
        return try shares(of: left.available, for: left.limitedBy.owner)
    }
}

extension PrecisionArgument? {
    /// The type of activations; nil leaves the choice.
    var elementType: ElementType? {
        switch self {
        case .f32: .float32
        case .bf16: .bfloat16
        case nil: nil
        }
    }
}

extension WeightFormat: ExpressibleByArgument {}
extension PromptTemplate: ExpressibleByArgument {}
extension ImageTag: ExpressibleByArgument {}
extension PictureFraming: ExpressibleByArgument {}
