public import Tensors

/// How each part of a model stores the weights of its products.
public struct WeightFormats: Sendable, Hashable {
    /// The decoder's layers, except for the MLP's last product; nil: as the checkpoint holds them.
    public let decoder: WeightFormat?
    /// The last product of the MLP of the decoder's layers.
    public let down: WeightFormat?
    /// The vision tower's layers, and those of CLIP's text tower.
    public let tower: WeightFormat?
    /// Both products of the projector.
    public let projector: WeightFormat?
    /// The decoder's last product, whose results are logits.
    public let head: WeightFormat?

    /// The formats of a model whose weights are wanted as `format`; nil keeps those of the checkpoint.
    ///
    /// With `int4` the products of the decoder's layers have 4 bits, but for the MLP's last one, whose inputs vary most: 8 bits
    /// there lose a third less. Tower, projector and head, a tenth of the weights, have 8 bits as well. In the decoder
    /// activations have 8 bits everywhere, in tower and projector 15: what they do to features, every answer sees.
    public init(_ format: WeightFormat?) {
        decoder = format
        let beside = format == .int4 ? .w8a8 : format, features = format == .int4 ? .int8 : format
        (down, head, tower, projector) = (beside, beside, features, features)
    }
}

extension WeightFormat {
    /// The type of keys and values in a decoder whose weights have this format: that of activations, but f16 for f32 activations
    /// beside integer weights, whose rounding loses more; that is half the memory of every answer.
    func keyValueType(activations: ElementType) -> ElementType {
        isInteger && activations == .float32 ? .float16 : activations
    }
}

extension CPUBackend {
    /// The type of activations for weights in `format`: the one asked for; else bf16 where weights are bf16 and the processor
    /// multiplies it, and f32 otherwise.
    ///
    /// Throws `unsupportedType` if bf16 is asked for and the processor lacks it.
    public static func activationType(
        _ asked: ElementType?, weights format: WeightFormat
    ) throws(TensorError) -> ElementType {
        guard asked != .bfloat16 || hasBFloat16 else {
            throw TensorError(
                .unsupportedType, "this processor does not multiply bf16; set precision to auto or f32")
        }
        return asked ?? (format == .bf16 && hasBFloat16 ? .bfloat16 : .float32)
    }
}
