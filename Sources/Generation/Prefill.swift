import Tensors
import TokenReduction
import VisionLanguage

/// Reads prompts, with everything done once that several of them share: the tower for one picture and reduction, and the
/// decoder over the part of the prompt that ends with the picture, as far as no reduction looks at its rows.
struct Prefill {
    private let model: LLaVA
    /// Rows of pictures that the tower takes at once, unless a single picture has more.
    private let rowsAtOnce: Int
    private var features: SharedResults<LLaVA.EncodedPicture>
    private var prefixes: SharedResults<LLaVA.Prefix>

    /// Remembers at most `sharedBytes` of features and as much of prefixes.
    init(_ model: LLaVA, sharedBytes: Int, rowsAtOnce: Int) {
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
        let clock = ContinuousClock(), start = clock.now
        let (pictures, isNew) = try features.values(for: requests.map(\.towerKey)) { [model, rowsAtOnce] places in
            let rows = model.configuration.vision.patches + 1
            return try places.chunks(of: max(1, rowsAtOnce / rows)).flatMap {
                try Self.pictures($0.map { requests[$0] }, model)
            }
        }
        let seconds = (clock.now - start) / .seconds(1)
        let tower = requests.indices.map { isNew[$0] ? pictures[$0].flops : 0 }
        let starts = requests.indices.map { place in
            Start(
                request: requests[place], picture: pictures[place], reusesFeatures: !isNew[place],
                visionSeconds: Self.share(of: place, in: tower) * seconds)
        }
        // Those whose beginning the first ones read go on from there.
        var keys: Set<String> = []
        let isFirst = requests.map { request in
            request.prefixKey.map { prefixes.contains($0) || keys.insert($0).inserted } ?? true
        }
        let groups = [true, false].map { first in starts.indices.filter { isFirst[$0] == first }.map { starts[$0] } }
        return try groups.filter { !$0.isEmpty }.map { try read($0) }
    }

    /// A request whose picture is ready.
    private struct Start {
        let request: GenerationRequest
        let picture: LLaVA.EncodedPicture
        let reusesFeatures: Bool
        let visionSeconds: Double
    }

    /// Reads prompts, or what follows a beginning that is remembered; remembers the others' beginnings.
    private mutating func read(_ starts: [Start]) throws -> (answers: [Answer], logits: Tensor) {
        let clock = ContinuousClock(), start = clock.now
        let keys = starts.map(\.request.prefixKey)
        let known = keys.map { $0.flatMap { prefixes.recall($0) } }
        // One that is too large to be remembered is not copied.
        let shares = starts.indices.map { place in
            known[place] == nil && keys[place] != nil
                && starts[place].request.prefixRows(starts[place].picture) * model.cacheBytesPerRow <= prefixes.bound
        }
        let (sequences, logits) = try model.prefill(
            starts.map(\.request.prompt), starts.map(\.picture), prefixes: known, shares: shares,
            room: starts.map(\.request.maxTokens))
        for place in starts.indices where shares[place] {
            guard let key = keys[place] else { continue }
            prefixes.remember(model.prefix(of: sequences[place], starts[place].picture), key)
        }
        let seconds = (clock.now - start) / .seconds(1)
        let flops = starts.indices.map { sequences[$0].prefillFLOPs - (known[$0]?.flops ?? 0) }
        let answers = starts.indices.map { place in
            let answer = Answer(
                starts[place].request, starts[place].picture, sequences[place],
                reusedFeatures: starts[place].reusesFeatures, reusedPrefix: known[place] != nil)
            answer.seconds.vision = starts[place].visionSeconds
            answer.seconds.prefill = Self.share(of: place, in: flops) * seconds
            return answer
        }
        return (answers, logits)
    }

    /// What enters the decoder for the picture of each request.
    private static func pictures(
        _ requests: [GenerationRequest], _ model: LLaVA
    ) throws -> [LLaVA.EncodedPicture] {
        let asking = requests.filter { $0.patches != nil }
        guard !asking.isEmpty else { return requests.map { _ in model.withoutPicture() } }
        var encoded = try model.encode(
            asking.compactMap(\.patches), plans: asking.map(\.plan), questions: asking.map(\.prompt.question),
            keepingTower: asking.contains(where: \.keepsTowerFeatures)
        )[...]
        return requests.map { $0.patches == nil ? model.withoutPicture() : encoded.removeFirst() }
    }

    private static func share(of place: Int, in flops: [Int]) -> Double {
        Double(flops[place]) / Double(max(flops.reduce(0, +), 1))
    }
}

extension GenerationRequest {
    /// Equal keys mean that the decoder sees the same rows up to the picture's last; nil where they may not be shared.
    ///
    /// A reduction inside the decoder looks at the whole prompt: what is shared then ends before its first layer.
    var prefixKey: String? {
        guard plan.undisturbedLayers(of: .languageModel) > 0, !prompt.after.isEmpty else { return nil }
        return towerKey.map { "\(prompt.before) \($0)" }
    }

    /// Rows up to the picture's last.
    fileprivate func prefixRows(_ picture: LLaVA.EncodedPicture) -> Int { prompt.before.count + picture.features.rows }

    /// Equal keys mean that tower, projector and what reduces there give the same: the question counts where it is read.
    fileprivate var towerKey: String? {
        guard plan.readsQuestion, let question = prompt.question else { return featureKey }
        return featureKey.map { "\($0.utf8.count) \($0) \(question)" }
    }
}

extension Array {
    /// The elements in runs of at most `count`.
    fileprivate func chunks(of count: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: self.count, by: count).map { self[$0..<Swift.min($0 + count, self.count)] }
    }
}
