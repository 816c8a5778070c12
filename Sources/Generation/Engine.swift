import Tensors
public import Tokenization
public import VisionLanguage

/// Runs many requests through one model at once: new ones join while others are still being answered.
///
/// Use it from one thread. A request that cannot be run ends alone, with its error.
public final class Engine {
    private let model: any VisionLanguageModel
    private let tokenizer: Tokenizer
    private let endOfSequence: Set<Int>
    private var waiting: WaitingRequests
    private var answers: [Answer] = []
    private var prefill: Prefill
    /// Answers written at the same time.
    public let capacity: Int

    /// An engine that answers `capacity` requests at a time and keeps `sharedBytes` of features, and
    /// as much of prompt prefixes, for requests that share them.
    ///
    /// It reads at most `prefillRows` rows of prompts before every answer gets its next token, and longer prompts in pieces;
    /// from the first layer on in which a reduction looks at a prompt, all its rows go together. It takes new requests only
    /// while the keys and values of all answers stay within `cacheBytes`, or one request that takes more. None of these
    /// numbers changes an answer.
    public init(
        model: any VisionLanguageModel, tokenizer: Tokenizer, capacity: Int, sharedBytes: Int = ModelMemory.usualShared,
        prefillRows: Int = ModelMemory.usualPrefillRows, cacheBytes: Int = .max
    ) {
        precondition(capacity >= 1, "an engine answers at least one request at a time")
        self.model = model
        self.tokenizer = tokenizer
        self.capacity = capacity
        waiting = WaitingRequests(
            prefillRows: prefillRows, cacheRows: cacheBytes / max(model.cacheBytesPerRow, 1),
            tileRows: model.configuration.visualTokens)
        endOfSequence = model.configuration.endOfSequence
        prefill = Prefill(model, sharedBytes: sharedBytes, rowsAtOnce: prefillRows)
    }

    /// A request that ended.
    public struct Ended: Sendable {
        /// The request's.
        public let id: UInt64
        /// The answer, or why there is none.
        public let result: Result<GenerationResult, any Error>
    }

    /// Takes a request; it runs as soon as there is room.
    public func admit(_ request: GenerationRequest) { waiting.add(request) }

    /// Forgets a request.
    public func cancel(_ id: UInt64) {
        waiting.remove(id)
        prefill.remove(id)
        answers.removeAll { $0.request.id == id }
    }

    /// Whether nothing is left to do.
    public var isIdle: Bool { waiting.isEmpty && prefill.requests.isEmpty && answers.isEmpty }

    /// One iteration: prefill of requests there is room for, or of a piece of a long prompt, then one more token of every answer.
    public func step() throws -> [Ended] {
        var ended: [Ended] = []
        if prefill.requests.isEmpty {
            let joining = waiting.take(atMost: capacity - answers.count, beside: answers.map(\.request)) {
                prefill.remembers($0)
            }
            ended += attempt(joining) { try prefill.start(joining) }
        }
        ended += attempt(prefill.requests) { try readOn() }
        ended += collect()
        if !answers.isEmpty {
            try decode()
            ended += collect()
        }
        return ended
    }

    /// Does something for requests together; if that fails, reads the prompts of those that are left one by one to their ends, so that
    /// only the faulty ones fail.
    private func attempt(_ requests: [GenerationRequest], _ action: () throws -> Void) -> [Ended] {
        do {
            try action()
            return []
        } catch {
            let reading = prefill.removeAll(), left = reading.isEmpty ? requests : reading
            guard left.count > 1 else { return left.map { Ended(id: $0.id, result: .failure(error)) } }
            return left.flatMap { request in
                attempt([request]) {
                    try prefill.start([request])
                    while !prefill.requests.isEmpty { try readOn() }
                }
            }
        }
    }

    /// Reads prompts to their ends, or a piece of a long one.
    private func readOn() throws {
        while !prefill.requests.isEmpty {
            guard let (started, logits) = try prefill.readOn() else { return }
            extend(started, logits)
            answers += started
        }
    }

    private func decode() throws {
        let clock = ContinuousClock()
        let start = clock.now
        let logits = try model.decode(answers.compactMap(\.ids.last), answers.map(\.sequence))
        extend(answers, logits)
        let share = (clock.now - start) / .seconds(1) / Double(answers.count)
        for answer in answers { answer.seconds.decode += share }
    }

    private func extend(_ answers: [Answer], _ logits: Tensor) {
        model.backend.convert(logits, to: .float32).withUnsafeBytes { bytes in
            let numbers = bytes.bindMemory(to: Float.self)
            for (index, answer) in answers.enumerated() {
                let row = UnsafeBufferPointer(rebasing: numbers[index * logits.width..<(index + 1) * logits.width])
                answer.extend(row, endOfSequence: endOfSequence, tokenizer: tokenizer)
            }
        }
    }

    /// Takes out the answers that are finished.
    private func collect() -> [Ended] {
        let finished = answers.filter(\.isFinished)
        answers.removeAll(where: \.isFinished)
        return finished.map { answer in Ended(id: answer.request.id, result: Result { try answer.result(model) }) }
    }
}
