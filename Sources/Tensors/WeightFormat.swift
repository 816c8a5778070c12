/// How the weights of products are stored, apart from the arithmetic that they are used in.
public enum WeightFormat: String, Sendable, Hashable, CaseIterable, Codable {
    /// 32-bit floating point.
    case f32
    /// bfloat16: 8 bits of mantissa.
    case bf16
    /// IEEE half precision: 11 bits of mantissa, nothing beyond 65,504.
    case f16
    /// 8-bit integers with a scale for each output and block of 256 inputs, beside activations of 15 bits.
    case int8
    /// The integers of `int8` beside activations of 8 bits, which have a scale for each row and group of 32 inputs.
    case w8a8
    /// 4-bit integers in groups of 32 inputs: an integer multiplier for each group, a scale for each output and block of 256;
    /// beside activations as those of `w8a8`.
    case int4

    /// The narrowest format that holds the numbers of all these tensors as they are.
    init(holding tensors: [Tensor]) {
        let types = Set(tensors.map(\.type))
        self = types == [.float16] ? .f16 : types == [.bfloat16] ? .bf16 : .f32
    }

    /// Whether weights become integers, which loses something of any trained checkpoint.
    public var isInteger: Bool { self == .int8 || self == .w8a8 || self == .int4 }
}
