internal import Foundation
internal import ResultFiles

/// The results of one method, which become one row of a report's tables and one column of its comparison.
protocol ReportedMethod {
    /// The batch or cell; others may have the same name.
    var name: String { get }
    /// The folder of the results.
    var path: String { get }
    /// The folder that pictures' paths start from; nil if nothing names it.
    var images: String? { get }

    /// Counts, costs, times, accuracy and failures.
    func account() throws -> BatchAccount
    /// Every answer, as far as methods are compared by it.
    func comparedAnswers() throws -> [ComparedAnswer]
    /// Ids of at most `count` jobs for a gallery, evenly over those about a picture; those about none only fill up.
    func ids(_ count: Int) throws -> [String]
    /// The whole of one job, without its features.
    func row(_ id: String) throws -> ResultRow
}

/// A batch with its catalogue.
struct ReportedBatch: ReportedMethod {
    let catalogue: Catalogue
    let name: String
    let images: String?

    init(_ catalogue: Catalogue, images: String?) throws {
        self.catalogue = catalogue
        name = try catalogue.firstShard().batch
        self.images = images ?? (try? BatchImages.folder(of: catalogue.folder))
    }

    var path: String { URL(fileURLWithPath: catalogue.folder.path).standardizedFileURL.path }

    func account() throws -> BatchAccount { try BatchAccount(catalogue) }

    func comparedAnswers() throws -> [ComparedAnswer] {
        var answers: [ComparedAnswer] = []
        let decoder = JSONDecoder()
        try catalogue.read(
            "SELECT id, prompt, image, status, answer, correct, labels FROM jobs ORDER BY rowid", columns: { _ in }
        ) { row in
            let isAnswered = row[3].text == "ok", correct = row[5].number
            answers.append(
                ComparedAnswer(
                    id: row[0].text, prompt: row[1].text, pictures: row[2].text,
                    answer: isAnswered ? row[4].text : nil, isRight: isAnswered && correct >= 0 ? correct > 0 : nil,
                    labels: (try? decoder.decode([String: String].self, from: Data(row[6].text.utf8))) ?? [:]))
        }
        return answers
    }

    func ids(_ count: Int) throws -> [String] {
        let pictured = try ids(count, where: "pictures > 0")
        return try pictured + ids(count - pictured.count, where: "pictures = 0")
    }

    private func ids(_ count: Int, where wanted: String) throws -> [String] {
        guard count > 0 else { return [] }
        return try catalogue.query(
            """
            SELECT id FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY rowid) - 1 AS number FROM jobs WHERE \(wanted))
            WHERE number % MAX(1, (SELECT COUNT(*) FROM jobs WHERE \(wanted)) / \(count)) = 0
            ORDER BY number LIMIT \(count)
            """
        ).rows.map { $0[0].text }
    }

    func row(_ id: String) throws -> ResultRow { try FoundJob.find(id, in: catalogue).row }
}

extension Catalogue {
    /// What the first shard says of the batch; one that has read its model before any that has not. Empty without shards.
    func firstShard() throws -> (
        batch: String, method: String, model: String, modelSHA256: String, host: String, software: String
    ) {
        let texts =
            try query(
                """
                SELECT batch, method_json, model, model_sha256, host, software FROM shards
                ORDER BY model_sha256 = '', path LIMIT 1
                """
            ).rows.first?.map(\.text) ?? Array(repeating: "", count: 6)
        return (texts[0], texts[1], texts[2], texts[3], texts[4], texts[5])
    }
}
