import Generation
import Testing
import VisionLanguage

/// Counts of operations, against sums written down from the architecture; one multiply-add counts 2.
struct OperationCountTests {
    @Test("without reduction", arguments: ["hf", "small"])
    func whole(name: String) throws {
        let questioner = try Questioner(name)
        let patches = questioner.model.configuration.vision.patches
        let result = try questioner.engine().answer(questioner.request(0, maxTokens: 6))
        let layers = Array(repeating: patches, count: questioner.model.configuration.visionLayersNeeded + 1)
        #expect(result.flops.vision == tower(questioner.model.configuration.vision, tokens: layers))
        expectDecoder(result, questioner.model.configuration, visualTokens: patches, answer: 6)
    }

    @Test("FiCoCo-V: attention sees the tokens that enter a layer, the MLP those that leave it")
    func reducedTower() throws {
        let questioner = try Questioner("hf")
        let result = try questioner.engine().answer(questioner.request(0, method: "ficoco-v", keep: 192, maxTokens: 6))
        // Of the three layers, the last two give up 192 tokens each.
        #expect(
            result.flops.vision == tower(questioner.model.configuration.vision, tokens: [576, 576, 384, 192]))
        expectDecoder(result, questioner.model.configuration, visualTokens: 192, answer: 6)
    }

    /// The tower; `tokens[i]` visual tokens enter layer i and the last number leaves the tower.
    private func tower(_ c: LLaVAConfiguration.Vision, tokens: [Int]) -> Int {
        let d = c.hidden
        var total = 2 * c.patches * (3 * c.patchSize * c.patchSize) * d
        for (entering, leaving) in zip(tokens, tokens.dropFirst()) {
            let n = entering + 1, m = leaving + 1  // with the class token
            total += 4 * 2 * n * d * d  // queries, keys, values, output
            total += 2 * 2 * n * n * d  // QKᵀ and AV
            total += 2 * 2 * m * d * c.intermediate
        }
        return total
    }

    /// Projector, prefill of all rows, and one row for every answer token but the last, which nobody reads.
    private func expectDecoder(_ result: GenerationResult, _ c: LLaVAConfiguration, visualTokens: Int, answer: Int) {
        let d = c.text.hidden, width = c.text.heads * c.text.headSize, keyWidth = c.text.keyValueHeads * c.text.headSize
        #expect(result.flops.projector == 2 * visualTokens * (c.vision.hidden * d + d * d))

        let head = 2 * d * c.text.vocabulary
        let mixed = 2 * d * (width + 2 * keyWidth), output = 2 * d * width, mlp = 3 * 2 * d * c.text.intermediate
        let projections = mixed + output
        let s = result.promptTokens
        let layer = s * (projections + mlp) + 2 * 2 * width * s * (s + 1) / 2
        // The last layer works for the next token only, once it has the keys and values of all rows.
        let prefill = (c.text.layers - 1) * layer + s * mixed + output + 2 * 2 * width * s + mlp + head
        #expect(result.flops.prefill == prefill)

        let decode = (s + 1..<s + answer).reduce(0) {
            $0 + c.text.layers * (projections + 2 * 2 * width * $1 + mlp) + head
        }
        #expect(result.flops.decode == decode)
        #expect(result.flops.total == result.flops.vision + result.flops.projector + prefill + decode)
    }
}
