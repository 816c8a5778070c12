extension String {
    /// Most bytes of an answer or a reason outside of the result files, where it is whole.
    public static let shortBytes = 4096

    /// The text, cut after so many bytes at a whole character, with a sign that something is missing.
    public func shortened(to bytes: Int = shortBytes) -> String {
        guard utf8.count > bytes else { return self }
        var end = utf8.index(startIndex, offsetBy: bytes)
        while end > startIndex, String.Index(end, within: self) == nil { end = utf8.index(before: end) }
        return self[..<end] + "…"
    }
}
