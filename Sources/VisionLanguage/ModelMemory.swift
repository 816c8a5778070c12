import MachineLimits
public import Tensors

/// What a model takes in memory, in bytes, known from its sizes before anything is loaded.
public struct ModelMemory: Sendable {
    /// The weights of all products that run, in their formats; embeddings stay in their file.
    public let weights: Int
    /// Keys and values of one row in all decoder layers.
    public let cacheBytesPerRow: Int
    /// Rows on their way through a layer, each: the prompt, features of its pictures and the residual stream; then what is
    /// normalised, as a product reads it and its queries, keys and values, or these before and after they are taken apart.
    private let flightBytesPerRow: Int
    /// The same inside an MLP, which few rows pass at once: what enters, both wide products, their gated product, and that again
    /// as the last product reads it.
    private let expandedBytesPerRow: Int
    /// Rows of a prompt about one picture that nothing reduces, with room for a question and an answer.
    public let rowsPerJob: Int

    /// What is needed beside the model: the program, buffers of pictures and results.
    public static let base = 300 << 20

    /// The needs of a model whose weights are kept as `format`, or as `stored`, and whose activations are `activations`.
    public init(_ c: LLaVAConfiguration, weights format: WeightFormat?, stored: WeightFormat, activations: ElementType)
    {
        let formats = WeightFormats(format)
        func bytes(_ format: WeightFormat?, _ inputs: Int, _ outputs: Int) -> Int {
            PackedWeights.byteCount(format ?? stored, inputs: inputs, outputs: outputs)
        }
        let v = c.vision, t = c.text
        let heads = t.heads * t.headSize, shared = t.keyValueHeads * t.headSize
        let towerLayer =
            bytes(formats.tower, v.hidden, 3 * v.hidden) + bytes(formats.tower, v.hidden, v.hidden)
            + bytes(formats.tower, v.hidden, v.intermediate) + bytes(formats.tower, v.intermediate, v.hidden)
        let patches = bytes(nil, 3 * v.patchSize * v.patchSize, v.hidden)
        let beyond = c.visionLayersNeeded < v.layers ? bytes(formats.tower, v.hidden, 2 * v.hidden) : 0
        let projector =
            bytes(formats.projector, v.hidden, t.hidden) + bytes(formats.projector, t.hidden, t.hidden)
        let decoderLayer =
            bytes(formats.decoder, t.hidden, heads + 2 * shared) + bytes(formats.decoder, heads, t.hidden)
            + bytes(formats.decoder, t.hidden, 2 * t.intermediate) + bytes(formats.down, t.intermediate, t.hidden)
        weights =
            patches + c.visionLayersNeeded * towerLayer + beyond + projector + t.layers * decoderLayer
            + bytes(formats.head, t.hidden, t.vocabulary)
        cacheBytesPerRow = t.cacheBytesPerRow((formats.decoder ?? stored).keyValueType(activations: activations))
        let mixed = heads + 2 * shared
        flightBytesPerRow = 4 * (3 * t.hidden + max(2 * t.hidden + mixed, 2 * mixed))
        expandedBytesPerRow = 4 * (t.hidden + 4 * t.intermediate)
        rowsPerJob = min(c.mostRowsPerPicture + 256, t.context)
    }

    /// Bytes of `rows` rows of prompts that are read at once.
    public func flightBytes(rows: Int) -> Int {
        rows * flightBytesPerRow + min(rows, TransformerLayer.rowsAtOnce) * expandedBytesPerRow
    }

    /// The least that a worker needs: the weights and one job.
    public var least: Int {
        weights + Self.base + rowsPerJob * cacheBytesPerRow + flightBytes(rows: rowsPerJob)
    }

    /// How a worker divides the memory that it may use.
    public struct Shares: Sendable, Hashable {
        /// Bytes of keys and values of answers that are being written.
        public let cache: Int
        /// Bytes of features, and as much of prompt beginnings, kept for requests that share them.
        public let shared: Int
        /// Most rows that are read at once, apart from layers in which a reduction looks at a whole prompt.
        public let prefillRows: Int

        /// Bytes of tensors that outlast a pass through the model: those of answers and what is kept for later requests.
        public var lasting: Int { cache + 2 * shared }
    }

    /// The rows of one prefill where memory allows them: more make products no faster.
    public static let usualPrefillRows = 1024
    /// Bytes kept for later requests if memory allows, unless one prompt prefix takes more.
    public static let usualShared = 256 << 20

    /// Shares of `available` bytes; nil if they do not hold the least that is needed.
    public func shares(of available: Int) -> Shares? {
        guard available >= least else { return nil }
        // Of what one job leaves over, a longer prefill gets a quarter at most, what is kept for later as much, answers the rest.
        let left = available - weights - Self.base, spare = available - least
        let rows = max(rowsPerJob, min(Self.usualPrefillRows, rowsPerJob + spare / 4 / flightBytesPerRow))
        let shared = min(max(Self.usualShared, rowsPerJob * cacheBytesPerRow), spare / 8)
        return Shares(
            cache: left - flightBytes(rows: rows) - 2 * shared, shared: shared,
            prefillRows: min(rows, Self.usualPrefillRows))
    }
}

extension LLaVAConfiguration.Text {
    /// Bytes of the keys and values of one row in all layers, stored as `type`.
    func cacheBytesPerRow(_ type: ElementType) -> Int { 2 * layers * keyValueHeads * headSize * type.size }
}

extension ModelFolder {
    /// What the model needs with its weights kept as `format`; nil keeps those of the checkpoint.
    public func memory(weights format: WeightFormat?, activations: ElementType) -> ModelMemory {
        ModelMemory(
            configuration, weights: format ?? (isPacked ? stored : nil), stored: stored, activations: activations)
    }

    /// Refuses another format than that of a packed model.
    public func checkFormat(_ format: WeightFormat?) throws(ModelError) {
        guard !isPacked || format == nil || format == stored else {
            throw ModelError(
                .otherPack,
                "the model is packed as \(stored.rawValue), not as \(format?.rawValue ?? ""): leave the format of weights to it, or "
                    + "pack the checkpoint again (\(directory))")
        }
    }

    /// Refuses a model that `available` bytes do not hold, with the formats that would fit and what else to do; and another
    /// format than that of a packed model.
    public func checkFits(
        weights format: WeightFormat?, activations: ElementType, available: Int, of whom: String,
        orElse other: String? = nil
    ) throws(ModelError) {
        try checkFormat(format)
        let need = memory(weights: format, activations: activations).least
        guard need > available else { return }
        let fitting = WeightFormat.allCases.filter {
            ModelMemory(configuration, weights: $0, stored: stored, activations: activations).least <= available
        }
        let words = fitting.map(\.rawValue)
        let names = (words.count > 1 ? words.dropLast().joined(separator: ", ") + " or " : "") + (words.last ?? "")
        let advice =
            fitting.isEmpty
            ? "no format fits"
            : isPacked ? "pack the checkpoint again as \(names), which would fit" : "weights: \(names) would fit"
        throw ModelError(
            .notEnoughMemory,
            "the model needs \(ByteCount(bytes: need)) with weights in \((format ?? stored).rawValue), \(whom) has "
                + "\(ByteCount(bytes: max(available, 0))) left; \(advice); or \(other ?? "use a machine with more memory") (\(directory))"
        )
    }
}
