public import TokenReduction

/// One prompt on its way through the decoder, and the answer as it grows.
///
/// A row keeps its position while others are dropped inside the decoder, and the answer goes on after the whole prompt.
public final class DecoderSequence {
    /// Where each row of the prompt stands, ascending, as it enters the first layer.
    let positions: [Int]
    /// The rows of the prompt that are visual.
    let image: Range<Int>
    /// The reduction, which goes on in the decoder.
    public internal(set) var run: ReductionRun
    let cache: KeyValueCache
    /// Rows set aside for the answer.
    let room: Int
    var nextPosition: Int
    /// Operations of reading the prompt.
    public internal(set) var prefillFLOPs = 0
    /// Operations of adding tokens so far.
    public internal(set) var decodeFLOPs = 0

    init(positions: [Int], image: Range<Int>, run: ReductionRun, layers: Int, room: Int) {
        self.positions = positions
        self.image = image
        self.run = run
        self.room = room
        cache = KeyValueCache(layers: layers)
        nextPosition = (positions.last ?? -1) + 1
    }

    /// Rows of the prompt as they entered the decoder.
    public var promptTokens: Int { positions.count }
    /// Tokens that the model's context leaves for the answer.
    public var roomLeftAtStart: Int { room }

    /// Bytes of keys and values held for this sequence.
    public var cacheBytes: Int { cache.bytes }
}
