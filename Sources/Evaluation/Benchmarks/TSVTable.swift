import Foundation

/// A table with tabs between its columns and headings in its first line, as pandas reads it.
///
/// A field in double quotes may hold tabs, line feeds and doubled quotes. What pandas takes for "not a number" is nil.
struct TSVTable {
    private let columns: [String: Int]
    private let rows: [[String]]

    /// The number of rows.
    var count: Int { rows.count }

    /// Reads a table; `name` is for errors.
    init(_ bytes: Data, name: String) throws(EvaluationError) {
        var rows = Self.fields(bytes.withoutByteOrderMark)
        guard !rows.isEmpty else { throw EvaluationError(.badData, "\(name) is empty") }
        let headings = rows.removeFirst()
        columns = Dictionary(headings.enumerated().map { ($1, $0) }) { first, _ in first }
        if let short = rows.firstIndex(where: { $0.count != headings.count }) {
            throw EvaluationError(
                .badData, "\(name), row \(short + 1), has \(rows[short].count) fields for \(headings.count) headings")
        }
        self.rows = rows
    }

    /// Whether the table has a column of that name.
    func has(_ column: String) -> Bool { columns[column] != nil }

    /// What stands in a column as it is, also where it counts as missing; nil if there is no such column.
    func text(_ column: String, _ row: Int) -> String? { columns[column].map { rows[row][$0] } }

    /// The value of a column, or nil where it is absent or empty.
    func value(_ column: String, _ row: Int) -> String? {
        guard let place = columns[column] else { return nil }
        let value = rows[row][place]
        return Self.nothing.contains(value) || ["nan", "none"].contains(value.lowercased()) ? nil : value
    }

    /// What pandas reads as missing, letter by letter: sodium is `Na`. LLaVA's script adds any spelling of nan and none.
    private static let nothing: Set<String> = [
        "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
        "NULL", "NaN", "None", "n/a", "nan", "null",
    ]

    private static func fields(_ bytes: Data) -> [[String]] {
        let (tab, feed, carriage, quote) = (UInt8(0x09), UInt8(0x0A), UInt8(0x0D), UInt8(0x22))
        var rows: [[String]] = [], row: [String] = [], field: [UInt8] = []
        var isQuoted = false, wasQuoted = false
        func endField() {
            row.append(String(decoding: field, as: UTF8.self))
            field.removeAll(keepingCapacity: true)
            wasQuoted = false
        }
        func endRow() {
            guard !row.isEmpty || !field.isEmpty || wasQuoted else { return }
            endField()
            rows.append(row)
            row.removeAll(keepingCapacity: true)
        }
        bytes.withUnsafeBytes { bytes in
            var place = 0
            while place < bytes.count {
                let byte = bytes[place]
                place += 1
                if isQuoted {
                    guard byte == quote else {
                        field.append(byte)
                        continue
                    }
                    if place < bytes.count, bytes[place] == quote {
                        field.append(quote)
                        place += 1
                    } else {
                        isQuoted = false
                    }
                } else if byte == quote, field.isEmpty, !wasQuoted {
                    (isQuoted, wasQuoted) = (true, true)
                } else if byte == tab {
                    endField()
                } else if byte == feed {
                    endRow()
                } else if byte == carriage, place < bytes.count, bytes[place] == feed {
                    continue
                } else {
                    field.append(byte)
                }
            }
        }
        endRow()
        return rows
    }
}
