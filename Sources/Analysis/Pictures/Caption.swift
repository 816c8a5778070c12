internal import ImageDecoding

/// Text as pixels, black on white, for pictures that say themselves what they show.
struct Caption {
    /// Pixels that a character takes across and down.
    static let cell = (width: 8, height: 16)
    /// The characters there are, in the order of their picture; others show as a question mark.
    static let glyphs = Array((32...126).map { Character(UnicodeScalar($0)) }) + Array("…→×·–")

    /// The glyphs in a row. `Tests/Fixtures/report/caption-font.html` makes them.
    private static let sheet: Picture = {
        do {
            return try Picture(decoding: PackageResources.caption_font_png)
        } catch {
            preconditionFailure("the glyphs are a PNG file of this module: \(error)")
        }
    }()

    /// The lines of the text, none wider than the caption.
    let lines: [String]

    /// A text in lines of at most `width` pixels, broken between words; longer words are broken anywhere.
    init(_ text: String, width: Int) {
        let most = max(1, width / Self.cell.width)
        var lines: [String] = []
        for word in text.split(whereSeparator: \.isWhitespace) {
            if let last = lines.last, last.count + 1 + word.count <= most {
                lines[lines.count - 1] = "\(last) \(word)"
                continue
            }
            var rest = word
            while !rest.isEmpty {
                lines.append(String(rest.prefix(most)))
                rest = rest.dropFirst(most)
            }
        }
        self.lines = lines
    }

    /// How many pixels it is high.
    var height: Int { lines.count * Self.cell.height }

    /// Writes the lines into RGB samples of a picture `width` pixels wide, from (`left`, `top`) on.
    func draw(into pixels: inout [UInt8], width: Int, left: Int, top: Int) {
        for (row, line) in lines.enumerated() {
            for (column, character) in line.enumerated() {
                let glyph = Self.glyphs.firstIndex(of: character) ?? Self.glyphs.firstIndex(of: "?") ?? 0
                for y in 0..<Self.cell.height {
                    let source = (y * Self.sheet.width + glyph * Self.cell.width) * 3
                    let place = ((top + row * Self.cell.height + y) * width + left + column * Self.cell.width) * 3
                    pixels.replaceSubrange(
                        place..<place + Self.cell.width * 3,
                        with: Self.sheet.pixels[source..<source + Self.cell.width * 3])
                }
            }
        }
    }
}
