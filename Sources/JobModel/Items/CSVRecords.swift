internal import Foundation

/// The records of a CSV file as in RFC 4180: cells in quotes hold commas, line breaks and doubled quotes.
///
/// The separator is the one that stands most often in the first line: a comma, a semicolon or a tab. Spaces around a quoted
/// cell do not count, and a blank line between records is skipped. Line breaks inside of a cell become line feeds.
struct CSVRecords {
    /// One record.
    struct Record {
        /// 1-based line on which it begins.
        let line: Int
        /// The cells; empty if the record is malformed, and then `problem` says why.
        var cells: [String] = []
        var problem: String?
    }

    private enum Place { case start, plain, quoted, closed }

    private let lines: TextLines
    private var separator: UInt8?
    private var isBroken = false

    init(_ lines: TextLines) { self.lines = lines }

    /// The next record, or nil at the end of the file.
    mutating func next() throws(ManifestProblems) -> Record? {
        guard !isBroken, let first = try lines.nextInked() else { return nil }
        let separator = separator ?? Self.separator(of: first.bytes)
        self.separator = separator
        var cells: [[UInt8]] = [[]], place = Place.start, line = first, bytes = 0
        func problem(_ message: String) -> Record { Record(line: first.number, problem: message) }
        while true {
            bytes += line.bytes.count + 1
            guard !line.isTooLong, bytes <= Item.maximumBytes else {
                // If an open quote swallows the rest of the file, no later row can be trusted.
                isBroken = place == .quoted
                return problem(
                    "the row is longer than \(Item.maximumBytes) bytes"
                        + (isBroken ? "; a quotation mark in it may lack its end" : ""))
            }
            for byte in line.bytes.last == 0x0D ? line.bytes.dropLast() : line.bytes {
                let last = cells.count - 1
                switch place {
                case .start where byte == 0x22:
                    cells[last] = []
                    place = .quoted
                case .start, .plain:
                    if byte == separator {
                        cells.append([])
                        place = .start
                    } else {
                        cells[last].append(byte)
                        if byte != 0x20 { place = .plain }
                    }
                case .quoted:
                    if byte == 0x22 { place = .closed } else { cells[last].append(byte) }
                case .closed where byte == 0x22:
                    cells[last].append(byte)
                    place = .quoted
                case .closed where byte == separator:
                    cells.append([])
                    place = .start
                case .closed:
                    guard byte == 0x20 else {
                        return problem("text stands behind the end of a quoted cell; write \"\" for a quotation mark")
                    }
                }
            }
            guard place == .quoted else { break }
            guard let more = try lines.next() else {
                isBroken = true
                return problem("a quotation mark opens a cell here that never ends")
            }
            cells[cells.count - 1].append(0x0A)
            line = more
        }
        let texts = cells.compactMap { String(validating: $0, as: UTF8.self) }
        guard texts.count == cells.count else { return problem("not UTF-8; save the file as CSV in UTF-8") }
        return Record(line: first.number, cells: texts)
    }

    private static func separator(of line: Data) -> UInt8 {
        let candidates = [UInt8(ascii: ","), UInt8(ascii: ";"), 0x09]
        let counts = candidates.map { candidate in line.count { $0 == candidate } }
        let most = counts.max() ?? 0
        return candidates[counts.firstIndex(of: most) ?? 0]
    }
}
