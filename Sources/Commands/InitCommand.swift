import ArgumentParser
import Foundation
import JobModel
import TokenReduction

/// `winnow init`: a batch file to begin with.
struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Write a commented batch file for a folder of pictures or a file of items.",
        discussion: """
            The file names every key that people change, with its default. What is given as an option stands in it; 'winnow run' \
            and 'winnow submit' take the same options without a file as well.
            """)

    @Argument(help: "A folder of pictures, a CSV file, JSON lines, or requests of OpenAI's Batch API.")
    var items: String

    @Option(help: "The checkpoint folder.", completion: .directory)
    var model: String?

    @Option(help: "The prompt of every item that has none of its own.")
    var prompt: String?

    @OptionGroup var reduction: MethodOptions

    @Option(help: "The text around the prompt: hf, …, or none.")
    var template = PromptTemplate.vicunaV1

    @Option(help: "How weights are kept: auto, f32, bf16, f16, int8, w8a8 or int4.")
    var weights = BatchDescription.Weights.auto

    @Option(help: "Longest answer, in tokens.")
    var maxTokens = 64

    @Option(
        help: "The folder that image paths in a file of items start from; default: the folder of that file.",
        completion: .directory)
    var images: String?

    @Option(help: "The file to write; default: the items' name with the ending .yaml, in this folder.")
    var out: String?

    @Flag(help: "Replace a file of that name.")
    var force = false

    @Option(help: "How to print: table, json (one value) or quiet (the file).")
    var output = OutputFormat.table

    func validate() throws {
        try reduction.checkBudget()
        guard (1...1_000_000).contains(maxTokens) else {
            throw ValidationError("--max-tokens must be from 1 to 1000000")
        }
    }

    func run() throws {
        let method = try method()
        let path = Self.absolute(items), name = BatchName.derived(from: path)
        let isFolder = JobModel.isFolder(path)
        let root = images.map(Self.absolute) ?? (isFolder ? path : Self.folder(of: path))
        let question = prompt ?? (isFolder ? "Describe the picture." : nil)
        let source = ItemSource(path: path, images: root, prompt: question)
        let count = try Self.count(source)
        BatchPreflight.tell(of: try Self.checking { try source.leftOut() })
        let file = Self.absolute(out ?? "\(name).yaml")
        guard force || !FileManager.default.fileExists(atPath: file) else {
            throw CommandFailure(
                ExitCodes.usage, "\(file) exists already; name another file with --out, or replace it with --force")
        }
        let text = BatchFileText(
            name: BatchName.derived(from: file), model: model.map { Self.relative(Self.absolute($0), to: file) },
            items: Self.relative(path, to: file), images: isFolder ? nil : Self.relative(root, to: file),
            prompt: question, method: method, template: template, weights: weights, maxTokens: maxTokens,
            isFolder: isFolder)
        try OutputFile(file).write(Data(text.text.utf8))
        struct Report: Encodable {
            let file: String
            let items: Int
        }
        let next = "winnow run \(Self.relative(file, to: FileManager.default.currentDirectoryPath + "/x"))"
        try output.show(
            Report(file: file, items: count),
            table: "\(file): \(counted(count, "item")). "
                + (model == nil ? "Set 'model' in it, then: " : "Next: ") + next,
            quiet: file)
    }

    /// The method as it stands in a batch file, checked as far as it can be without the model.
    private func method() throws -> String {
        let options = try reduction.options()
        _ = try MethodCatalogue.method(named: reduction.method, options: options)
        guard reduction.keep != nil || reduction.fromLayer != nil || !options.isEmpty else { return reduction.method }
        let pairs =
            [("name", reduction.method)]
            + [("keep", reduction.keep), ("from_layer", reduction.fromLayer)].compactMap {
                name, value in value.map { (name, "\($0)") }
            } + options.sorted { $0.key < $1.key }.map { ($0.key.asJSON, $0.value.asJSON) }
        return "{\(pairs.map { "\($0): \($1)" }.joined(separator: ", "))}"
    }

    /// The number of items; throws the first that cannot be made out.
    private static func count(_ source: ItemSource) throws -> Int {
        try checking {
            var lines = try ItemLines(source), count = 0
            while let line = try lines.next() {
                if let problem = line.problem {
                    let place = source.path + (line.number.map { ":\($0)" } ?? "")
                    throw CommandFailure(ExitCodes.usage, "\(place): \(problem)")
                }
                count += 1
            }
            return count
        }
    }

    private static func checking<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let problems as ManifestProblems {
            throw CommandFailure(ExitCodes.usage, "\(problems)")
        }
    }

    private static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }

    private static func folder(of path: String) -> String {
        URL(fileURLWithPath: path).deletingLastPathComponent().path
    }

    /// The path as `file` may name it: relative if it lies in the file's folder or below.
    private static func relative(_ path: String, to file: String) -> String {
        let folder = folder(of: file)
        if path == folder { return "." }
        let root = folder.hasSuffix("/") ? folder : folder + "/"
        return path.hasPrefix(root) ? String(path.dropFirst(root.count)) : path
    }
}

/// The text of a batch file that explains itself.
private struct BatchFileText {
    let name: String
    let model: String?
    let items: String
    let images: String?
    let prompt: String?
    let method: String
    let template: PromptTemplate
    let weights: BatchDescription.Weights
    let maxTokens: Int
    let isFolder: Bool

    var text: String {
        """
        # A batch: 'winnow run' runs it on this machine, 'winnow submit' hands it to a coordinator. Relative paths start from the
        # folder of this file. All keys: Jobs/README.md in the sources of Winnow.
        name: \(quoted(name))

        # The checkpoint folder, or a packed model (winnow model pack)\(model == nil ? ": put yours here" : "").
        model: \(quoted(model ?? "/path/to/llava-1.5-7b-hf"))

        # \(isFolder ? "The pictures in this folder and below are the items, their paths the ids." : "The items.")
        items: \(quoted(items))
        \(images.map { "# What the items' image paths start from.\nimages: \(quoted($0))\n" } ?? "")
        # The prompt of every item that has none of its own.
        \(prompt.map { "prompt: \(quoted($0))" } ?? "#prompt: \"Describe the picture.\"")

        # The results go here, of this batch alone.
        results: \(quoted("results/\(name)"))

        # Visual tokens that the model reads of each picture; 'winnow methods' lists the methods. To keep 192 of 576:
        #   method: {name: ficoco-v, keep: 192}
        method: \(method)

        # The text around the prompt that the model was trained on: vicuna_v1, hf, mistral_instruct, llava_llama_3, …
        template: \(template.rawValue)

        # Which way up a picture is read: exif, as a viewer shows it, or as-stored.
        orientation: exif

        # How weights are kept in memory: auto (as stored), f32, bf16, f16, int8, w8a8 or int4.
        weights: \(weights.rawValue)

        generation:
          max_tokens: \(maxTokens)
          # 0 always takes the most probable token.
          temperature: 0

        # What is stored beside the answers. Visual features: projected, tower or none; what became of each visual token: full,
        # indices or none.
        features: projected
        trace: full

        # Worker processes of 'winnow run'.
        run:
          workers: 1

        """
    }

    /// A text that YAML reads as it is: a JSON text is one.
    private func quoted(_ text: String) -> String { text.asJSON }
}
