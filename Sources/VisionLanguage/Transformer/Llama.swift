internal import JobVocabulary
import Tensors
import TokenReduction

/// The Llama decoder (Touvron et al. 2023): prefill reads prompts, decode adds one token to each.
///
/// Both take many sequences at once as ragged rows; only attention works on one sequence at a time.
final class Llama {
    private let configuration: LLaVAConfiguration.Text
    private let backend: any Backend
    /// `(vocabulary, hidden)`, only ever gathered from: it stays in its file.
    private let embedding: Tensor
    private let layers: [TransformerLayer]
    private let norm: Normalization
    private let head: Linear
    private let heads: Heads
    /// The type of keys and values.
    let keyValueType: ElementType
    private let progress: LayerProgress

    /// Builds all layers; the MLP's last product is stored as `down`, and `head` turns final rows into logits.
    init(
        _ c: LLaVAConfiguration.Text, weights: Weights, down: WeightFormat?, head: Linear, backend: any Backend,
        progress: LayerProgress
    ) throws {
        configuration = c
        self.progress = progress
        self.backend = backend
        heads = Heads(count: c.heads, keyValueCount: c.keyValueHeads, size: c.headSize)
        embedding = try weights.tensor("embed_tokens.weight", [c.vocabulary, c.hidden])
        let heads = heads
        layers = try (0..<c.layers).map { index in
            progress.action()
            return try TransformerLayer(llama: weights.under("layers.\(index)"), c, heads: heads, down: down)
        }
        keyValueType = (layers.first?.queryKeyValue.format ?? .f32).keyValueType(activations: backend.activationType)
        norm = try weights.rmsNorm("norm", width: c.hidden, epsilon: c.epsilon)
        self.head = head
    }

    /// Embedding rows of `ids`, `(ids, hidden)`, in the residual type.
    func embed(_ ids: [Int]) -> Tensor { backend.gather(embedding, rows: ids, as: backend.residualType) }

    /// Reads the prompts, or what follows their beginnings, `(rows, hidden)` each; returns the logits after each prompt's last
    /// row, `(sequences, vocabulary)`. `whole` holds the whole prompt of each sequence whose reduction looks at it.
    func prefill(_ prompts: [Tensor], whole: [Tensor?], _ sequences: [DecoderSequence]) throws -> Tensor {
        for (prompt, sequence) in zip(whole, sequences) {
            guard let prompt else { continue }
            try sequence.reduction.enter(prompt, layout: sequence.layout)
        }
        let rows = try read(RaggedRows(stacking: prompts), sequences)
        for sequence in sequences { sequence.prefillFLOPs = flops(of: sequence.work) + head.flops(rows: 1) }
        return logits(after: rows)
    }

    /// Reads the next rows of a prompt, `(rows, hidden)`, others of which follow: in the layers before the first that a reduction
    /// looks at.
    func readOn(_ next: Tensor, _ sequence: DecoderSequence) throws {
        let rows = RaggedRows(stacking: [next]), angles = angles(Array(sequence.unread.prefix(next.rows)))
        let following = sequence.unread.count - next.rows
        for index in 0..<sequence.reduction.plan.undisturbedLayers(of: .languageModel) {
            let mixed = mix(index, rows, of: [sequence])
            let queries = remember(mixed, index, rows, angles, [sequence], following: following)
            // Of rows before a prompt's last, nobody asks more of the last layer.
            guard index < layers.count - 1 else { break }
            var nothing = EvidenceSource([sequence.reduction.needs(layer: index)], heads: heads, backend: backend)
            try attend(index, rows, queries, [sequence], &nothing)
            feedForward(index, rows, [sequence])
            progress.action()
        }
        sequence.readOn(rows.tensor)
    }

    /// Adds one token to each sequence; returns the logits after it, `(sequences, vocabulary)`.
    func decode(_ ids: [Int], _ sequences: [DecoderSequence]) throws -> Tensor {
        let rows = RaggedRows(embed(ids), lengths: ids.map { _ in 1 })
        let before = sequences.map { flops(of: $0.work) }
        let last = try write(rows, sequences)
        for (sequence, before) in zip(sequences, before) {
            sequence.decodeFLOPs += flops(of: sequence.work) - before + head.flops(rows: 1)
            sequence.nextPosition += 1
        }
        return logits(after: last)
    }

    /// Runs rows of prompts through all layers; only the last row of each sequence comes out of the last one.
    private func read(_ input: RaggedRows, _ sequences: [DecoderSequence]) throws -> RaggedRows {
        var rows = input, positions = sequences.flatMap(\.unread)
        var angles = angles(positions)
        for index in layers.indices {
            if sequences.contains(where: { $0.joining?.layer == index }) {
                join(&rows, &positions, at: index, sequences)
                angles = self.angles(positions)
            }
            for (segment, sequence) in zip(rows.segments, sequences) {
                sequence.keepBeginning(of: rows.tensor.rows(segment), entering: index)
            }
            var source = EvidenceSource(
                sequences.map { $0.reduction.needs(layer: index) }, heads: heads, backend: backend)
            let mixed = rows.projections { rows, numbers in mix(index, rows, of: numbers.map { sequences[$0] }) }
            var queries = remember(mixed, index, rows, angles, sequences)
            let isLast = index == layers.count - 1
            if isLast {
                // Nothing reads the last layer but the next token, and reductions that happen there.
                let kept = zip(rows.segments, sequences).map { segment, sequence in
                    sequence.reduction.reduces(layer: index)
                        ? Array(0..<segment.count) : [segment.count - 1]
                }
                let places = rows.places(of: kept)
                queries = backend.gather(queries, rows: places, as: queries.type)
                positions = places.map { positions[$0] }
                rows.keep(kept, backend: backend)
            }
            try attend(index, rows, queries, sequences, &source)
            for (sequence, offered) in zip(sequences, source.offered) {
                sequence.reduction.remember(offered, layer: index)
            }
            func reduce(at moment: Moment) throws {
                guard let kept = try self.reduce(&rows, layer: index, at: moment, source, sequences) else { return }
                positions = self.positions(of: kept.map { positions[$0] }, in: rows, sequences)
                angles = self.angles(positions)
            }
            try reduce(at: .afterAttention)
            if isLast { rows.keep(rows.segments.map { [$0.count - 1] }, backend: backend) }
            feedForward(index, rows, sequences)
            source.normalize(rows, norm)
            rows.ahead = try lookAhead(index + 1, rows, positions, sequences, &source)
            try reduce(at: .afterLayer)
            progress.action()
        }
        return rows
    }

    /// One row of each sequence through all layers; where rows were numbered anew, its position depends on the layer.
    private func write(_ rows: RaggedRows, _ sequences: [DecoderSequence]) throws -> RaggedRows {
        let positions = sequences.map(\.nextPosition)
        var shifts = sequences.map { _ in 0 }
        var angles = angles(positions)
        for index in layers.indices {
            let now = sequences.map { $0.reduction.renumbering(before: index) }
            if now != shifts {
                shifts = now
                angles = self.angles(zip(positions, shifts).map { $0 - $1 })
            }
            let queries = remember(mix(index, rows, of: sequences), index, rows, angles, sequences)
            attend(index, rows, queries, sequences)
            feedForward(index, rows, sequences)
            progress.action()
        }
        return rows
    }

    /// Puts beginnings that were read as far as layer `index` ahead of the rows that follow them.
    private func join(
        _ rows: inout RaggedRows, _ positions: inout [Int], at index: Int, _ sequences: [DecoderSequence]
    ) {
        var parts: [Tensor] = [], places: [Int] = []
        for (segment, sequence) in zip(rows.segments, sequences) {
            let own = rows.tensor.rows(segment)
            if let joining = sequence.joining, joining.layer == index {
                parts.append(RaggedRows(stacking: [joining.rows, own]).tensor)
                places += 0..<joining.rows.rows
            } else {
                parts.append(own)
            }
            places += positions[segment]
        }
        // What others looked ahead to stays with them.
        let ahead = rows.ahead
        rows = RaggedRows(stacking: parts)
        rows.ahead = ahead
        positions = places
    }

    private func angles(_ positions: [Int]) -> RotaryAngles {
        RotaryAngles(positions: positions, size: heads.size, base: configuration.ropeBase)
    }

    /// The positions of the rows that were kept: as they were, or 0, 1, 2, … for the sequences that count anew.
    private func positions(of kept: [Int], in rows: RaggedRows, _ sequences: [DecoderSequence]) -> [Int] {
        zip(rows.segments, sequences).flatMap { segment, sequence in
            sequence.reduction.renumbersRows ? Array(0..<segment.count) : Array(kept[segment])
        }
    }

    /// Offers what reductions after layer `next - 1` ask about layer `next`; returns its queries, keys and values for the
    /// sequences that look ahead to it.
    private func lookAhead(
        _ next: Int, _ rows: RaggedRows, _ positions: [Int], _ sequences: [DecoderSequence],
        _ source: inout EvidenceSource
    ) throws -> LookedAhead? {
        let asking = source.lookingAhead
        guard next < layers.count, !asking.isEmpty else { return nil }
        let own = rows.only(asking)
        let mixed = mix(next, own, of: asking.map { sequences[$0] })
        for (number, segment) in zip(asking, own.segments) {
            let (queries, keys, _) = rotated(mixed.rows(segment), angles(Array(positions[rows.segments[number]])))
            try source.lookAhead(
                number, queries: Columns(queries), keys: Columns(keys), observer: segment.count - 1)
        }
        return LookedAhead(mixed, of: asking, lengths: own.segments.map(\.count))
    }

    /// `(sequences, vocabulary)` from the last row of each sequence.
    private func logits(after rows: RaggedRows) -> Tensor {
        let last = backend.normalize(rows.tensor, norm, as: backend.activationType)
        return backend.linear(last, head, activation: .none, as: backend.residualType)
    }

    /// Queries, keys and values that layer `index` makes of the rows of some sequences, side by side, without positions.
    private func mix(_ index: Int, _ rows: RaggedRows, of sequences: [DecoderSequence]) -> Tensor {
        for (segment, sequence) in zip(rows.segments, sequences) { sequence.work[index].projected += segment.count }
        return layers[index].projections(of: rows.tensor, as: backend.residualType, on: backend)
    }

    /// Queries, keys and values apart, with their positions.
    private func rotated(_ mixed: Tensor, _ angles: RotaryAngles) -> (queries: Tensor, keys: Tensor, values: Tensor) {
        let shape = [mixed.rows, heads.keyValueWidth]
        let keys = Tensor(shape: shape, type: keyValueType)
        let values = Tensor(shape: shape, type: keyValueType)
        return (backend.rotarySplit(mixed, heads, angles, keys: keys, values: values), keys, values)
    }

    /// Adds keys and values of every sequence's rows to its cache; returns the rows' queries. `following` rows of each prompt are
    /// to come.
    private func remember(
        _ mixed: Tensor, _ index: Int, _ rows: RaggedRows, _ angles: RotaryAngles, _ sequences: [DecoderSequence],
        following: Int = 0
    ) -> Tensor {
        let (queries, keys, values) = rotated(mixed, angles)
        for (sequence, segment) in zip(sequences, rows.segments) {
            sequence.cache.append(
                keys.rows(segment), values.rows(segment), layer: index, room: sequence.room + following)
        }
        return queries
    }

    /// Adds attention to the rows of prompts, whose keys and values each sequence's cache ends with, and offers evidence of it.
    private func attend(
        _ index: Int, _ rows: RaggedRows, _ queries: Tensor, _ sequences: [DecoderSequence],
        _ source: inout EvidenceSource
    ) throws {
        noteAttention(index, rows, sequences)
        let attended = Tensor(shape: queries.shape, type: backend.activationType)
        for (number, segment) in rows.segments.enumerated() {
            let cache = sequences[number].cache.contents(index)
            try source.attend(
                number,
                Attention(
                    queries: Columns(queries.rows(segment)), keys: Columns(cache.keys), values: Columns(cache.values),
                    heads: heads, causal: true),
                output: attended.rows(segment), observer: segment.count - 1)
        }
        layers[index].add(attended, to: rows.tensor, on: backend)
    }

    /// Adds attention to the one row of each sequence, whose keys and values its cache ends with.
    private func attend(_ index: Int, _ rows: RaggedRows, _ queries: Tensor, _ sequences: [DecoderSequence]) {
        noteAttention(index, rows, sequences)
        let attended = backend.attendSingle(queries, heads, caches: sequences.map { $0.cache.contents(index) })
        layers[index].add(attended, to: rows.tensor, on: backend)
    }

    private func noteAttention(_ index: Int, _ rows: RaggedRows, _ sequences: [DecoderSequence]) {
        for (segment, sequence) in zip(rows.segments, sequences) {
            sequence.work[index].attend(queries: segment.count, keys: sequence.cache.length(index))
        }
    }

    /// Operations of what the layers did, without the head.
    func flops(of work: [LayerWork]) -> Int { layers.flops(of: work, width: heads.width) }

    /// Reduces every sequence that reduces in this layer; returns the rows kept, numbered over all sequences.
    private func reduce(
        _ rows: inout RaggedRows, layer: Int, at moment: Moment, _ source: EvidenceSource,
        _ sequences: [DecoderSequence]
    ) throws -> [Int]? {
        var reductions = sequences.map(\.reduction)
        let before = rows
        let kept = try rows.reduce(
            &reductions, .languageModel, layer: layer, at: moment, evidence: source.offered,
            layouts: sequences.map(\.layout), backend: backend)
        guard let kept else { return nil }
        for (index, sequence) in sequences.enumerated() {
            sequence.reduction = reductions[index]
            if kept[index].count < before.segments[index].count {
                sequence.layout = sequence.layout.keeping(kept[index])
            }
        }
        return before.places(of: kept)
    }

    private func feedForward(_ index: Int, _ rows: RaggedRows, _ sequences: [DecoderSequence]) {
        layers[index].feedForward(rows.tensor, on: backend)
        for (segment, sequence) in zip(rows.segments, sequences) { sequence.work[index].fed += segment.count }
    }
}
