import Tensors
import TestSupport
import Testing

/// Attention: shapes around the kernels' blocks, shared heads, causal windows, and both maps.
@Suite struct AttentionTests {
    private static let heads = [
        Heads(count: 1, size: 8), Heads(count: 4, size: 16), Heads(count: 4, keyValueCount: 2, size: 10),
        Heads(count: 3, keyValueCount: 1, size: 33),
    ]

    @Test(arguments: Subject.present, heads)
    func attend(_ subject: Subject, _ heads: Heads) {
        var random = SeededGenerator(seed: 7)
        for (queries, keys) in [(1, 1), (1, 7), (5, 5), (7, 23), (33, 33), (96, 97), (100, 130), (0, 3)] {
            // Scores of a few units: neither uniform nor one-hot.
            let q = random.tensor([queries, heads.width], scale: 2),
                k = random.tensor([keys, heads.keyValueWidth], scale: 2)
            let v = random.tensor([keys, heads.keyValueWidth])
            for causal in [false, true] {
                for map in [nil, AttentionMapKind.probabilities, .logits] {
                    subject.agrees("\(queries) queries, \(keys) keys, causal \(causal), map \(String(describing: map))")
                    {
                        backend in
                        let output = Tensor(shape: [queries, heads.width], type: backend.activationType)
                        let parts = [q, k, v].map { Columns(backend.convert($0, to: backend.activationType)) }
                        let mean = backend.attend(
                            Attention(
                                queries: parts[0], keys: parts[1], values: parts[2], heads: heads, causal: causal),
                            output: output, map: map)
                        #expect((mean == nil) == (map == nil))
                        return [output, mean]
                    }
                }
            }
        }
    }

    @Test(arguments: Subject.present, heads)
    func columnsOfOneTensor(_ subject: Subject, _ heads: Heads) {
        var random = SeededGenerator(seed: 8)
        let rows = 21, width = heads.width, shared = heads.keyValueWidth
        let mixed = random.tensor([rows, 3 + width + 2 * shared])
        subject.agrees { backend in
            let x = backend.convert(mixed, to: backend.activationType)
            let whole = Tensor(shape: [rows + 2, width], type: backend.activationType)
            whole.withUnsafeMutableBytes { $0.copyBytes(from: repeatElement(0, count: $0.count)) }
            let problem = Attention(
                queries: Columns(x, first: 3, count: width), keys: Columns(x, first: 3 + width, count: shared),
                values: Columns(x, first: 3 + width + shared, count: shared), heads: heads, causal: false)
            let mean = backend.attend(problem, output: whole.rows(1..<rows + 1), map: .probabilities)
            #expect(whole.rows(0..<1).floats.allSatisfy { $0 == 0 })
            #expect(whole.rows(rows + 1..<rows + 2).floats.allSatisfy { $0 == 0 })
            return [whole, mean]
        }
    }

    @Test(arguments: Subject.present, heads)
    func attendSingle(_ subject: Subject, _ heads: Heads) {
        var random = SeededGenerator(seed: 9)
        for lengths in [[], [1], [5, 1, 40], [300, 17, 16, 15]] {
            let q = random.tensor([lengths.count, heads.width], scale: 2)
            let caches = lengths.map { length in
                (random.tensor([length, heads.keyValueWidth], scale: 2), random.tensor([length, heads.keyValueWidth]))
            }
            subject.agrees("\(lengths)") { backend in
                let type = backend.activationType
                return [
                    backend.attendSingle(
                        backend.convert(q, to: type), heads,
                        caches: caches.map {
                            KeysAndValues(
                                keys: backend.convert($0.0, to: type), values: backend.convert($0.1, to: type))
                        })
                ]
            }
        }
    }

    @Test(arguments: Subject.present)
    func rowsOfAProbabilityMapSumToOne(_ subject: Subject) throws {
        var random = SeededGenerator(seed: 10)
        let heads = Heads(count: 4, size: 16), backend = subject.backend
        // Scores in the hundreds: powers overflow unless the maximum is taken out.
        let x = backend.convert(random.tensor([40, 64], scale: 30), to: backend.activationType)
        let problem = Attention(queries: Columns(x), keys: Columns(x), values: Columns(x), heads: heads, causal: true)
        let output = Tensor(shape: [40, 64], type: backend.activationType)
        let map = try #require(backend.attend(problem, output: output, map: .probabilities)).doubles
        for query in 0..<40 {
            let row = map[query * 40..<(query + 1) * 40]
            #expect(abs(row.reduce(0, +) - 1) < 1e-5)
            #expect(row.dropFirst(query + 1).allSatisfy { $0 == 0 })
        }
        #expect(output.doubles.allSatisfy { $0.isFinite })
    }

    @Test(arguments: Subject.present)
    func notANumberIsNotHidden(_ subject: Subject) {
        let heads = Heads(count: 1, size: 4), backend = subject.backend, type = backend.activationType
        let good = backend.convert(Tensor([Float](repeating: 1, count: 20), shape: [5, 4]), to: type)
        var numbers = [Float](repeating: 1, count: 20)
        numbers[9] = .nan
        let keys = backend.convert(Tensor(numbers, shape: [5, 4]), to: type)
        let output = Tensor(shape: [5, 4], type: type)
        _ = backend.attend(
            Attention(queries: Columns(good), keys: Columns(keys), values: Columns(good), heads: heads, causal: false),
            output: output, map: nil)
        #expect(output.floats.allSatisfy { $0.isNaN })
        let single = backend.attendSingle(
            good.rows(0..<1), heads, caches: [KeysAndValues(keys: keys, values: good)])
        #expect(single.floats.allSatisfy { $0.isNaN })
    }
}
