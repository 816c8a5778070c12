import Tensors
import TestSupport
import Testing

/// A query's attention is the same to the last bit alone, in a block of others, with or without a map, on any threads, and over
/// the same keys and values stored as f32 or in 16 bits.
@Suite struct AttentionCompanyTests {
    private static let sets = InstructionSet.allCases.filter(\.isPresent)

    private static let shapes = [Heads(count: 4, keyValueCount: 2, size: 32), Heads(count: 3, size: 10)]
    private static let types = [ElementType.float32, .float16, .bfloat16]

    @Test(arguments: sets, shapes.flatMap { heads in types.map { (heads, $0) } })
    func sameBits(_ set: InstructionSet, _ shape: (heads: Heads, stored: ElementType)) throws {
        var random = SeededGenerator(seed: 21)
        let rows = 131, heads = shape.heads, converter = CPUBackend(precision: .float32, threads: 1)
        let q = random.tensor([rows, heads.width], scale: 2)
        let k = converter.convert(random.tensor([rows, heads.keyValueWidth], scale: 2), to: shape.stored)
        let v = converter.convert(random.tensor([rows, heads.keyValueWidth]), to: shape.stored)
        let wideKeys = converter.convert(k, to: .float32), wideValues = converter.convert(v, to: .float32)
        func attend(
            _ range: Range<Int>, threads: Int, map: AttentionMapKind?, _ k: Tensor = k, _ v: Tensor = v
        ) -> [UInt32] {
            let backend = CPUBackend(precision: .float32, threads: threads, instructions: set)
            let output = Tensor(shape: [range.count, heads.width], type: .float32)
            _ = backend.attend(
                Attention(
                    queries: Columns(q.rows(range)), keys: Columns(k.rows(0..<range.upperBound)),
                    values: Columns(v.rows(0..<range.upperBound)), heads: heads, causal: true),
                output: output, map: map)
            return bits(of: output, as: UInt32.self)
        }
        let whole = attend(0..<rows, threads: 1, map: nil, wideKeys, wideValues)
        for threads in [1, 2, 3] {
            for map in [nil, AttentionMapKind.probabilities, .logits] {
                #expect(attend(0..<rows, threads: threads, map: map) == whole)
            }
            for range in [0..<1, 0..<5, 17..<18, 30..<90, 100..<131, 130..<131] {
                let expected = Array(whole[range.lowerBound * heads.width..<range.upperBound * heads.width])
                #expect(attend(range, threads: threads, map: nil) == expected, "queries \(range)")
            }
            let backend = CPUBackend(precision: .float32, threads: threads, instructions: set)
            let singles = backend.attendSingle(
                q, heads,
                caches: (0..<rows).map { KeysAndValues(keys: k.rows(0..<$0 + 1), values: v.rows(0..<$0 + 1)) })
            #expect(bits(of: singles, as: UInt32.self) == whole)
        }
    }
}
