internal import JobVocabulary
import TokenReduction
import VisionLanguage

/// Requests that wait for room, and which of them may start together.
///
/// They start in the order they came, except that requests about the same pictures come forward to the first of them: tower
/// and prompt prefix are then computed once and used while they are at hand.
struct WaitingRequests {
    private var requests: [GenerationRequest] = []
    private let prefillRows: Int
    private let cacheRows: Int
    /// Rows of one tile before any reduction.
    private let tileRows: Int

    /// No requests; at most `prefillRows` rows of prompts are read at once, and `cacheRows` kept for all answers.
    init(prefillRows: Int, cacheRows: Int, tileRows: Int) {
        self.prefillRows = prefillRows
        self.cacheRows = cacheRows
        self.tileRows = tileRows
    }

    /// Whether no request waits for room.
    var isEmpty: Bool { requests.isEmpty }

    /// Adds a request behind those that wait.
    mutating func add(_ request: GenerationRequest) { requests.append(request) }

    /// Forgets a request.
    mutating func remove(_ id: UInt64) { requests.removeAll { $0.id == id } }

    /// Takes out up to `count` requests that may start beside those that are `running`; the first that waits starts
    /// alone, however large, if nothing runs.
    mutating func take(
        atMost count: Int, beside running: [GenerationRequest], remembers: (GenerationRequest) -> Bool
    ) -> [GenerationRequest] {
        guard count > 0, !requests.isEmpty else { return [] }
        var taken: [Int] = [], begun: Set<String> = [], handedOn: Set<String> = [], rows = 0
        var cached = running.reduce(0) { $0 + self.cached($1) }
        for index in order(count) {
            let request = requests[index]
            let prefix = request.prefixKey
            let isShared = prefix.map { begun.contains($0) } ?? false || remembers(request)
            // A plan that reduces in the language model counts the whole prompt, its shared prefix included.
            let joins = request.plan.reduces(in: .languageModel)
            let own = isShared && !joins ? request.prompt.after.count : prompt(request)
            // A prefix that one request reads for others is kept beside its own rows until all have started.
            let isFirstToShare = prefix.map { begun.contains($0) && !handedOn.contains($0) } ?? false
            let kept = self.cached(request) + (isFirstToShare ? prompt(request) - request.prompt.after.count : 0)
            guard taken.isEmpty || rows + own <= prefillRows,
                taken.isEmpty && running.isEmpty || cached + kept <= cacheRows
            else { break }
            taken.append(index)
            rows += own
            cached += kept
            guard let prefix else { continue }
            if isFirstToShare { handedOn.insert(prefix) }
            begun.insert(prefix)
        }
        defer { for index in taken.sorted(by: >) { requests.remove(at: index) } }
        return taken.map { requests[$0] }
    }

    /// The first `count` requests in the order in which they start.
    private func order(_ count: Int) -> [Int] {
        var order: [Int] = [], seen: Set<String> = [], places: [String: [Int]] = [:]
        for (index, request) in requests.enumerated() {
            if let key = request.pictureKey { places[key, default: []].append(index) }
        }
        for (index, request) in requests.enumerated() where order.count < count {
            guard let key = request.pictureKey else {
                order.append(index)
                continue
            }
            if seen.insert(key).inserted { order += places[key] ?? [] }
        }
        return Array(order.prefix(count))
    }

    /// Rows of a request's whole prompt: those of its visual tokens that enter the decoder included.
    private func prompt(_ request: GenerationRequest) -> Int {
        let each = tileRows - request.plan.removals(in: .visionEncoder).reduce(0, +)
        return request.pictures.reduce(request.prompt.text.count) { rows, picture in
            rows
                + (picture.tiling.isArranged(under: request.plan)
                    ? picture.tiling.sequenceLength : picture.tiling.tiles * each)
        }
    }

    /// Rows of keys and values that a request holds at its end, at most.
    private func cached(_ request: GenerationRequest) -> Int { prompt(request) + request.maxTokens }
}
