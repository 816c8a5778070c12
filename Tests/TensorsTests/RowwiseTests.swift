import Tensors
import TestSupport
import Testing

/// Everything between products that looks at one row at a time.
@Suite struct RowwiseTests {
    private static let widths = [1, 2, 15, 16, 17, 31, 33, 48, 160]

    @Test(arguments: Subject.present, widths)
    func normalize(_ subject: Subject, _ width: Int) throws {
        var random = SeededGenerator(seed: UInt64(width))
        let gain = random.tensor([width]), bias = random.tensor([width])
        for rows in [0, 1, 3, 200] {
            let x = random.tensor([rows, width], scale: 4)
            for norm in [
                Normalization(gain: gain, bias: bias, epsilon: 1e-5),
                Normalization(gain: gain, bias: nil, epsilon: 1e-5),
            ] {
                subject.agrees("\(rows)×\(width)") { backend in
                    let input = backend.convert(x, to: backend.residualType)
                    return [
                        backend.normalize(input, norm, as: backend.activationType),
                        backend.normalize(input, norm, as: backend.residualType),
                    ]
                }
            }
        }
    }

    @Test(arguments: Subject.present, widths)
    func siluMultiply(_ subject: Subject, _ width: Int) {
        var random = SeededGenerator(seed: UInt64(width))
        for rows in [0, 1, 3, 200] {
            let x = random.tensor([rows, 2 * width], scale: 8)
            subject.agrees("\(rows)×\(width)") { backend in
                [backend.activationType, backend.residualType].map {
                    backend.siluMultiply(backend.convert(x, to: $0))
                }
            }
        }
    }

    @Test(arguments: Subject.present)
    func siluFarFromZero(_ subject: Subject) {
        let x = Tensor([-1e4, -200, -90, -50, 50, 90, 200, 1e30, 1, 1, 1, 1, 1, 1, 1, 1] as [Float], shape: [1, 16])
        let backend = subject.backend
        let result = backend.siluMultiply(backend.convert(x, to: backend.residualType)).doubles
        #expect(result[..<3].allSatisfy { abs($0) < 1e-33 })
        #expect(abs(result[3]) < 1e-18)
        for (value, expected) in zip(result[4...], [50, 90, 200, 1e30]) { #expect(abs(value / expected - 1) < 4e-3) }
    }

    @Test(
        arguments: Subject.present,
        [
            Heads(count: 1, size: 2), Heads(count: 4, size: 16), Heads(count: 4, keyValueCount: 2, size: 10),
            Heads(count: 6, keyValueCount: 2, size: 34), Heads(count: 3, keyValueCount: 1, size: 64),
        ])
    func rotarySplit(_ subject: Subject, _ heads: Heads) {
        var random = SeededGenerator(seed: 5)
        for rows in [0, 1, 7, 150] {
            let x = random.tensor([rows, heads.width + 2 * heads.keyValueWidth])
            let angles = RotaryAngles(positions: (0..<rows).map { 3 * $0 + 1 }, size: heads.size, base: 10000)
            subject.agrees("\(rows) rows") { backend in
                var results: [Tensor] = []
                for type in [backend.residualType, backend.activationType] {
                    let keys = Tensor(shape: [rows, heads.keyValueWidth], type: backend.activationType)
                    let values = Tensor(shape: [rows, heads.keyValueWidth], type: backend.activationType)
                    let input = backend.convert(x, to: type)
                    results.append(backend.rotarySplit(input, heads, angles, keys: keys, values: values))
                    results += [keys, values]
                }
                return results
            }
        }
    }

    @Test(arguments: Subject.present)
    func gatherAndConvert(_ subject: Subject) {
        var random = SeededGenerator(seed: 6)
        let table = random.tensor([9, 33])
        let backend = subject.backend
        for stored in ElementType.allCases where stored != .float16 {
            let source = backend.convert(table, to: stored)
            #expect(source.type == stored)
            #expect(source.floats == table.floats)
            for type in ElementType.allCases where type != .float16 {
                let rows = backend.gather(source, rows: [8, 0, 0, 3], as: type)
                #expect(rows.shape == [4, 33])
                #expect(rows.type == type)
                #expect(rows.floats == [8, 0, 0, 3].flatMap { table.rows($0..<$0 + 1).floats })
            }
            #expect(backend.gather(source, rows: [], as: .float32).shape == [0, 33])
        }
    }
}
