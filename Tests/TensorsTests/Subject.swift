import Tensors
import Testing

/// A backend whose results must agree with the double-precision portable one.
enum Subject: CaseIterable, CustomTestStringConvertible {
    case cpu, cpuOneThread, cpuPortable, cpuBFloat16, portableSingle

    /// Those this processor has.
    static var present: [Subject] { allCases.filter { $0 != .cpuBFloat16 || CPUBackend.hasBFloat16 } }

    var backend: any Backend {
        switch self {
        case .cpu: CPUBackend(precision: .float32, threads: 2)
        case .cpuOneThread: CPUBackend(precision: .float32, threads: 1)
        case .cpuPortable: CPUBackend(precision: .float32, threads: 2, instructions: .portable)
        case .cpuBFloat16: CPUBackend(precision: .bfloat16, threads: 2)
        case .portableSingle: PortableBackend(type: .float32)
        }
    }

    /// The largest deviation allowed, relative to the largest number of the result. Beside integer weights an activation becomes an
    /// integer, which may be the next one where its scale is computed in single precision.
    func tolerance(_ format: WeightFormat?) -> Double {
        let rounding =
            switch format {
            case .int4, .w8a8: 5e-3
            case .int8: 5e-5
            case .f32, .bf16, .f16, nil: 1e-5
            }
        return self == .cpuBFloat16 ? max(2e-2, rounding) : rounding
    }

    var testDescription: String { "\(self)" }

    /// Does the same on this backend and on the oracle, and compares what comes out.
    func agrees(
        _ comment: Comment = "", weights format: WeightFormat? = nil,
        at sourceLocation: SourceLocation = #_sourceLocation,
        _ work: (any Backend) throws -> [Tensor?]
    ) rethrows {
        let results = try work(backend), expected = try work(PortableBackend(type: .float64))
        #expect(results.count == expected.count, comment, sourceLocation: sourceLocation)
        for (result, expectation) in zip(results, expected) {
            #expect(result?.shape == expectation?.shape, comment, sourceLocation: sourceLocation)
            guard let result, let expectation else { continue }
            #expect(
                deviation(result, from: expectation) <= tolerance(format), comment, sourceLocation: sourceLocation)
        }
    }
}

/// The largest difference, relative to the largest number expected; infinite where NaN turns up on one side only.
func deviation(_ result: Tensor, from expected: Tensor) -> Double {
    var largest = 0.0, difference = 0.0
    for (a, b) in zip(result.doubles, expected.doubles) {
        guard a.isFinite && b.isFinite else {
            if a == b || (a.isNaN && b.isNaN) { continue }
            return .infinity
        }
        largest = max(largest, abs(b))
        difference = max(difference, abs(a - b))
    }
    return difference == 0 ? 0 : difference / largest
}
