import JobModel
import JobVocabulary
import ResultFiles
import Worker

extension ResultRow {
    /// What the runner of these tests records: a picture of 2 by 2 patches of which two are kept.
    static func forTests(_ job: LeasedJob, answer: String, error: String?) -> ResultRow {
        let method = job.item.prompt == "impossible" ? "no such method" : "none"
        var row = ResultRow(
            id: job.item.id.rawValue, images: job.item.images, prompt: job.item.prompt, method: method,
            attempt: job.lease.epoch.rawValue)
        row.seconds.queue = job.queuedSeconds
        if let error {
            row.status = .failed
            row.finishReason = .error
            row.error = error
            return row
        }
        row.answer = answer
        row.segments.append(picture: 0, tile: 0, rows: 2, columns: 2, left: 0, top: 0, width: 8, height: 8)
        row.visualTokensIn = 4
        row.visualTokensOut = 2
        row.tokens.leftAt = [255, 0, 0, 255]
        row.tokens.wentTo = [65_535, 0, 3, 65_535]
        row.tokens.score = [0, 1, 1, 0]
        row.kept = job.item.prompt == "inconsistent" ? [0] : [0, 3]
        row.steps.append(layer: 1, place: .visionEncoder, tokensIn: 4, tokensOut: 2, seconds: 0.001)
        row.tokenIDs = answer.utf8.map { Int32($0) }
        row.answerTokens = row.tokenIDs.count
        return row
    }
}

extension ShardHeader {
    /// What the runner of these tests knows about its model.
    static let forTests = ShardHeader(
        batch: "", worker: "", model: "/model", modelSHA256: "", methodJSON: "{}", generationJSON: "{}", software: "",
        methods: ["none"])
}

extension BatchDescription {
    /// A description of a batch whose jobs need no model.
    static func forTests(name: String, results: String) throws -> BatchDescription {
        try BatchDescription(
            json: """
                {"name":"\(name)","model":"/model","items":"/items.jsonl","images":"/images","results":"\(results)",
                 "method":{"name":"none","options":{}},"template":"none","imageMode":"crop","precision":"f32",
                 "generation":{"maxTokens":8,"temperature":0,"topP":1,"seed":1,"stop":[]},"features":false}
                """)
    }
}
