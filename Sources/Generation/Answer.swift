import Foundation
import TokenReduction
import Tokenization
import VisionLanguage

/// An answer that is being written.
final class Answer {
    let request: GenerationRequest
    let picture: LLaVA.EncodedPicture
    let sequence: DecoderSequence
    private let reusedFeatures: Bool
    private let reusedPrefix: Bool
    var seconds = GenerationTimings()
    private(set) var ids: [Int] = []
    private var logProbabilities: [Float] = []
    private var random: SplitMix64
    private(set) var finish: (reason: GenerationResult.FinishReason, text: String)?

    init(
        _ request: GenerationRequest, _ picture: LLaVA.EncodedPicture, _ sequence: DecoderSequence,
        reusedFeatures: Bool, reusedPrefix: Bool
    ) {
        self.request = request
        self.picture = picture
        self.sequence = sequence
        self.reusedFeatures = reusedFeatures
        self.reusedPrefix = reusedPrefix
        random = SplitMix64(seed: request.sampling.seed)
    }

    /// Takes the next token from `logits`, and decides whether it was the last.
    func extend(_ logits: UnsafeBufferPointer<Float>, endOfSequence: Set<Int>, tokenizer: Tokenizer) {
        let token = request.sampling.choose(logits, &random)
        ids.append(token)
        logProbabilities.append(logProbability(of: token, logits))
        if endOfSequence.contains(token) {
            finish = (.stop, tokenizer.decode(ids))
        } else if let text = textBeforeStop(tokenizer) {
            finish = (.stop, text)
        } else if ids.count >= request.maxTokens || ids.count > sequence.room {
            finish = (.length, tokenizer.decode(ids))
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

    /// The finished answer with its account.
    func result() throws -> GenerationResult {
        let trace = try sequence.run.trace()
        var seconds = seconds
        seconds.reduce = trace.steps.reduce(0) { $0 + $1.seconds }
        return GenerationResult(
            id: request.id, text: (finish?.text ?? "").trimmingCharacters(in: .whitespacesAndNewlines), tokenIDs: ids,
            logProbabilities: logProbabilities, finishReason: finish?.reason ?? .length,
            promptTokens: sequence.promptTokens, features: picture.features, reusedFeatures: reusedFeatures,
            reusedPrefix: reusedPrefix, trace: trace,
            flops: OperationCounts(
                vision: picture.towerFLOPs, projector: picture.projectorFLOPs, prefill: sequence.prefillFLOPs,
                decode: sequence.decodeFLOPs),
            seconds: seconds, cacheBytes: sequence.cacheBytes)
    }
}
