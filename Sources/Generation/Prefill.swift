internal import JobVocabulary
import Tensors
import TokenReduction
import VisionLanguage

/// Reads prompts, with everything done once that several of them share: the tower for one picture and reduction, and the
/// decoder over the part of the prompt that ends with the last picture, as far as no reduction looks at its rows.
struct Prefill {
    private let model: any VisionLanguageModel
    /// Rows of tiles that the tower takes at once, unless a single tile has more.
    private let rowsAtOnce: Int
    private var features: SharedResults<EncodedTile>
    private var prefixes: SharedResults<PromptPrefix>

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

    /// Answers that are ready for their first token, in groups with the logits that it is chosen from.
    mutating func start(_ requests: [GenerationRequest]) throws -> [(answers: [Answer], logits: Tensor)] {
        let starts = try encode(requests)
        // Requests of the second group continue from prefixes that the first group reads, however large these are.
        var first: [Start] = [], second: [Start] = [], read: Set<String> = [], wanted: Set<String> = []
        for start in starts {
            guard let key = start.request.prefixKey, !prefixes.contains(key), !read.insert(key).inserted else {
                first.append(start)
                continue
            }
            wanted.insert(key)
            second.append(start)
        }
        var begun: [String: PromptPrefix] = [:]
        return try [first, second].filter { !$0.isEmpty }.map { try self.read($0, &begun, keeping: wanted) }
    }

    /// A request whose pictures are ready.
    private struct Start {
        let request: GenerationRequest
        let input: DecoderInput
        let reusesFeatures: Bool
        let visionSeconds: Double
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

    /// Reads prompts, or what follows a beginning that is remembered or among those `begun`; remembers the others' beginnings,
    /// and adds those that are `wanted` to `begun`.
    private mutating func read(
        _ starts: [Start], _ begun: inout [String: PromptPrefix], keeping wanted: Set<String>
    ) throws -> (answers: [Answer], logits: Tensor) {
        let clock = ContinuousClock(), start = clock.now
        let keys = starts.map(\.request.prefixKey)
        let known = keys.map { $0.flatMap { begun[$0] ?? prefixes.recall($0) } }
        // One that nobody waits for and that is too large to be remembered is not copied.
        let shares = starts.indices.map { place in
            guard known[place] == nil, let key = keys[place] else { return false }
            return wanted.contains(key) || model.prefixBytes(of: starts[place].input) <= prefixes.bound
        }
        let (sequences, logits) = try model.prefill(
            starts.map(\.input), prefixes: known, shares: shares, room: starts.map(\.request.maxTokens))
        for (place, key) in keys.enumerated() where shares[place] {
            guard let key else { continue }
            let prefix = model.prefix(of: sequences[place])
            prefixes.remember(prefix, key)
            if wanted.contains(key) { begun[key] = prefix }
        }
        let seconds = (clock.now - start) / .seconds(1)
        let flops = starts.indices.map { sequences[$0].prefillFLOPs - (known[$0]?.flops ?? 0) }
        let share = seconds / Double(max(flops.reduce(0, +), 1))
        let answers = starts.indices.map { place in
            let answer = Answer(
                starts[place].request, starts[place].input, sequences[place],
                reusedFeatures: starts[place].reusesFeatures, reusedPrefix: known[place] != nil)
            answer.seconds.vision = starts[place].visionSeconds
            answer.seconds.prefill = share * Double(flops[place])
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
