public import Foundation
internal import JobVocabulary

/// What one cell answered to one question.
public struct AnswerRow: Sendable, Hashable, Codable {
    /// The question's id.
    public let id: String
    /// The answer; nil if there is none.
    public let answer: String?
    /// Why there is none.
    public let error: String?
    /// Visual tokens that entered the decoder.
    public let delivered: Int
    /// Visual tokens left at its end.
    public let left: Int
    /// Operations of the question's whole path through the model, a multiply-add counted as 2.
    public let flops: Int
    /// Operations before the first token of the answer.
    public let prefillFLOPs: Int
    /// Seconds in the model; what was shared with another question took no time. 0 if several machines answered, whose
    /// seconds do not compare.
    public let seconds: Double
    /// Compute threads while the question was answered; nil if not recorded.
    public let threads: Int?
    /// Questions that were answered at a time.
    public let capacity: Int?
    /// The visual tokens left at the end, token `n` in bit `n % 8` of byte `n / 8`; base64 in the file, nil where nobody wrote
    /// it down.
    public let kept: Data?

    enum CodingKeys: String, CodingKey {
        case id, answer, error, delivered, left, flops, seconds, threads, capacity, kept
        case prefillFLOPs = "flops_to_first_token"
    }

    /// What became of a question.
    public init(
        id: String, answer: String?, error: String? = nil, delivered: Int = 0, left: Int = 0, flops: Int = 0,
        prefillFLOPs: Int = 0, seconds: Double = 0, threads: Int? = nil, capacity: Int? = nil,
        kept: Data? = nil
    ) {
        self.id = id
        self.answer = answer
        self.error = error
        self.delivered = delivered
        self.left = left
        self.flops = flops
        self.prefillFLOPs = prefillFLOPs
        self.seconds = seconds
        self.threads = threads
        self.capacity = capacity
        self.kept = kept
    }

    /// Whether a visual token is left at the end; nil where that was not written down.
    public func keeps(_ token: Int) -> Bool? {
        kept.map { token / 8 < $0.count && $0[$0.startIndex + token / 8] >> (token % 8) & 1 == 1 }
    }

    /// Whether the seconds of two rows can be compared: both are answers, made with as many threads and neighbours.
    func isTimed(like other: AnswerRow) -> Bool {
        error == nil && other.error == nil && threads == other.threads && capacity == other.capacity
    }
}

/// The answers of one cell in a file that only grows: one JSON object a line, on disk before it counts.
final class AnswerJournal {
    private(set) var rows: [String: AnswerRow] = [:]
    private let file: FileHandle
    private let path: String

    /// Opens the file at `url`, or makes it; a last line that was cut off is taken away and asked again.
    init(_ url: URL) throws(EvaluationError) {
        path = url.path
        let existing = (try? Data(contentsOf: url)) ?? Data()
        let whole = Self.whole(existing)
        do {
            if !FileManager.default.fileExists(atPath: path) { try Data().write(to: url) }
            file = try FileHandle(forUpdating: url)
            try file.truncate(atOffset: UInt64(whole.count))
            try file.seekToEnd()
        } catch {
            throw EvaluationError(.badData, "\(path) cannot be written: \(error.localizedDescription)")
        }
        for row in try Self.rows(whole, path) { rows[row.id] = row }
    }

    deinit { try? file.close() }

    /// Whether a question is still to be asked: an error may have been the machine's, so it is no answer.
    func lacks(_ id: String) -> Bool { answer(to: id) == nil }

    /// The row of a question that has been answered.
    func answer(to id: String) -> AnswerRow? { rows[id].flatMap { $0.error == nil ? $0 : nil } }

    /// Adds rows; they are on disk when this returns.
    func append(_ new: [AnswerRow]) throws {
        guard !new.isEmpty else { return }
        let encoder = JSONEncoder.canonical
        var lines = Data()
        for row in new {
            lines += try encoder.encode(row)
            lines.append(0x0A)
            rows[row.id] = row
        }
        try file.write(contentsOf: lines)
        try file.synchronize()
    }

    /// The rows of a journal by question, without touching it: another process may be writing its last line. None where there
    /// is no journal.
    static func read(_ url: URL) throws(EvaluationError) -> [String: AnswerRow] {
        guard FileManager.default.fileExists(atPath: url.path) else { return [:] }
        guard let data = try? Data(contentsOf: url) else {
            throw EvaluationError(.missingData, "\(url.path) cannot be read")
        }
        var found: [String: AnswerRow] = [:]
        for row in try rows(whole(data), url.path) { found[row.id] = row }
        return found
    }

    /// The lines that were written to their end.
    private static func whole(_ data: Data) -> Data { data.lastIndex(of: 0x0A).map { data[...$0] } ?? Data() }

    private static func rows(_ data: Data, _ path: String) throws(EvaluationError) -> [AnswerRow] {
        let decoder = JSONDecoder()
        var rows: [AnswerRow] = []
        for (number, line) in data.split(separator: 0x0A).enumerated() {
            guard let row = try? decoder.decode(AnswerRow.self, from: Data(line)) else {
                throw EvaluationError(.badData, "\(path), line \(number + 1), is not an answer: move the file away")
            }
            rows.append(row)
        }
        return rows
    }
}
