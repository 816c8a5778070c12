import Analysis
import Foundation
import ResultFiles
import TestSupport
import Testing

@Suite struct ExportTests {
    let tree: ResultsTree

    init() throws {
        tree = try ResultsTree()
        try tree.seal([ResultsTree.row("a"), ResultsTree.failure("b")], as: 1)
    }

    @Test func commaSeparatedValuesKeepQuotesAndLines() throws {
        let catalogue = try Catalogue(tree.folder)
        let text = CSV.text(try catalogue.query("SELECT id, answer, flops_prefill, NULL FROM jobs ORDER BY id"))
        let expected = "id,answer,flops_prefill,NULL\r\na,\"It is, \"\"a\"\"\nreally.\",1000000000014.0,\r\nb,,0.0,\r\n"
        let tokens = ResultsTree.row("a").kept.count
        #expect(text == expected.replacing("1000000000014.0", with: "\(1e12 + Double(tokens))"))
    }

    @Test func linesOfJSONAreObjectsInOrder() throws {
        let catalogue = try Catalogue(tree.folder)
        let result = try catalogue.query("SELECT id, attempt, answer, NULL AS empty FROM jobs ORDER BY id")
        let lines = try JSONLines.text(result).split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[0] == #"{"id":"a","attempt":1,"answer":"It is, \"a\"\nreally.","empty":null}"#)
        let list = try JSONSerialization.jsonObject(with: Data(JSONLines.array(result).utf8)) as? [[String: Any]]
        #expect(list?.count == 2)
    }

    @Test func piecesAreTheWhole() throws {
        let catalogue = try Catalogue(tree.folder)
        let sql = "SELECT * FROM jobs ORDER BY id"
        let result = try catalogue.query(sql)
        var csv = "", json = ""
        try CSV.write(sql, of: catalogue) { csv += $0 }
        try JSONLines.write(sql, of: catalogue) { json += $0 }
        #expect(csv == CSV.text(result))
        #expect(try json == JSONLines.text(result))
        #expect { try CSV.write("DELETE FROM jobs", of: catalogue) { _ in } } throws: {
            ($0 as? AnalysisError)?.code == .badRequest
        }
    }

    @Test func answersForTheScriptsOfLLaVA() throws {
        let text = try LLaVAAnswers(Catalogue(tree.folder), modelID: nil).text()
        struct Line: Decodable, Equatable {
            let question_id: Int
            let prompt, text, answer_id, model_id: String
            let metadata: [String: String]
        }
        let lines = text.split(separator: "\n")
        #expect(lines.count == 2)
        let first = try JSONDecoder().decode(Line.self, from: Data(lines[0].utf8))
        #expect(
            first
                == Line(
                    question_id: 7, prompt: "What, “a”?", text: "It is, \"a\"\nreally.",
                    answer_id: "\(ResultsTree.id(1))-0", model_id: "llava", metadata: [:]))
        #expect(lines[1].hasPrefix(#"{"question_id": "b", "prompt": "?", "text": "","#))
        var padded = ResultsTree.row("c")
        padded.labels = #"{"question_id":"007"}"#
        try tree.seal([padded], as: 2)
        #expect(try LLaVAAnswers(Catalogue(tree.folder), modelID: nil).text().contains(#"{"question_id": "007","#))
        let named = try LLaVAAnswers(Catalogue(tree.folder), modelID: "mine").text()
        #expect(named.contains(#""model_id": "mine""#))
    }

    @Test func theOutputOfABatchAPI() throws {
        var text = ""
        try OpenAIOutput.write(Catalogue(tree.folder), modelID: nil) { text += $0 }
        struct Line: Decodable {
            struct Response: Decodable {
                struct Body: Decodable {
                    struct Choice: Decodable {
                        struct Message: Decodable { let role, content: String }
                        let index: Int
                        let message: Message
                        let finish_reason: String
                    }
                    struct Usage: Decodable { let prompt_tokens, completion_tokens, total_tokens: Int }
                    let object, model: String
                    let choices: [Choice]
                    let usage: Usage
                }
                let status_code: Int
                let body: Body
            }
            struct Failure: Decodable { let code, message: String }
            let id, custom_id: String
            let response: Response?
            let error: Failure?
        }
        let raw = text.split(separator: "\n")
        let lines = try raw.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
        try #require(lines.count == 2)
        #expect(lines.map(\.custom_id) == ["a", "b"] && Set(lines.map(\.id)).count == 2)
        let response = try #require(lines[0].response), row = ResultsTree.row("a")
        #expect(response.status_code == 200 && lines[0].error == nil)
        #expect(response.body.object == "chat.completion" && response.body.model == "llava")
        #expect(response.body.choices.map(\.message.content) == [row.answer])
        #expect(
            response.body.choices[0].message.role == "assistant" && response.body.choices[0].finish_reason == "stop")
        #expect(response.body.usage.prompt_tokens == row.promptTokens)
        #expect(response.body.usage.completion_tokens == row.answerTokens)
        #expect(response.body.usage.total_tokens == row.promptTokens + row.answerTokens)
        #expect(lines[1].response == nil && lines[1].error?.code == "job_failed")
        #expect(lines[1].error?.message == ResultsTree.failure("b").error)
        #expect(raw[0].contains(#""error":null"#) && raw[1].contains(#""response":null"#))
    }
}
