internal import JobVocabulary
internal import Yams

extension BatchDescription {
    /// Every key of a batch file that describes the batch, in the order in which it is written.
    static let keys: [BatchKey<BatchDescription>] = [
        .readApart("name") { .text($0.name) },
        .readApart("model") { .text($0.model) },
        .readApart("vision_tower") { $0.visionTower.map { .text($0) } },
        .readApart("items") { .text($0.items) },
        .readApart("images") { .text($0.images) },
        .readApart("prompt") { $0.prompt.map { .text($0) } },
        .readApart("results") { .text($0.results) },
        .readApart("method") { $0.method.node },
        .choice("template", \.template),
        .choice("image_tag", \.imageTag),
        .choice("image_mode", \.imageMode),
        .choice("orientation", \.orientation),
        .choice("precision", \.precision),
        .choice("weights", \.weights),
        .group("generation", \.generation, Generation.keys),
        .choice("features", \.features),
        .choice("trace", \.trace),
        .group("queue", \.queue, QueueOptions.keys),
        .group("run", \.run, Run.keys),
    ]

    /// Keys that do not change results: what a batch is called, where things are, what is asked (items are compared by
    /// themselves), how it is queued, and on how many workers it runs.
    private static let neutral: Set = ["name", "items", "prompt", "results", "queue", "run"]

    /// What would make results differ from those of another description, as `model: a → b`.
    public func differences(from other: BatchDescription) -> [String] {
        Self.keys.filter { !Self.neutral.contains($0.name) }.flatMap {
            Node.differences($0.name, from: $0.write(other), to: $0.write(self))
        }
    }

    /// The description as a batch file with every default filled in: loading it gives the same description.
    public func yaml() throws(JobModelError) -> String {
        do {
            return try Yams.serialize(node: .mapping(Self.keys, of: self), allowUnicode: true)
        } catch {
            throw JobModelError(
                .badDescription, "The description of batch '\(name)' cannot be written as YAML: \(error)")
        }
    }
}

extension BatchDescription.Method {
    /// Its options stand beside the keys that every method has.
    fileprivate var node: Node {
        var pairs: [(Node, Node)] = [(.plain("name"), .text(name))]
        if let keep { pairs.append((.plain("keep"), .plain(keep))) }
        if let fromLayer { pairs.append((.plain("from_layer"), .plain(fromLayer))) }
        return Node(pairs + options.sorted { $0.key < $1.key }.map { (.text($0.key), .text($0.value)) })
    }
}

extension BatchDescription.Generation {
    /// What `max_tokens` may be, in a file and as an option.
    static let answerLengths = 1...1_000_000

    fileprivate static let keys: [BatchKey<Self>] = [
        .integer("max_tokens", \.maxTokens, answerLengths),
        .number("temperature", \.temperature, "0 or more") { $0 >= 0 },
        .number("top_p", \.topP, "above 0 and at most 1") { $0 > 0 && $0 <= 1 },
        .integer("seed", \.seed, 0...UInt64.max),
        .texts("stop", \.stop),
    ]
}

extension BatchDescription.Run {
    fileprivate static let keys: [BatchKey<Self>] = [
        .integer("workers", \.workers, 1...256),
        .integer("threads", \.threads, 1...1024),
    ]
}

extension QueueOptions {
    fileprivate static let keys: [BatchKey<Self>] = [
        .integer("priority", \.priority, Int32.min...Int32.max),
        .words("labels", \.labels),
        .value("max_fails", \.maxFails, "a number such as 100 or a share such as 3%"),
        .integer("retries", \.retries, 0...1000),
        .integer("crash_limit", \.crashLimit, 1...1000),
        .value("timeout", \.timeout, "a time such as 10m, or 300% of the median"),
        .flag("second_runs", \.secondRuns),
    ]
}
