import JobModel
import ResultFiles
import Worker

extension ResultRow {
    /// What the runner of these tests records.
    static func forTests(_ job: LeasedJob, answer: String, error: String?) -> ResultRow {
        ResultRow(id: job.item.id.rawValue, answer: answer)
    }
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
