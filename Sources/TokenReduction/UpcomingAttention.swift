import Glibc
public import Tensors

/// The next layer's keys, and the query of the observing row: its attention, before it happens.
///
/// PyramidDrop ranks tokens by a layer that they do not reach; PruMerge by a layer of the tower whose output nobody
/// reads.
public struct UpcomingAttention: Sendable {
    /// The observing row's query, (1, heads · head width), float32 or float64.
    public let query: Tensor
    /// The keys, (rows, key heads · head width), in the type of the query.
    public let keys: Tensor
    /// How both divide into heads.
    public let heads: Heads
    private var mean: [Double]?
    private var whole: [Double]?

    /// Query and keys of a layer with these heads, positions already in them; of its attention, what `needs` asks for.
    public init(
        query: Tensor, keys: Tensor, heads: Heads, needs: EvidenceNeeds = .upcoming
    ) throws(ReductionError) {
        guard query.isReadable, query.type == keys.type, query.shape == [1, heads.width],
            keys.width == heads.keyValueWidth
        else {
            throw ReductionError(
                .mismatch,
                "the next layer's query \(query.shape) and keys \(keys.shape) do not fit \(heads.count) heads of "
                    + "\(heads.size)")
        }
        self.query = query
        self.keys = keys
        self.heads = heads
        // Filter and compressor both ask, the second one for each token: computed once.
        if needs.contains(.upcomingAttention) { mean = meanOverHeads() }
        if needs.contains(.upcomingAttentionHeadsAsOne), heads.count == heads.keyValueCount {
            whole = softmax(of: query.doubles, from: 0)
        }
    }

    /// How much the observing row will look at each row: softmax(qkᵀ/√d), averaged over heads.
    public func observerAttention() throws(ReductionError) -> [Double] { try asked(mean) }

    /// The same with all heads as one, softmax(qkᵀ/√(heads·d)); heads must not share keys.
    public func singleHeadAttention() throws(ReductionError) -> [Double] {
        guard heads.count == heads.keyValueCount else {
            throw ReductionError(.missingEvidence, "heads that share keys cannot be seen as one: choose another filter")
        }
        return try asked(whole)
    }

    private func asked(_ attention: [Double]?) throws(ReductionError) -> [Double] {
        guard let attention else {
            throw ReductionError(
                .missingEvidence,
                "this reduction reads attention of the next layer that nobody asked for: name it among the needs of the "
                    + "stage that does")
        }
        return attention
    }

    private func meanOverHeads() -> [Double] {
        let query = query.doubles, perKeyHead = heads.count / heads.keyValueCount
        var mean = [Double](repeating: 0, count: keys.rows)
        for head in 0..<heads.count {
            let part = Array(query[head * heads.size..<(head + 1) * heads.size])
            let row = softmax(of: part, from: head / perKeyHead * heads.size)
            for key in mean.indices { mean[key] += row[key] / Double(heads.count) }
        }
        return mean
    }

    /// softmax over all rows of query · key / √width, the keys' columns from `first`.
    private func softmax(of query: [Double], from first: Int) -> [Double] {
        let scale = 1 / Double(query.count).squareRoot()
        return keys.products(with: query, from: first).map { $0 * scale }.softmax()
    }
}

extension [Double] {
    /// exp(x) / Σ exp(x)
    func softmax() -> [Double] {
        let largest = self.max() ?? 0
        let powers = map { exp($0 - largest) }
        let sum = powers.reduce(0, +)
        return powers.map { $0 / sum }
    }
}
