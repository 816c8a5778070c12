public import JobModel
public import ResultFiles

/// One cell of an evaluation: a method and a budget with its answers.
public struct EvaluatedMethod: ReportedMethod {
    /// An answer to one question.
    public struct Answer {
        /// The item whose question was asked.
        public var item: Item
        /// The text; nil if there is none.
        public var text: String?
        /// Why there is no answer; nil if there is one.
        public var error: String?
        /// Whether it is right; nil if that is not known.
        public var isRight: Bool?
        /// Visual tokens before and after all reductions.
        public var tokensIn, tokensOut: Int
        /// Operations, and those before the first token of the answer.
        public var flops, flopsToFirstToken: Double
        /// Seconds in the model.
        public var seconds: Double

        /// An answer with what it took.
        public init(
            item: Item, text: String?, error: String?, isRight: Bool?, tokensIn: Int, tokensOut: Int, flops: Double,
            flopsToFirstToken: Double, seconds: Double
        ) {
            (self.item, self.text, self.error, self.isRight) = (item, text, error, isRight)
            (self.tokensIn, self.tokensOut) = (tokensIn, tokensOut)
            (self.flops, self.flopsToFirstToken, self.seconds) = (flops, flopsToFirstToken, seconds)
        }
    }

    /// The cell, such as `ficoco-v@64`.
    public let name: String
    /// The method with its options.
    public let method: String
    /// Visual tokens to keep; nil if nothing is reduced.
    public let budget: Int?
    /// The name of the model.
    public let model: String
    /// The path of the evaluation's folder.
    public let path: String
    /// The answers of the cell, in the order of the questions.
    public let answers: [Answer]
    let images: String?
    private let places: [String: Int]
    private let describe: (Answer) throws -> ResultRow

    /// A cell with its answers.
    ///
    /// - Parameters:
    ///   - images: The folder that the questions' pictures start from.
    ///   - describe: What is known of an answer's pictures and tokens, as a row without features; asked for those that are
    ///     shown.
    public init(
        name: String, method: String, budget: Int?, model: String, path: String, images: String, answers: [Answer],
        describe: @escaping (Answer) throws -> ResultRow
    ) {
        (self.name, self.method, self.budget, self.model, self.path) = (name, method, budget, model, path)
        (self.images, self.answers, self.describe) = (images, answers, describe)
        places = Dictionary(answers.enumerated().map { ($1.item.id.rawValue, $0) }) { first, _ in first }
    }

    func account() -> BatchAccount { BatchAccount(self) }

    func comparedAnswers() -> [ComparedAnswer] {
        answers.map { answer in
            ComparedAnswer(
                id: answer.item.id.rawValue, prompt: answer.item.prompt,
                pictures: answer.item.images.joined(separator: "\n"), answer: answer.text, isRight: answer.isRight,
                labels: answer.item.labels)
        }
    }

    func ids(_ count: Int) -> [String] {
        let ids = answers.filter { !$0.item.images.isEmpty }.map(\.item.id.rawValue)
        let others = answers.filter { $0.item.images.isEmpty }.map(\.item.id.rawValue)
        let pictured = ids.spread(count)
        return pictured + others.spread(count - pictured.count)
    }

    func row(_ id: String) throws -> ResultRow {
        guard let place = places[id] else {
            throw AnalysisError(.badRequest, "\(path) holds no answer of \(name) to a question '\(id)'")
        }
        return try describe(answers[place])
    }
}

extension Array {
    /// At most `count` of them in their order, evenly spread.
    func spread(_ count: Int) -> [Element] {
        self.count <= count ? self : (0..<Swift.max(0, count)).map { self[$0 * self.count / count] }
    }
}
