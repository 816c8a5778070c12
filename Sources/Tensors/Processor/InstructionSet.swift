internal import CKernels

/// The instructions that kernels are compiled for; which of them run is chosen when the program does.
public enum InstructionSet: String, Sendable, CaseIterable {
    /// Plain C, for any processor.
    case portable
    /// AVX2 with fused multiply-add and F16C.
    case avx2
    /// AVX-512 F, BW, VL and DQ.
    case avx512
    /// The same with VNNI, which multiplies and adds pairs of integers in one instruction.
    case avx512VNNI = "avx512-vnni"

    /// The widest set of this processor.
    public static var best: InstructionSet { allCases.last(where: \.isPresent) ?? .portable }

    /// Whether this processor has the set.
    public var isPresent: Bool { ck_has_set(ck) != 0 }

    /// The kernels' name for the set.
    var ck: ck_set {
        switch self {
        case .portable: CK_PORTABLE
        case .avx2: CK_AVX2
        case .avx512: CK_AVX512
        case .avx512VNNI: CK_AVX512_VNNI
        }
    }
}
