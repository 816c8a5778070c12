import Generation
import Tensors
import Testing
import TokenReduction
import VisionLanguage

/// How many keys and values each layer holds at the end.
struct CacheSizeTests {
    @Test("FiCoCo-L: a layer holds the rows that entered it", arguments: ["ficoco-l", "ficoco-vl", "ficoco-v", "none"])
    func rows(method: String) throws {
        let questioner = try Questioner("hf"), answer = 5
        let request = try questioner.request(0, method: method, keep: method == "none" ? nil : 100, maxTokens: answer)
        let result = try questioner.engine().answer(request)
        let words = request.prompt.text.count
        // 476 tokens in three layers: 159, 159, 158. √(576·100) = 240 pass between the halves: 47, 47, 46.
        let visual =
            switch method {
            case "none": [576, 576, 576]
            case "ficoco-v": [100, 100, 100]
            case "ficoco-l": [576, 417, 258]
            default: [240, 193, 146]
            }
        let text = questioner.model.configuration.text
        let rows = visual.reduce(0) { $0 + $1 + words + answer - 1 }
        #expect(result.cacheBytes == 2 * rows * text.keyValueHeads * text.headSize * 4)
        #expect(result.promptTokens == words + visual[0])
        #expect(result.features.shape == [visual[0], text.hidden])
    }
}
