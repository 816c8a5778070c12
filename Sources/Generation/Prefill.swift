internal import JobVocabulary
import Tensors
import TokenReduction
import VisionLanguage

/// Reads prompts, with everything done once that several of them share: the tower for one picture and reduction, and the
/// decoder over the part of the prompt that ends with the last picture, as far as no reduction looks at its rows.
struct Prefill {
    private let model: any VisionLanguageModel
    /// Rows that the tower takes at once, unless a single tile has more, and rows of a long prompt that are read at once.
    private let rowsAtOnce: Int
    private var features: SharedResults<EncodedTile>
    private var prefixes: SharedResults<PromptPrefix>
    /// Requests that are being read, in groups that are read one after the other.
    private var groups: [[Start]] = []
    /// Beginnings that the second group continues from, and those of them that have been read, however large.
    private var wanted: Set<String> = [], begun: [String: PromptPrefix] = [:]

    /// Remembers at most `sharedBytes` of features and as much of prefixes.
    init(_ model: any VisionLanguageModel, sharedBytes: Int, rowsAtOnce: Int) {
        self.model = model
        self.rowsAtOnce = rowsAtOnce
        features = SharedResults(bound: sharedBytes) {
            $0.features.byteCount + ($0.towerFeatures?.byteCount ?? 0)
        }
        prefixes = SharedResults(bound: sharedBytes) { $0.bytes }
    }

    /// Whether the beginning of a request's prompt has been read.
    func remembers(_ request: GenerationRequest) -> Bool { request.prefixKey.map { prefixes.contains($0) } ?? false }

    /// Requests that are being read.
    var requests: [GenerationRequest] { groups.joined().map(\.request) }

    /// Forgets a request.
    mutating func remove(_ id: UInt64) {
        groups = groups.map { $0.filter { $0.request.id != id } }.filter { !$0.isEmpty }
    }

    /// Forgets all requests, and returns them.
    mutating func removeAll() -> [GenerationRequest] {
        defer { groups = [] }
        return requests
    }

    /// Takes requests, and encodes their pictures; `readOn` does the rest. Nothing else is being read.
    mutating func start(_ requests: [GenerationRequest]) throws {
        precondition(groups.isEmpty, "what is being read comes first")
        // Requests of the second group continue from prefixes that the first group reads, however large these are.
        var first: [Start] = [], second: [Start] = [], read: Set<String> = []
        (wanted, begun) = ([], [:])
        for start in try encode(requests) {
            guard let key = start.request.prefixKey, !prefixes.contains(key), !read.insert(key).inserted else {
                first.append(start)
                continue
            }
            wanted.insert(key)
            second.append(start)
        }
        groups = [first, second].filter { !$0.isEmpty }
    }

    /// A request whose pictures are ready.
    private struct Start {
        let request: GenerationRequest
        let input: DecoderInput
        let reusesFeatures: Bool
        let visionSeconds: Double
        /// What it continues from, and what is left to read; nil before anything was read of its group.
        var prompt: (known: PromptPrefix?, isShared: Bool, unread: UnreadPrompt)?
        /// Seconds that reading took so far.
        var seconds = 0.0
    }

    /// What enters the decoder for the pictures of each request.
    private mutating func encode(_ requests: [GenerationRequest]) throws -> [Start] {
        let clock = ContinuousClock(), start = clock.now
        for request in requests {
            try model.check(request.prompt, request.pictures.map(\.tiling), plan: request.plan)
        }
        let owners = requests.indices.flatMap { request in
            requests[request].pictures.indices.flatMap { picture in
                requests[request].pictures[picture].tiles.indices.map {
                    (request: request, picture: picture, tile: $0)
                }
            }
        }
        let keys = owners.map { owner in
            requests[owner.request].towerKey(owner.picture).map { "tile \(owner.tile) \($0)" }
        }
        let (tiles, isNew) = try features.values(for: keys) { [model, rowsAtOnce] places in
            let rows = model.configuration.vision.patches + 1
            return try places.chunks(of: max(1, rowsAtOnce / rows)).flatMap { places in
                try model.encode(
                    places.map { place in
                        let owner = owners[place]
                        let request = requests[owner.request]
                        return TileRequest(
                            patches: request.pictures[owner.picture].tiles[owner.tile], plan: request.plan,
                            question: request.prompt.question, keepsTower: request.keepsTowerFeatures)
                    })
            }
        }
        let seconds = (clock.now - start) / .seconds(1)
        let share = seconds / Double(max(owners.indices.reduce(0) { $0 + (isNew[$1] ? tiles[$1].flops : 0) }, 1))
        return requests.indices.map { index in
            let own = owners.indices.filter { owners[$0].request == index }, request = requests[index]
            let pictures = request.pictures.indices.map { picture in
                EncodedPicture(
                    own.filter { owners[$0].picture == picture }.map { tiles[$0] },
                    request.pictures[picture].tiling)
            }
            return Start(
                request: request, input: DecoderInput(request.prompt, pictures, plan: request.plan),
                reusesFeatures: !own.isEmpty && !own.contains { isNew[$0] },
                visionSeconds: own.reduce(0) { $0 + (isNew[$1] ? share * Double(tiles[$1].flops) : 0) })
        }
    }

    /// Reads a piece of a prompt that has more rows than are read at once, or the first group to its end: then returns its answers,
    /// ready for their first tokens, with the logits that these are chosen from.
    mutating func readOn() throws -> (answers: [Answer], logits: Tensor)? {
        let clock = ContinuousClock(), start = clock.now
        try openFirst()
        for place in groups[0].indices {
            guard var unread = groups[0][place].prompt?.unread, unread.isDivisible, unread.rows > rowsAtOnce else {
                continue
            }
            try model.readOn(rowsAtOnce, of: &unread)
            groups[0][place].prompt?.unread = unread
            groups[0][place].seconds += (clock.now - start) / .seconds(1)
            return nil
        }
        let ready = try finish(groups[0], since: start)
        groups.removeFirst()
        if groups.isEmpty { (wanted, begun) = ([], [:]) }
        return ready
    }

    /// Finds out what the first group's requests continue from.
    private mutating func openFirst() throws {
        for place in groups[0].indices where groups[0][place].prompt == nil {
            let (request, input) = (groups[0][place].request, groups[0][place].input), key = request.prefixKey
            let known = key.flatMap { begun[$0] ?? prefixes.recall($0) }
            // One that nobody waits for and that is too large to be remembered is not copied.
            let isShared =
                known == nil
                && key.map { wanted.contains($0) || model.prefixBytes(of: input) <= prefixes.bound } ?? false
            let unread = try model.open(input, prefix: known, isShared: isShared, room: request.maxTokens)
            groups[0][place].prompt = (known, isShared, unread)
        }
    }

    /// Reads the prompts of a group to their ends; remembers beginnings that others share.
    private mutating func finish(
        _ group: [Start], since start: ContinuousClock.Instant
    ) throws -> (answers: [Answer], logits: Tensor) {
        let prompts = group.compactMap(\.prompt)
        let (sequences, logits) = try model.finish(prompts.map(\.unread))
        for (place, prompt) in prompts.enumerated() where prompt.isShared {
            guard let key = group[place].request.prefixKey else { continue }
            let prefix = model.prefix(of: sequences[place])
            prefixes.remember(prefix, key)
            if wanted.contains(key) { begun[key] = prefix }
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let flops = zip(sequences, prompts).map { $0.prefillFLOPs - ($1.known?.flops ?? 0) }
        let share = seconds / Double(max(flops.reduce(0, +), 1))
        let answers = group.indices.map { place in
            let answer = Answer(
                group[place].request, group[place].input, sequences[place],
                reusedFeatures: group[place].reusesFeatures, reusedPrefix: prompts[place].known != nil)
            answer.seconds.vision = group[place].visionSeconds
            answer.seconds.prefill = group[place].seconds + share * Double(flops[place])
            return answer
        }
        return (answers, logits)
    }
}

extension GenerationRequest {
    /// Equal keys mean that the decoder sees the same rows up to the last picture's last; nil if they may not be shared.
    ///
    /// A reduction inside the decoder looks at the whole prompt: what is shared then ends before its first layer.
    var prefixKey: String? {
        guard !pictures.isEmpty, plan.undisturbedLayers(of: .languageModel) > 0, !prompt.after.isEmpty else {
            return nil
        }
        var key = ""
        for part in prompt.beginning {
            switch part {
            case .text(let ids): key += "\(ids) "
            case .picture(let picture):
                guard let own = towerKey(picture) else { return nil }
                key += "\(own.utf8.count) \(own) "
            }
        }
        return key
    }

    /// Equal keys mean that tower, projector and what reduces there give the same: the question counts where it is read.
    fileprivate func towerKey(_ picture: Int) -> String? {
        let key = pictures[picture].key
        guard plan.readsQuestion, let question = prompt.question else { return key }
        return key.map { "\($0.utf8.count) \($0) \(question)" }
    }
}

extension Array {
    /// The elements in runs of at most `count`.
    fileprivate func chunks(of count: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: self.count, by: count).map { self[$0..<Swift.min($0 + count, self.count)] }
    }
}
