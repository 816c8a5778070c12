import Glibc
import Tensors
import TestSupport
import Testing

/// What reductions ask of attention: keys that count several times, one row of the map, head-mean keys.
@Suite struct AttentionEvidenceTests {
    private static let heads = [Heads(count: 4, size: 16), Heads(count: 4, keyValueCount: 2, size: 10)]

    private func problem(
        _ backend: any Backend, _ heads: Heads, queries: Int, keys: Int, causal: Bool = false, bias: [Double]? = nil
    ) -> Attention {
        var random = SeededGenerator(seed: 21)
        let parts = [
            random.tensor([queries, heads.width], scale: 2), random.tensor([keys, heads.keyValueWidth], scale: 2),
            random.tensor([keys, heads.keyValueWidth]),
        ].map { Columns(backend.convert($0, to: backend.activationType)) }
        return Attention(
            queries: parts[0], keys: parts[1], values: parts[2], heads: heads, causal: causal, keyBias: bias)
    }

    @Test(arguments: Subject.present, heads)
    func keyBias(_ subject: Subject, _ heads: Heads) {
        for (queries, keys, causal) in [(7, 23, false), (33, 33, true), (100, 130, true)] {
            let bias = (0..<keys).map { log(Double(1 + $0 % 5)) }
            subject.agrees("\(queries) of \(keys)") { backend in
                let output = Tensor(shape: [queries, heads.width], type: backend.activationType)
                let map = backend.attend(
                    problem(backend, heads, queries: queries, keys: keys, causal: causal, bias: bias), output: output,
                    map: .probabilities)
                return [output, map]
            }
        }
    }

    @Test("a key with bias log s is a key that stands there s times")
    func repeated() {
        let backend = PortableBackend(), heads = Heads(count: 2, size: 4)
        let once = problem(backend, heads, queries: 3, keys: 4, bias: [0, log(3), 0, log(2)])
        let places = [0, 1, 1, 1, 2, 3, 3]
        let often = Attention(
            queries: once.queries, keys: Columns(backend.gather(once.keys.tensor, rows: places, as: .float64)),
            values: Columns(backend.gather(once.values.tensor, rows: places, as: .float64)), heads: heads, causal: false
        )
        let outputs = [once, often].map { problem in
            let output = Tensor(shape: [3, heads.width], type: .float64)
            _ = backend.attend(problem, output: output, map: nil)
            return output.doubles
        }
        #expect(zip(outputs[0], outputs[1]).allSatisfy { abs($0 - $1) < 1e-14 })
    }

    @Test("one row of attention is that row of the map", arguments: Subject.present, heads)
    func row(_ subject: Subject, _ heads: Heads) throws {
        let backend = subject.backend
        for (rows, causal, query) in [(33, false, 0), (33, false, 20), (47, true, 46)] {
            let problem = problem(backend, heads, queries: rows, keys: rows, causal: causal)
            let output = Tensor(shape: [rows, heads.width], type: backend.activationType)
            let map = try #require(backend.attend(problem, output: output, map: .probabilities))
            let row = backend.attentionRow(problem, query: query)
            #expect(row.shape == [1, rows])
            let expected = map.rows(query..<query + 1).doubles
            #expect(zip(row.doubles, expected).allSatisfy { abs($0 - $1) < 1e-6 })
        }
    }

    @Test("keys are averaged over heads", arguments: Subject.present, heads)
    func keys(_ subject: Subject, _ heads: Heads) {
        let backend = subject.backend
        let problem = problem(backend, heads, queries: 2, keys: 5)
        let mean = backend.headMeanKeys(problem)
        #expect(mean.shape == [5, heads.size])
        let (numbers, cells) = (problem.keys.tensor.doubles, mean.doubles)
        for row in 0..<5 {
            for column in 0..<heads.size {
                let sum = (0..<heads.keyValueCount).reduce(0.0) {
                    $0 + numbers[row * heads.keyValueWidth + $1 * heads.size + column]
                }
                #expect(abs(cells[row * heads.size + column] - sum / Double(heads.keyValueCount)) < 1e-6)
            }
        }
    }
}
