public import ArgumentParser
public import ImageDecoding
import Tensors
public import Tokenization

/// The arithmetic a command asks for.
enum PrecisionArgument: String, ExpressibleByArgument, CaseIterable {
    case f32, bf16
}

extension PrecisionArgument? {
    /// The type that products compute in; nil is bf16 where the processor has it.
    func elementType() throws -> ElementType {
        switch self {
        case .f32: return .float32
        case nil: return OneDNNBackend.hasBFloat16 ? .bfloat16 : .float32
        case .bf16:
            guard OneDNNBackend.hasBFloat16 else {
                throw CommandFailure(ExitCodes.usage, "this processor does not multiply bf16; use --precision f32")
            }
            return .bfloat16
        }
    }
}

extension PromptTemplate: ExpressibleByArgument {}
extension PicturePreprocessing.Framing: ExpressibleByArgument {}
