import Foundation
import Generation
import ImageDecoding
import JobModel
import JobVocabulary
import TestSupport
import Testing
import VisionLanguage

/// The demo model's answers, which end by themselves, against transformers.
struct DemoAnswerTests {
    struct Question: Decodable {
        let id: String
        let image: String
        let question: String
        let token_ids: [Int]
        let answer: String
        let margin: Double
        let last_logits: [Double]
    }

    @Test("answers end with the end-of-sequence token and read as transformers' do")
    func demo() throws {
        struct File: Decodable { let questions: [Question] }
        let data = try Data(contentsOf: Repository.fixture("model/demo_golden.json"))
        // Where two tokens are nearly equal, rounding may choose the other.
        let questions = try JSONDecoder().decode(File.self, from: data).questions.filter { $0.margin >= 0.02 }
        #expect(questions.count >= 10)
        let folder = Repository.root.appendingPathComponent("Jobs/demo")
        let questioner = try Questioner(directory: folder.appendingPathComponent("model").path)
        let plan = try questioner.plan()
        let requests = try questions.enumerated().map { index, question in
            GenerationRequest(
                id: UInt64(index), prompt: try questioner.processor.prompt(question.question, template: .hf),
                pictures: [
                    GenerationRequest.Picture(
                        try questioner.processor.prepare(
                            path: folder.appendingPathComponent(question.image).path, framing: .crop
                        ), key: question.image)
                ],
                plan: plan, sampling: .greedy, maxTokens: 32)
        }
        let answers = try questioner.engine().answers(requests)
        for (index, question) in questions.enumerated() {
            let result = try #require(answers[UInt64(index)]).get()
            #expect(result.tokenIDs == question.token_ids, "\(question.id)")
            #expect(result.text == question.answer, "\(question.id)")
            #expect(result.finishReason == .stop)
            let total = question.last_logits.reduce(0) { $0 + exp($1) }
            let expected = question.last_logits[question.token_ids[0]] - log(total)
            #expect(abs(Double(result.logProbabilities[0]) - expected) < 1e-3)
        }
    }
}
