import Analysis
import Foundation
import Intervals
import JobModel
import WireProtocol

/// What `run` shows at its end: answers, files, and how to read them.
struct AnswerList {
    private struct Answer: Encodable {
        let id: String
        var question = ""
        let answer, error: String
        let visualTokens: UInt32
        let milliseconds: Double
    }

    private var answers: [Answer] = []
    private var shards: [String] = []
    /// The shard and row of the first job that succeeded: one that can be shown how to read.
    private var example: (shard: String, row: UInt32)?
    private let hasFeatures: Bool
    /// How many of the answers are right; nil if nobody knows.
    private let accuracy: Proportion?
    private var omitted = 0
    private let results: String

    /// Collects the first `limit` answers of a finished batch and the files of all of them.
    init(
        of status: WireBatchStatus, file: BatchFile, from coordinator: CoordinatorClient, limit: Int,
        accuracy: Proportion?
    ) throws {
        self.accuracy = accuracy
        results = status.results
        hasFeatures = file.description.features != .none
        var collected = Collected()
        try coordinator.forEachItem(of: status.batch) { item in
            if !item.shard.isEmpty, collected.seen.insert(item.shard).inserted { collected.shards.append(item.shard) }
            if collected.example == nil, item.state == "succeeded" { collected.example = (item.shard, item.row) }
            guard collected.answers.count < limit else {
                collected.omitted += 1
                return
            }
            collected.answers.append(
                Answer(
                    id: item.item, answer: item.summary.answer,
                    error: item.state == "succeeded" ? "" : item.error.isEmpty ? item.state : item.error,
                    visualTokens: item.summary.visualTokens, milliseconds: item.summary.seconds * 1000))
        }
        try collected.ask(file.description.itemSource)
        answers = collected.answers
        shards = collected.shards.map { results + "/" + $0 }
        omitted = collected.omitted
        example = collected.example.map { (results + "/" + $0.shard, $0.row) }
    }

    private struct Collected {
        var answers: [Answer] = []
        var shards: [String] = []
        var seen: Set<String> = []
        var example: (shard: String, row: UInt32)?
        var omitted = 0

        /// Puts its question beside each answer, whatever has been added to the items since.
        mutating func ask(_ source: ItemSource) throws {
            var places = Dictionary(answers.enumerated().map { ($1.id, $0) }) { first, _ in first }
            var lines = try ItemLines(source)
            while !places.isEmpty, let line = try lines.next() {
                guard let item = line.text.flatMap({ try? Item(json: $0) }),
                    let place = places.removeValue(forKey: item.id.rawValue)
                else { continue }
                answers[place].question = item.prompt
            }
        }
    }

    /// The table, the files, and a snippet that reads them.
    func printTable(_ status: WireBatchStatus) {
        var table = TextTable(["id", "question", "answer", "tokens", "ms"], rightAligned: [3, 4])
        for answer in answers {
            table.add([
                answer.id, String(answer.question.split(separator: "\n").first ?? ""),
                answer.error.isEmpty ? answer.answer : "failed: \(answer.error)",
                "\(answer.visualTokens)", String(format: "%.0f", answer.milliseconds),
            ])
        }
        print(table.text())
        if omitted > 0 { print("… and \(omitted) more (--rows shows more)") }
        print(
            "\n\(status.succeeded) of \(counted(status.total, "job")) succeeded, \(status.failed) failed, "
                + String(format: "%.1f s", status.elapsedSeconds))
        if let accuracy {
            printWrapped(
                String(
                    format: "accuracy %.1f %% (95 %% interval %.1f to %.1f; answers to items with accepted ones: %d)",
                    100 * accuracy.share, 100 * accuracy.low, 100 * accuracy.high, accuracy.scored))
        }
        print("\nResults:")
        for shard in shards { print("  \(shard)") }
        guard let example else { return }
        let last =
            hasFeatures
            ? #"f["features/data"][slice(*f["features/indptr"][row:row + 2])].shape"#
            : #"f["jobs/visual_tokens_out"][row]"#
        print(
            """

            Read them with h5py:
              import h5py
              f, row = h5py.File("\(example.shard)"), \(example.row)
              print(f["jobs/id"].asstr()[row], f["jobs/answer"].asstr()[row], \(last))
            """)
    }

    /// The same as one JSON object.
    func printJSON(_ status: WireBatchStatus) throws {
        struct Report: Encodable {
            let batch: BatchReport
            let answers: [Answer]
            let accuracy: Proportion?
            let omitted: Int
            let shards: [String]
        }
        try Commands.printJSON(
            Report(
                batch: BatchReport(status), answers: answers, accuracy: accuracy, omitted: omitted, shards: shards))
    }
}
