import Foundation
internal import JobVocabulary
import SeededRandomness
import TokenReduction
import Tokenization
import VisionLanguage

/// An answer that is being written.
final class Answer {
    let request: GenerationRequest
    private let input: DecoderInput
    let sequence: DecoderSequence
    private let reusedFeatures: Bool
    private let reusedPrefix: Bool
    var seconds = GenerationTimings()
    private(set) var ids: [Int] = []
    private var logProbabilities: [Float] = []
    private var random: SplitMix64
    private var finish: Result<(reason: FinishReason, text: String), ModelError>?

    /// Whether the last token was chosen.
    var isFinished: Bool { finish != nil }

    init(
        _ request: GenerationRequest, _ input: DecoderInput, _ sequence: DecoderSequence,
        reusedFeatures: Bool, reusedPrefix: Bool
    ) {
        self.request = request
        self.input = input
        self.sequence = sequence
        self.reusedFeatures = reusedFeatures
        self.reusedPrefix = reusedPrefix
        random = SplitMix64(seed: request.sampling.seed)
    }

    /// Takes the next token from `logits`, and decides whether it was the last.
    func extend(_ logits: UnsafeBufferPointer<Float>, endOfSequence: Set<Int>, tokenizer: Tokenizer) {
        guard logits.allSatisfy(\.isFinite) else {
            finish = .failure(
                ModelError(
                    .notFinite,
                    "the model's output is not a finite number after \(ids.count) tokens; "
                        + "are the weights damaged, or the activations beyond the range of the precision?"))
            return
        }
        let token = request.sampling.choose(logits, &random)
        ids.append(token)
        logProbabilities.append(logProbability(of: token, logits))
        if endOfSequence.contains(token) {
            finish = .success((.stop, tokenizer.decode(ids)))
        } else if let text = textBeforeStop(tokenizer) {
            finish = .success((.stop, text))
        } else if ids.count >= request.maxTokens || ids.count > sequence.room {
            finish = .success((.length, tokenizer.decode(ids)))
        }
    }

    private func textBeforeStop(_ tokenizer: Tokenizer) -> String? {
        guard !request.stop.isEmpty else { return nil }
        let text = tokenizer.decode(ids)
        return request.stop.compactMap { text.range(of: $0)?.lowerBound }.min().map { String(text[..<$0]) }
    }

    private func logProbability(of token: Int, _ logits: UnsafeBufferPointer<Float>) -> Float {
        let greatest = logits.max() ?? 0
        let total = logits.reduce(into: 0.0) { $0 += Double(exp($1 - greatest)) }
        return Float(Double(logits[token] - greatest) - log(total))
    }

    /// The finished answer of `model` with its account, or why there is none.
    func result(_ model: any VisionLanguageModel) throws -> GenerationResult {
        guard let finish = try finish?.get() else { preconditionFailure("the answer is still being written") }
        let trace = try sequence.reduction.trace()
        let tiles = input.tiles, isReduced = trace.steps.contains { $0.place == .languageModel }
        var seconds = seconds
        seconds.reduce = trace.steps.reduce(0) { $0 + $1.seconds }
        return GenerationResult(
            id: request.id, text: finish.text.trimmingCharacters(in: .whitespacesAndNewlines), tokenIDs: ids,
            logProbabilities: logProbabilities, finishReason: finish.reason,
            promptTokens: sequence.promptTokens, features: model.features(of: input, byNumber: isReduced),
            towerFeatures: request.keepsTowerFeatures ? model.towerFeatures(of: input, byNumber: isReduced) : nil,
            reusedFeatures: reusedFeatures, reusedPrefix: reusedPrefix,
            trace: trace,
            flops: OperationCounts(
                // A question is read once, however many tiles are weighed by it.
                vision: tiles.reduce(tiles.map(\.questionFLOPs).max() ?? 0) { $0 + $1.towerFLOPs },
                projector: tiles.reduce(0) { $0 + $1.projectorFLOPs },
                prefill: sequence.prefillFLOPs,
                decode: sequence.decodeFLOPs),
            seconds: seconds, cacheBytes: sequence.cacheBytes)
    }
}
