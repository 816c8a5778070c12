/// How much one read from a file of unknown origin may bring into memory.
///
/// Independently of `maximumBytes`, a dataset may not claim more than 1,100 times the size of its file (deflate packs
/// at most 1,032 to 1) where that is more than 64 MiB: a file of five kilobytes can claim a terabyte.
public struct ReadLimits: Sendable, Hashable {
    /// Bytes that one read may take, and that one chunk may unpack to.
    public var maximumBytes: Int
    /// Whether a checksum of the whole file was right: then the indexes of its chunks need no look of their own, which
    /// for many chunks takes longer than reading them.
    public var isIntact = false

    /// Sets the limit; 4 GiB unless told otherwise.
    public init(maximumBytes: Int = 4 << 30) { self.maximumBytes = maximumBytes }

    /// The limit for one read from a file of this size.
    func ceiling(forFileOf bytes: Int) -> Int {
        let (product, overflow) = bytes.multipliedReportingOverflow(by: 1_100)
        return min(maximumBytes, max(64 << 20, overflow ? Int.max : product))
    }
}
