import Foundation

/// MMBench (Liu et al., ECCV 2024), dev of 12 July 2023, or its Chinese translation: multiple choice in all rotations.
///
/// Pictures stand in the table as base64; `unpackPictures` writes each once, beside the table.
struct MMBench: Benchmark {
    let name: String
    let title: String
    let maxTokens = 1024
    let officialCount: Int?
    let parts: [DataPart]
    private let instruction: String
    private static let pictures = "pictures"

    /// The English questions.
    static let english = MMBench(
        name: "mmbench", title: "multiple choice, every rotation of the options",
        table: "mmbench_dev_20230712.tsv", count: 4_377, instruction: AnswerFormat.letter)
    /// The Chinese ones.
    static let chinese = MMBench(
        name: "mmbench-cn", title: "the same in Chinese", table: "mmbench_dev_cn_20231003.tsv", count: nil,
        instruction: AnswerFormat.chineseLetter)

    private init(name: String, title: String, table: String, count: Int?, instruction: String) {
        self.name = name
        officialCount = count
        self.title = title
        self.instruction = instruction
        parts = [
            DataPart(
                table, .questions,
                published: "https://download.openmmlab.com/mmclassification/datasets/mmbench/\(table)")
        ]
    }

    func questions(in data: DataFolder) throws(EvaluationError) -> [BenchmarkQuestion] {
        let rows = try rows(data)
        let pictures = try pictures(of: rows)
        return rows.enumerated().map { place, row in
            var prompt = [row.hint, row.question].compactMap(\.self).joined(separator: "\n")
            for (letter, option) in zip("ABCD", row.options) { prompt += "\n\(letter). \(option)" }
            return BenchmarkQuestion(
                row: place, id: .number(row.index), image: "\(Self.pictures)/\(pictures[place]).jpg",
                prompt: prompt + "\n" + instruction, recorded: prompt, category: row.category, options: row.options)
        }
    }

    func unpackPictures(in data: DataFolder) throws(EvaluationError) {
        let rows = try rows(data)
        let folder = data.file(Self.pictures)
        let owners = try pictures(of: rows)
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            for (row, owner) in zip(rows, owners) where row.index == owner && row.reference == nil {
                guard let bytes = Data(base64Encoded: row.image) else {
                    throw EvaluationError(.badData, "\(parts[0].path): the picture of row \(row.index) is not base64")
                }
                try bytes.write(to: folder.appendingPathComponent("\(owner).jpg"))
            }
        } catch let error as EvaluationError {
            throw error
        } catch {
            throw EvaluationError(.missingData, "\(folder.path) cannot be written: \(error.localizedDescription)")
        }
    }

    /// Questions whose right answer is an option that LLaVA's script, and so this program, takes for missing.
    func remarks(in data: DataFolder) throws(EvaluationError) -> [String] {
        try rows(data).enumerated().compactMap { number, row in
            guard let answer = row.answer, let place = ["A", "B", "C", "D"].firstIndex(of: answer),
                place >= row.options.count
            else { return nil }
            let missing = row.written.dropFirst(row.options.count).first ?? nil
            return
                "\(parts[0].path), row \(number + 1): the right answer is \(answer), and the options end before it, at "
                + "one that reads '\(missing ?? "")'"
        }
    }

    /// The spreadsheet for the server; without answers where the table, as that of the test split, has none.
    func uploads(_ answers: BenchmarkAnswers, in data: DataFolder) throws(EvaluationError) -> [OfficialFile] {
        let rows = try rows(data), hasAnswers = rows.contains { $0.answer != nil }
        var sheet = Spreadsheet(
            headings: ["index", "question", "A", "B", "C", "D", "prediction"] + (hasAnswers ? ["answer"] : []) + [
                "split"
            ]
        )
        for (row, (_, text)) in zip(rows, try answers.complete()) {
            let letters = row.letters.map { $0.map { Spreadsheet.Cell.text($0) } ?? .empty }
            sheet.rows.append(
                [.number(row.index), .text(row.question)] + letters
                    + [.text(text)] + (row.answer.map { [.text($0)] } ?? []) + [row.split.map { .text($0) } ?? .empty])
        }
        return [OfficialFile(path: "answers_upload/\(answers.model).xlsx", contents: sheet.file())]
    }

    func score(_ answers: BenchmarkAnswers, in data: DataFolder) throws(EvaluationError) -> BenchmarkResult? {
        var circular = CircularAccuracy(), firstPass: [Bool] = []
        var right: [Int: Bool] = [:], firstRow: [Int: Int] = [:]
        let rows = try rows(data), answered = try answers.complete()
        guard rows.contains(where: { $0.answer != nil }) else { return nil }
        for (row, (question, text)) in zip(rows, answered) {
            guard let answer = row.answer else { continue }
            circular.count(index: row.index, prediction: text, answer: answer)
            let own = CircularAccuracy.question(of: row.index)
            let isRight = CircularAccuracy.isRight(text, answer)
            if row.index == own { firstPass.append(isRight) }
            right[own] = right[own, default: true] && isRight
            firstRow[own] = firstRow[own] ?? question.row
        }
        let first = firstPass.isEmpty ? 0 : Double(firstPass.count { $0 }) / Double(firstPass.count)
        let contributions = Dictionary(uniqueKeysWithValues: right.map { (firstRow[$0.key] ?? 0, $0.value ? 1.0 : 0) })
        return BenchmarkResult(
            BenchmarkResult.Score("circular accuracy", 100 * circular.value),
            details: [BenchmarkResult.Score("first rotation", 100 * first)], contributions: contributions)
    }

    private struct Row {
        let index: Int
        let question, image: String
        /// The right letter; nil in all rows of the test split.
        let answer: String?
        let hint, category, split: String?
        /// What stands under A, B, C and D.
        let letters: [String?]
        /// The options as the file writes them, including texts that pandas reads as missing.
        let written: [String?]
        /// The index whose picture this row shows; nil if it holds its own.
        var reference: Int? { Self.reference(image) }
        /// The index that a picture cell refers to; nil if it holds a picture.
        static func reference(_ image: String) -> Int? { image.utf8.count < 16 ? Int(image) : nil }
        /// The options up to the first that is missing.
        var options: [String] { letters.prefix { $0 != nil }.compactMap(\.self) }
    }

    private func rows(_ data: DataFolder) throws(EvaluationError) -> [Row] {
        let table = try TSVTable(data.bytes(parts[0].path), name: parts[0].path)
        let hasAnswers = table.has("answer")
        var rows: [Row] = []
        for number in 0..<table.count {
            guard let index = table.value("index", number).flatMap({ Int($0) }),
                let question = table.value("question", number), let image = table.value("image", number),
                !hasAnswers || table.value("answer", number) != nil
            else {
                throw EvaluationError(
                    .badData, "\(parts[0].path), row \(number + 1): index, question, answer or image is missing")
            }
            rows.append(
                Row(
                    index: index, question: question, image: image, answer: table.value("answer", number),
                    hint: table.value("hint", number),
                    category: table.value("category", number), split: table.value("split", number),
                    letters: ["A", "B", "C", "D"].map { table.value($0, number) },
                    written: ["A", "B", "C", "D"].map { table.text($0, number) }))
        }
        return rows
    }

    /// The index of the first row with the same picture, for each row.
    ///
    /// A picture may also be another row's index, and that row's again another's.
    private func pictures(of rows: [Row]) throws(EvaluationError) -> [Int] {
        let own = Dictionary(rows.map { ($0.index, $0.image) }) { first, _ in first }
        var owner: [String: Int] = [:]
        for row in rows where row.reference == nil { owner[row.image] = owner[row.image] ?? row.index }
        var found: [Int] = []
        for (number, row) in rows.enumerated() {
            var image = row.image, steps = 0
            while let other = Row.reference(image) {
                steps += 1
                guard let next = own[other], steps <= rows.count else {
                    throw EvaluationError(
                        .badData,
                        "\(parts[0].path), row \(number + 1): its picture is that of index \(row.image), where no row "
                            + "with a picture is found")
                }
                image = next
            }
            found.append(owner[image] ?? row.index)
        }
        return found
    }
}
