public import ImageDecoding

extension Picture {
    /// The picture as lines of half blocks of 24-bit colour: two pixels a character cell, one above the other.
    ///
    /// - Parameter columns: Characters across; each is one pixel wide.
    func blockLines(columns: Int) -> [String] {
        let columns = max(1, min(columns, width)), rows = max(2, columns * height / width / 2 * 2)
        return stride(from: 0, to: rows, by: 2).map { row in
            var text = ""
            for column in 0..<columns {
                let upper = mean(column, row, of: columns, rows), lower = mean(column, row + 1, of: columns, rows)
                text += "\u{1B}[38;2;\(upper.0);\(upper.1);\(upper.2)m\u{1B}[48;2;\(lower.0);\(lower.1);\(lower.2)m▀"
            }
            return text + "\u{1B}[0m"
        }
    }

    /// The mean colour of one cell of a grid over the picture.
    private func mean(_ column: Int, _ row: Int, of columns: Int, _ rows: Int) -> (Int, Int, Int) {
        let left = column * width / columns, right = max(left + 1, (column + 1) * width / columns)
        let top = row * height / rows, bottom = max(top + 1, (row + 1) * height / rows)
        var sums = (0, 0, 0)
        for y in top..<bottom {
            for x in left..<right {
                let place = (y * width + x) * 3
                sums.0 += Int(pixels[place])
                sums.1 += Int(pixels[place + 1])
                sums.2 += Int(pixels[place + 2])
            }
        }
        let count = (right - left) * (bottom - top)
        return (sums.0 / count, sums.1 / count, sums.2 / count)
    }

    /// The picture as sixels, for terminals that draw them: 6×6×6 colours, with ordered dithering.
    public func sixels() -> String {
        var text = "\u{1B}Pq\"1;1;\(width);\(height)"
        for colour in 0..<216 {
            text += "#\(colour);2;\(colour / 36 * 20);\(colour / 6 % 6 * 20);\(colour % 6 * 20)"
        }
        let colours = dithered()
        for band in stride(from: 0, to: height, by: 6) {
            let rows = min(6, height - band)
            var used: [Int: [UInt8]] = [:]
            for y in 0..<rows {
                for x in 0..<width {
                    used[colours[(band + y) * width + x], default: [UInt8](repeating: 0, count: width)][x] |= 1 << y
                }
            }
            for (colour, bits) in used.sorted(by: { $0.key < $1.key }) { text += "#\(colour)\(Self.run(bits))$" }
            text += "-"
        }
        return text + "\u{1B}\\"
    }

    /// Each pixel's nearest of 216 colours, after a pattern that hides the steps between them was added.
    private func dithered() -> [Int] {
        let pattern = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5]
        return (0..<width * height).map { place in
            let offset = pattern[place / width % 4 * 4 + place % width % 4] * 51 / 16 - 24
            return (0..<3).reduce(0) { colour, channel in
                let level = (Int(pixels[place * 3 + channel]) + offset + 25) / 51
                return colour * 6 + min(5, max(0, level))
            }
        }
    }

    /// One colour of a band, equal sixels in a row written once.
    private static func run(_ bits: [UInt8]) -> String {
        var text = "", place = 0
        while place < bits.count {
            var end = place + 1
            while end < bits.count, bits[end] == bits[place] { end += 1 }
            let character = Character(UnicodeScalar(bits[place] + 63))
            text += end - place > 3 ? "!\(end - place)\(character)" : String(repeating: character, count: end - place)
            place = end
        }
        return text
    }
}
