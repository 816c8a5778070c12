import Tensors
import Testing

/// Conversions, bit by bit, against the language's own.
@Suite struct ConversionTests {
    private let backend = CPUBackend(precision: .float32, threads: 2)

    /// Singles where rounding to 16 bits can go wrong: all 16-bit values of a type, their midpoints, and neighbours.
    private static func awkward(_ value: (UInt16) -> Float) -> [Float] {
        var result: [Float] = []
        for pattern in UInt16(0)..<0x7FFF {
            let a = value(pattern), b = value(pattern + 1)
            guard a.isFinite else { continue }
            let middle = b.isFinite ? (a + b) / 2 : a + a.ulp
            for x in [a, a.nextUp, a.nextDown, middle, middle.nextUp, middle.nextDown] { result += [x, -x] }
        }
        return result + [.infinity, -.infinity, .nan, -.nan, .greatestFiniteMagnitude, .leastNonzeroMagnitude]
            + [65504, 65519.996, 65520, 65536, 0x1p-24, 0x1p-25, 0x1.000002p-25, -0.0]
    }

    /// NaN compares equal to NaN here, everything else by its bits.
    private func same(_ a: [Float], _ b: [Float]) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { $0.bitPattern == $1.bitPattern || ($0.isNaN && $1.isNaN) }
    }

    @Test func everyHalf() {
        let patterns = Array(UInt16.min...UInt16.max)
        let halves = bits(patterns, .float16)
        #expect(same(backend.convert(halves, to: .float32).floats, patterns.map { Float(Float16(bitPattern: $0)) }))
        #expect(same(halves.floats, patterns.map { Float(Float16(bitPattern: $0)) }))
        #expect(same(halves.doubles.map { Float($0) }, halves.floats))
    }

    @Test func everyBFloat16() {
        let patterns = Array(UInt16.min...UInt16.max)
        let numbers = bits(patterns, .bfloat16)
        let expected = patterns.map { Float(bitPattern: UInt32($0) << 16) }
        #expect(same(backend.convert(numbers, to: .float32).floats, expected))
        #expect(same(numbers.floats, expected))
    }

    @Test func roundingToHalf() {
        let numbers = Self.awkward { Float(Float16(bitPattern: $0)) }
        let result = bits(of: backend.convert(Tensor(numbers, shape: [numbers.count]), to: .float16), as: UInt16.self)
        let wrong = zip(numbers, result).filter { number, pattern in
            let expected = Float16(number)
            return expected.isNaN ? !Float16(bitPattern: pattern).isNaN : expected.bitPattern != pattern
        }
        #expect(wrong.isEmpty, "first: \(String(describing: wrong.first))")
    }

    @Test func roundingToBFloat16() {
        let numbers = Self.awkward(BFloat16.value)
        let result = bits(of: backend.convert(Tensor(numbers, shape: [numbers.count]), to: .bfloat16), as: UInt16.self)
        let wrong = zip(numbers, result).filter { number, pattern in
            number.isNaN ? !BFloat16.value(pattern).isNaN : BFloat16.bits(number) != pattern
        }
        #expect(wrong.isEmpty, "first: \(String(describing: wrong.first))")
    }

    @Test(arguments: [
        (1 as Float, 0x3F80 as UInt16), (-2, 0xC000), (0x1.01p0, 0x3F80), (0x1.03p0, 0x3F82), (0x1.010002p0, 0x3F81),
        (.infinity, 0x7F80), (.greatestFiniteMagnitude, 0x7F80), (-0.0, 0x8000), (0x1p-149, 0),
    ])
    func bfloat16ByHand(_ number: Float, _ pattern: UInt16) { #expect(BFloat16.bits(number) == pattern) }

    @Test func notANumberStaysSo() {
        // A payload only in the bits that are cut off must not turn into infinity.
        #expect(BFloat16.value(BFloat16.bits(Float(bitPattern: 0x7F80_0001))).isNaN)
        let low = bits([0x7F80_0001 as UInt32], .float32)
        #expect(backend.convert(low, to: .bfloat16).floats[0].isNaN)
        #expect(backend.convert(low, to: .float16).floats[0].isNaN)
    }

    @Test(arguments: [0, 1, 15, 16, 17, 4095, 4096, 4097, 40001])
    func everyLength(_ count: Int) {
        let numbers = (0..<count).map { Float($0 % 256) }
        let tensor = Tensor(numbers, shape: [count])
        for type in ElementType.allCases {
            #expect(backend.convert(backend.convert(tensor, to: type), to: .float32).floats == numbers)
        }
    }
}
