public import JobModel
public import Tensors

extension BatchDescription.Precision {
    /// The type of activations; nil leaves the choice to the weights and the processor.
    public var elementType: ElementType? {
        switch self {
        case .auto: nil
        case .f32: .float32
        case .bf16: .bfloat16
        }
    }
}

extension BatchDescription.Weights {
    /// The format that weights are kept in; nil keeps the one of the checkpoint.
    public var format: WeightFormat? {
        switch self {
        case .auto: nil
        case .f32: .f32
        case .bf16: .bf16
        case .f16: .f16
        case .int8: .int8
        case .w8a8: .w8a8
        case .int4: .int4
        }
    }
}
