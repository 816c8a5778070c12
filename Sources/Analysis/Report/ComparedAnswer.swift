internal import JobModel

/// One method's answer to a question, as far as methods are compared by it.
struct ComparedAnswer {
    let id: String
    /// Equal for questions of one id that ask the same about the same pictures.
    let question: Int
    /// The pictures that the question is about, or the id if there is none: what belongs together when samples are drawn.
    let cluster: String
    /// What is compared of the answer (``AcceptedAnswers``); nil if the job failed.
    let form: String?
    /// Whether the answer is an accepted one; nil if none is known or the job is not scored.
    let isRight: Bool?
    /// The labels of the item that asks the question.
    let labels: [String: String]

    /// - Parameter pictures: The names of the pictures, one a line.
    init(id: String, prompt: String, pictures: String, answer: String?, isRight: Bool?, labels: [String: String]) {
        var hasher = Hasher()
        hasher.combine(prompt)
        hasher.combine(pictures)
        self.id = id
        question = hasher.finalize()
        cluster = pictures.isEmpty ? id : pictures
        form = answer.map { AcceptedAnswers.form(of: $0) }
        self.isRight = isRight
        self.labels = labels
    }
}
