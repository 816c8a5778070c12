import Tensors
public import TokenReduction

/// One prompt on its way through the decoder, and the answer as it grows.
///
/// A row keeps its position while others are dropped inside the decoder, and the answer goes on after the whole prompt.
public final class DecoderSequence {
    /// Rows of the prompt as they entered the decoder.
    public let promptTokens: Int
    /// Where the rows stand that are still to be read, ascending.
    let unread: Range<Int>
    /// The rows of the prompt that are visual.
    let image: Range<Int>
    /// The reduction, which goes on in the decoder.
    public internal(set) var run: ReductionRun
    let cache: KeyValueCache
    /// Rows of a shared beginning as they enter the first layer that a reduction looks at, and that layer: from there on all
    /// rows of the prompt go together. nil where all of the prompt is read at once, or the beginning in all layers.
    let joining: (layer: Int, rows: Tensor)?
    /// What comes out of a beginning that was read in some layers only.
    var begun: (layer: Int, rows: Tensor)?
    /// How many of its first rows other prompts will want to go on from.
    private let sharedRows: Int
    /// What each layer worked on.
    var work: [LayerWork]
    /// Tokens that the answer may have in the model's context.
    public let room: Int
    var nextPosition: Int
    /// Operations of reading the prompt.
    public internal(set) var prefillFLOPs = 0
    /// Operations of adding tokens so far.
    public internal(set) var decodeFLOPs = 0

    /// A prompt of which nothing has been read.
    init(promptTokens: Int, image: Range<Int>, run: ReductionRun, layers: Int, room: Int, sharedRows: Int = 0) {
        self.promptTokens = promptTokens
        self.image = image
        self.run = run
        self.room = room
        unread = 0..<promptTokens
        joining = nil
        cache = KeyValueCache(layers: layers)
        nextPosition = promptTokens
        work = [LayerWork](repeating: LayerWork(), count: layers)
        self.sharedRows = sharedRows
    }

    /// The first rows of a prompt that was read as a whole, as though they had been read alone: causal attention shows them
    /// nothing of what follows. `run` is the reduction as it stood before the decoder.
    init(beginningOf whole: DecoderSequence, run: ReductionRun) {
        promptTokens = whole.sharedRows
        image = whole.image
        self.run = run
        room = 0
        unread = 0..<promptTokens
        joining = nil
        begun = whole.begun
        nextPosition = promptTokens
        sharedRows = 0
        let layers = run.plan.undisturbedLayers(of: .languageModel)
        cache = KeyValueCache(beginningOf: whole.cache, rows: promptTokens, layers: layers)
        work = LayerWork.beginning(of: promptTokens, in: layers, of: whole.work.count)
    }

    /// Keeps the rows that others will go on from, where they enter the first layer that a reduction looks at.
    func keepBeginning(of rows: Tensor, entering layer: Int) {
        guard sharedRows > 0, layer == run.plan.undisturbedLayers(of: .languageModel) else { return }
        begun = (layer, rows.copy(of: 0..<sharedRows))
    }

    /// A prompt of `promptTokens` rows that goes on where `prefix` ends.
    init(continuing prefix: DecoderSequence, promptTokens: Int, room: Int) {
        self.promptTokens = promptTokens
        self.room = room
        image = prefix.image
        run = prefix.run
        unread = prefix.promptTokens..<promptTokens
        joining = prefix.begun
        cache = KeyValueCache(copying: prefix.cache, room: unread.count + room)
        nextPosition = promptTokens
        work = prefix.work
        sharedRows = 0
    }

    /// Bytes of keys and values held for this sequence.
    public var cacheBytes: Int { cache.bytes }

    /// Bytes of keys and values, and of rows of a beginning that wait for the rest.
    var heldBytes: Int { cache.bytes + (begun?.rows.byteCount ?? 0) }
}
