import ArgumentParser
import Foundation
import Generation
import ImageDecoding
import JobModel
import JobVocabulary
import Tensors
import TokenReduction
import Tokenization
import VisionLanguage

/// `winnow answer`: one prompt, with pictures or text-only.
struct AnswerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "answer", abstract: "Answer one prompt, with pictures or text-only, and print the answer.")

    @Option(help: "The checkpoint folder.")
    var model: String

    @Option(
        help: """
            The folder of the CLIP model: for original LLaVA checkpoints, which lack a vision tower, and for methods that read \
            the question with its text tower.
            """)
    var visionTower: String?

    @Option(help: "A picture: JPEG, PNG, WebP or GIF; may be repeated. Without one, the prompt is text-only.")
    var image: [String] = []

    @Option(help: "The instruction; with --template none the whole prompt, with an <image> for each picture.")
    var prompt: String

    @Option(help: "The text around the instruction: the name of a template, such as vicuna_v1, or none.")
    var template = PromptTemplate.vicunaV1

    @Option(
        help: "<image> in the prompt, under a template: place (a picture goes there) or text (ordinary text).")
    var imageTag: ImageTag?

    @Option(
        help: """
            How a picture becomes square: crop or pad; default: what the checkpoint says, or else crop. No effect on \
            LLaVA-NeXT.
            """)
    var imageMode: PictureFraming?

    @Option(help: "Which way up a picture is read: exif, as a viewer shows it, or as-stored.")
    var orientation = PictureOrientation.exif

    @OptionGroup var reduction: MethodOptions

    @Option(help: "Longest answer, in tokens.")
    var maxTokens = 64

    @Option(help: "0 is greedy; above 0, tokens are sampled.")
    var temperature = 0.0

    @Option(help: "Sample from the most probable tokens that together reach this probability.")
    var topP = 1.0

    @Option(help: "Seed of the sampling.")
    var seed: UInt64 = 0

    @Option(help: "A text that ends the answer; may be repeated.")
    var stop: [String] = []

    @OptionGroup var arithmetic: ArithmeticOptions

    @Option(help: "How to print: table (the text alone) or json.")
    var output = OutputFormat.table

    func validate() throws {
        try reduction.checkBudget()
        try refuseEmptyPaths([("--model", model), ("--vision-tower", visionTower)] + image.map { ("--image", $0) })
        guard !stop.contains("") else { throw ValidationError("--stop is empty, which every answer holds") }
        guard maxTokens >= 1 else { throw ValidationError("--max-tokens must be at least 1") }
        guard temperature >= 0, temperature.isFinite else { throw ValidationError("--temperature must be 0 or more") }
        guard topP > 0, topP <= 1 else { throw ValidationError("--top-p must be above 0 and at most 1") }
    }

    func run() throws {
        let clock = ContinuousClock(), start = clock.now
        let loader = try arithmetic.loader(ModelFolder(directory: model, visionTower: visionTower))
        let configuration = loader.folder.configuration
        let plan = try ReductionPlan(
            method: reduction.method, keep: reduction.keep, fromLayer: reduction.fromLayer,
            options: reduction.options(),
            model: configuration.depth)
        if plan.readsQuestion { _ = try CLIPFolder(of: model, visionTower: visionTower) }
        let processor = try loader.processor()
        let prompt = try processor.prompt(prompt, template: template, tag: imageTag, pictures: image.count)
        let pictures = try image.map { path in
            GenerationRequest.Picture(
                try processor.prepare(path: path, framing: imageMode, orientation: orientation), key: nil)
        }
        try loader.sharesHere()
        let network = try loader.load(threads: arithmetic.threads)
        let loaded = clock.now
        let engine = Engine(model: network, tokenizer: processor.tokenizer, capacity: 1)
        engine.admit(
            GenerationRequest(
                id: 0, prompt: prompt, pictures: pictures, plan: plan,
                sampling: Sampling(temperature: temperature, topP: topP, seed: seed), maxTokens: maxTokens, stop: stop))
        var ended: [Engine.Ended] = []
        while ended.isEmpty { ended = try engine.step() }
        let result = try ended[0].result.get()
        switch output {
        case .table, .quiet: print(result.text)
        case .json:
            try printJSON(
                AnswerReport(
                    result,
                    promptTokenIDs: prompt.expanded(
                        imageToken: configuration.imageToken,
                        rows: pictures.map { configuration.rows(of: $0.tiling) }),
                    backend: network.backend.name, weights: loader.weights.rawValue,
                    loadSeconds: (loaded - start) / .seconds(1)))
        }
    }
}

/// An answer as JSON.
private struct AnswerReport: Encodable {
    struct Timings: Encodable {
        let load, vision, reduce, prefill, decode: Double
    }

    struct FLOPs: Encodable {
        let vision, projector, prefill, decode, total: Int
    }

    let text: String
    /// As transformers' processor writes them: one image token for each row of a picture before reduction.
    let promptTokenIds: [Int]
    let tokenIds: [Int]
    /// Visual tokens left at the end of the reduction.
    let visualTokens: Int
    /// Visual tokens that entered the decoder.
    let visualTokensDelivered: Int
    let finishReason: String
    let backend: String
    /// How the decoder's weights are stored.
    let weights: String
    /// How long each stage took, in seconds.
    let timings: Timings
    let flops: FLOPs

    init(
        _ result: GenerationResult, promptTokenIDs: [Int], backend: String, weights: String, loadSeconds: Double
    ) {
        text = result.text
        promptTokenIds = promptTokenIDs
        tokenIds = result.tokenIDs
        visualTokens = result.trace.kept.count
        visualTokensDelivered = result.features.rows
        finishReason = result.finishReason.rawValue
        self.backend = backend
        self.weights = weights
        timings = Timings(
            load: loadSeconds, vision: result.seconds.vision, reduce: result.seconds.reduce,
            prefill: result.seconds.prefill, decode: result.seconds.decode)
        flops = FLOPs(
            vision: result.flops.vision, projector: result.flops.projector, prefill: result.flops.prefill,
            decode: result.flops.decode, total: result.flops.total)
    }
}
