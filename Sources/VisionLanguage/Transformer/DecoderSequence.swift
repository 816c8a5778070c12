internal import JobVocabulary
import Tensors
public import TokenReduction

/// One prompt on its way through the decoder, and the answer as it grows.
///
/// A row keeps its position while others are dropped inside the decoder, and the answer goes on after the whole prompt.
public final class DecoderSequence {
    /// Rows of the prompt as they entered the decoder.
    public let promptTokens: Int
    /// Where the rows stand that are still to be read, ascending.
    private(set) var unread: Range<Int>
    /// What the rows of the prompt are that are left.
    var layout: TokenLayout
    /// What is reduced in the decoder, of all pictures together.
    public internal(set) var reduction: SequenceReduction
    let cache: KeyValueCache
    /// Rows that were read before the others as they enter the first layer that a reduction looks at, and that layer: from there
    /// on all rows of the prompt go together. nil if all of the prompt is read at once, or its beginning in all layers.
    private(set) var joining: (layer: Int, rows: Tensor)?
    /// Rows of this prompt's own prefix at that layer, for other prompts to continue from.
    private(set) var begun: (layer: Int, rows: Tensor)?
    /// How many of its first rows other prompts will continue from.
    let sharedRows: Int
    /// What each layer worked on.
    var work: [LayerWork]
    /// Tokens that the answer may have in the model's context.
    public let room: Int
    var nextPosition: Int
    /// Operations of reading the prompt.
    public internal(set) var prefillFLOPs = 0
    /// Operations of adding tokens so far.
    public internal(set) var decodeFLOPs = 0

    /// A prompt that has not been read yet, apart from what `prefix` holds.
    init(
        _ layout: TokenLayout, _ reduction: SequenceReduction, layers: Int, room: Int, continuing prefix: Prefix?,
        sharedRows: Int
    ) {
        promptTokens = layout.rows
        self.layout = layout
        self.reduction = reduction
        self.room = room
        self.sharedRows = sharedRows
        unread = (prefix?.rows ?? 0)..<promptTokens
        joining = prefix?.begun
        cache =
            prefix.map { KeyValueCache(copying: $0.cache, room: layout.rows - $0.rows + room) }
            ?? KeyValueCache(layers: layers)
        work = prefix?.work ?? [LayerWork](repeating: LayerWork(), count: layers)
        nextPosition = promptTokens
    }

    /// Notes that the next rows have been read in the layers before the first that a reduction looks at; `rows` are what enters
    /// that one.
    func readOn(_ rows: Tensor) {
        unread = unread.dropFirst(rows.rows)
        let layer = reduction.plan.undisturbedLayers(of: .languageModel)
        guard layer < work.count else { return }
        joining = (layer, joining.map { RaggedRows(stacking: [$0.rows, rows]).tensor } ?? rows)
    }

    /// Keeps the rows that others will go on from, where they enter the first layer that a reduction looks at.
    func keepBeginning(of rows: Tensor, entering layer: Int) {
        guard sharedRows > 0, layer == reduction.plan.undisturbedLayers(of: .languageModel) else { return }
        begun = (layer, rows.copy(of: 0..<sharedRows))
    }

    /// Bytes of keys and values held for this sequence.
    public var cacheBytes: Int { cache.bytes }

    /// What several prompts begin with, as one of them read it: causal attention shows a beginning nothing of what follows.
    ///
    /// It goes as far as the last picture's last row, in all layers or, where pictures are reduced in the decoder, in those
    /// before the first that a reduction looks at.
    struct Prefix {
        let rows: Int
        let cache: KeyValueCache
        let begun: (layer: Int, rows: Tensor)?
        let work: [LayerWork]

        /// The first `sharedRows` of a prompt that was read.
        init(of sequence: DecoderSequence) {
            rows = sequence.sharedRows
            begun = sequence.begun
            let layers = sequence.reduction.plan.undisturbedLayers(of: .languageModel)
            cache = KeyValueCache(beginningOf: sequence.cache, rows: rows, layers: layers)
            work = LayerWork.beginning(of: rows, in: layers, of: sequence.work.count)
        }

        /// Bytes of keys and values, and of rows that wait for the rest of a prompt.
        var bytes: Int { cache.bytes + (begun?.rows.byteCount ?? 0) }
    }
}
