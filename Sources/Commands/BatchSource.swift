public import ArgumentParser
import Foundation
public import JobModel
public import JobVocabulary
import TokenReduction
import VisionLanguage

/// Names a batch: by a batch file, by options, or by a file and options that take the place of its values.
struct BatchSource: ParsableArguments {
    /// For the help of commands that take a batch.
    static let discussion = """
        A batch is a file (winnow init writes one), or needs none: --model with --images or --items. Items are the pictures in \
        a folder and below, with one --prompt for all; a CSV file with the header image,prompt[,id,answers,max_tokens,…]; JSON \
        lines; or requests of OpenAI's Batch API. Beside a batch file, options stand in the place of what it says.
        """

    @Argument(
        help: "The batch file, such as Jobs/demo.yaml; none if --model and --images or --items say everything.",
        completion: .file(extensions: ["yaml", "yml"]))
    var batch: String?

    @Option(help: "The checkpoint folder.", completion: .directory)
    var model: String?

    @Option(
        help: """
            The folder of pictures: its pictures are the items, or with --items the items' image paths start from it.
            """, completion: .directory)
    var images: String?

    @Option(
        help: "A folder of pictures, a CSV file, JSON lines, or requests of OpenAI's Batch API.", completion: .file())
    var items: String?

    @Option(help: "The prompt of every item that has none of its own.")
    var prompt: String?

    @OptionGroup var reduction: MethodOptions

    @Option(help: "The text around the prompt: hf, …, or none; default: vicuna_v1.")
    var template: PromptTemplate?

    @Option(help: "<image> in a prompt, under a template: place (a picture goes there) or text (ordinary text).")
    var imageTag: ImageTag?

    @Option(help: "How a picture becomes square: crop or pad; default: what the checkpoint says.")
    var imageMode: PictureFraming?

    @Option(
        help: """
            Which way up a picture is read: exif, as a viewer shows it, or as-stored; exif unless the batch file says otherwise.
            """)
    var orientation: PictureOrientation?

    @Option(help: "The folder of the CLIP model, for original LLaVA checkpoints and methods that read the question.")
    var visionTower: String?

    @Option(help: "Longest answer, in tokens; default: 64.")
    var maxTokens: Int?

    @Option(help: "0 is greedy; above 0, tokens are sampled.")
    var temperature: Double?

    @Option(
        help: "How weights are kept: auto, f32, bf16, f16, int8, w8a8 or int4; default: the batch file's choice.")
    var weights: BatchDescription.Weights?

    @Option(help: "Visual features to store: projected, tower or none; default: the batch file's choice.")
    var features: BatchDescription.Features?

    @Option(help: "What to store of each visual token: full, indices or none; default: the batch file's choice.")
    var trace: StoredTrace?

    func validate() throws {
        try refuseEmptyPaths([
            ("the batch file's path", batch), ("--model", model), ("--images", images), ("--items", items),
            ("--vision-tower", visionTower),
        ])
        guard batch != nil || images != nil || items != nil else {
            throw ValidationError("give a batch file, or --model with --images or --items")
        }
        guard batch != nil || model != nil else {
            throw ValidationError("without a batch file, --model says which checkpoint answers")
        }
    }

    /// The batch, checked; says on standard error what is left out and what cannot be read.
    ///
    /// - Parameters:
    ///   - name: The batch's name if there is no batch file.
    ///   - trustsPaths: Whether what is not on this machine is left to the workers to check.
    func load(named name: String? = nil, trustsPaths: Bool = false) throws -> BatchFile {
        try BatchPreflight.load(batch, changing: changes(named: name), trustsPaths: trustsPaths)
    }

    private func changes(named name: String?) throws -> BatchChanges {
        func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }
        var changes = BatchChanges()
        if batch == nil { changes.name = name }
        changes.model = model.map(absolute)
        changes.visionTower = visionTower.map(absolute)
        changes.images = images.map(absolute)
        changes.items = items.map(absolute)
        changes.prompt = prompt
        changes.method = try reduction.changes()
        changes.set(\.template, to: template)
        changes.set(\.imageTag, to: imageTag)
        changes.set(\.imageMode, to: imageMode)
        changes.set(\.orientation, to: orientation)
        changes.set(\.generation.maxTokens, to: maxTokens)
        changes.set(\.generation.temperature, to: temperature)
        changes.set(\.weights, to: weights)
        changes.set(\.features, to: features)
        changes.set(\.trace, to: trace)
        return changes
    }
}

extension MethodOptions {
    /// The changes to a batch's method that the options ask for.
    fileprivate func changes() throws -> BatchChanges.Method {
        BatchChanges.Method(
            name: isNamed ? method : nil, keep: keep, fromLayer: fromLayer, options: try options())
    }
}

extension BatchDescription.Features: ExpressibleByArgument {}
extension StoredTrace: ExpressibleByArgument {}
extension BatchDescription.Weights: ExpressibleByArgument {}
extension PictureOrientation: ExpressibleByArgument {}
