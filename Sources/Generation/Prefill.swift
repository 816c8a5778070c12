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

    /// Answers that are ready for their first token, and the logits it is chosen from.
    mutating func start(_ requests: [GenerationRequest]) throws -> (answers: [Answer], logits: Tensor) {
        let clock = ContinuousClock(), start = clock.now
        let (pictures, isNew) = try features.values(for: requests.map(\.towerKey)) { [model, rowsAtOnce] places in
            let rows = model.configuration.vision.patches + 1
            return try places.chunks(of: max(1, rowsAtOnce / rows)).flatMap {
                try Self.pictures($0.map { requests[$0] }, model)
            }
        }
        let encoded = clock.now
        let beginnings = try beginnings(requests, pictures)
        let (sequences, logits) = try model.prefill(
            requests.map(\.prompt), pictures, prefixes: beginnings.map { $0?.prefix }, room: requests.map(\.maxTokens))
        let read = clock.now

        let answers = requests.indices.map { place in
            Answer(
                requests[place], pictures[place], sequences[place], reusedFeatures: !isNew[place],
                reusedPrefix: beginnings[place].map { !$0.isNew } ?? false)
        }
        let tower = requests.indices.map { isNew[$0] ? pictures[$0].flops : 0 }
        let decoder = requests.indices.map { place in
            sequences[place].prefillFLOPs - (beginnings[place].map { $0.isNew ? 0 : $0.prefix.flops } ?? 0)
        }
        for (place, answer) in answers.enumerated() {
            answer.seconds.vision = Self.share(of: place, in: tower) * ((encoded - start) / .seconds(1))
            answer.seconds.prefill = Self.share(of: place, in: decoder) * ((read - encoded) / .seconds(1))
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

    /// The prefix of each request that has one: where another request has the same, now or lately.
    private mutating func beginnings(
        _ requests: [GenerationRequest], _ pictures: [LLaVA.EncodedPicture]
    ) throws -> [(prefix: LLaVA.Prefix, isNew: Bool)?] {
        let keys = requests.map(\.prefixKey)
        let counts = Dictionary(keys.compactMap(\.self).map { ($0, 1) }, uniquingKeysWith: +)
        let places = keys.indices.filter { place in
            keys[place].map { counts[$0, default: 0] > 1 || prefixes.contains($0) } ?? false
        }
        var found = [(prefix: LLaVA.Prefix, isNew: Bool)?](repeating: nil, count: requests.count)
        let (values, isNew) = try prefixes.values(for: places.map { keys[$0] }) { [model] missing in
            let missing = missing.map { places[$0] }
            return try model.readPrefixes(missing.map { requests[$0].prompt }, missing.map { pictures[$0] })
        }
        for (index, place) in places.enumerated() { found[place] = (values[index], isNew[index]) }
        return found
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
