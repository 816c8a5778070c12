/// Which rows of a sequence are visual tokens, which one is the class token, and which are text.
///
/// In the encoder row 0 is the class token and the rest are patches; in the decoder the image stands somewhere in the
/// prompt. Only the rows in `image` can be given up, and only they can take in the content of others.
public struct TokenLayout: Sendable, Hashable {
    /// Rows of the sequence.
    public let rows: Int
    /// The visual tokens still alive, in raster order.
    public let image: Range<Int>
    /// The row of [CLS], where the model has one.
    public let classToken: Int?

    /// A sequence of `rows` rows whose visual tokens stand at `image`; checked when a reduction looks at it.
    public init(rows: Int, image: Range<Int>, classToken: Int? = nil) {
        self.rows = rows
        self.image = image
        self.classToken = classToken
    }

    /// A vision tower's sequence: the class token in row 0, then the patches.
    public static func encoder(visualTokens: Int) -> TokenLayout {
        TokenLayout(rows: visualTokens + 1, image: 1..<visualTokens + 1, classToken: 0)
    }

    /// The runs of rows that are neither visual nor the class token, ascending.
    public var text: [Range<Int>] {
        var runs = [0..<image.lowerBound, image.upperBound..<rows]
        if let classToken {
            runs = runs.flatMap { run in
                run.contains(classToken) ? [run.lowerBound..<classToken, classToken + 1..<run.upperBound] : [run]
            }
        }
        return runs.filter { !$0.isEmpty }
    }

    /// Throws where the parts do not fit into the rows.
    func check() throws(ReductionError) {
        guard image.lowerBound >= 0, image.upperBound <= rows else {
            throw ReductionError(
                .mismatch, "the image stands at rows \(image) of a sequence of \(rows): correct the image's place")
        }
        guard let classToken else { return }
        guard (0..<rows).contains(classToken), !image.contains(classToken) else {
            throw ReductionError(
                .mismatch,
                "row \(classToken) cannot be the class token of \(rows) rows whose image stands at \(image)")
        }
    }
}
