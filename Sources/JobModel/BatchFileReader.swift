internal import Foundation
internal import JobVocabulary
internal import Yams

/// Turns the YAML of a batch file into its description and collects what is wrong on the way.
struct BatchFileReader {
    static let keys = [
        "name", "model", "vision_tower", "items", "images", "prompt", "results", "method", "template",
        "image_tag", "image_mode", "orientation", "precision", "weights", "generation", "features", "trace", "queue",
        "run",
    ]

    /// What problems call the file.
    let file: String
    /// What relative paths start from.
    let folder: URL
    /// The name of a batch that has none of its own.
    let fallbackName: String
    /// Values that take the place of the file's.
    let changes: BatchChanges
    let methods: [String]?
    /// Why a file cannot be read as a picture; nil where nothing speaks against it.
    let pictureTrouble: ((String) -> String?)?
    var problems: ManifestProblems

    /// The batch; throws everything that is wrong with it.
    ///
    /// - Parameter root: The batch file; nil if there is none.
    consuming func checked(_ root: Node?) throws(ManifestProblems) -> BatchFile {
        let found = read(root)
        guard problems.isEmpty, let found else { throw problems }
        return found
    }

    /// The batch, where its required keys are usable; it counts only if no problem was added.
    private mutating func read(_ root: Node?) -> BatchFile? {
        let top =
            root.map { YAMLSection($0, file: file, known: Self.keys, &problems) } ?? YAMLSection(absentFrom: file)
        let name = readName(top)
        let model = readModel(top)
        let tower = readTower(top)
        let given = readItems(top)
        let images = readImages(top, items: given)
        let prompt = readPrompt(top)
        let results = top.text("results", &problems).map(absolute) ?? absolute("results/\(name)")
        let method = readMethod(top)
        let generation = readGeneration(top)
        let queue = readQueue(top)
        let run = readRun(top)
        let template = changes.template ?? top.choice("template", PromptTemplate.self, &problems) ?? .vicunaV1
        let imageTag = readImageTag(top, template)
        let imageMode = changes.imageMode ?? top.choice("image_mode", PictureFraming.self, &problems)
        let orientation = changes.orientation ?? top.choice("orientation", PictureOrientation.self, &problems)
        let precision = top.choice("precision", BatchDescription.Precision.self, &problems)
        let weights = changes.weights ?? top.choice("weights", BatchDescription.Weights.self, &problems)
        let features = changes.features ?? readFeatures(top)
        let trace = changes.trace ?? top.choice("trace", StoredTrace.self, &problems)
        guard let items = given, changes.images.map(isFolder) ?? true else { return nil }
        let source = ItemSource(path: items, images: images, prompt: prompt)
        let count = ItemsCheck(
            source: source, tags: ImageTags(template: template, meaning: imageTag), trouble: pictureTrouble
        ).run(&problems)
        guard let model else { return nil }
        var batch = BatchFile(
            description: BatchDescription(
                name: name, model: model, visionTower: tower, items: items, images: images, prompt: prompt,
                results: results, method: method, template: template, imageTag: imageTag, imageMode: imageMode,
                orientation: orientation ?? .exif, precision: precision ?? .auto, weights: weights ?? .auto,
                generation: generation, features: features ?? .projected, trace: trace ?? .full, queue: queue),
            run: run, itemCount: count.items, picturedItemCount: count.pictured,
            pictureCount: count.pictures, mostPictures: count.most.pictures, lineOfMostPictures: count.most.line,
            unreadablePictures: count.unreadable)
        batch.leftOut = (try? source.leftOut()) ?? LeftOutFiles()
        return batch
    }

    private func absolute(_ path: String) -> String {
        URL(fileURLWithPath: path, relativeTo: folder).standardizedFileURL.path
    }

    private mutating func required(_ key: String, _ section: YAMLSection) -> String? {
        if !section.has(key) { problems.add(file, section.line, "'\(key)' is missing") }
        return section.text(key, &problems)
    }

    private mutating func readName(_ top: YAMLSection) -> String {
        if let name = changes.name {
            if !BatchName.isUsable(name) { problems.add(file, nil, "the name is '\(name)'; \(BatchName.rule)") }
            return name
        }
        guard let name = top.text("name", &problems) else {
            if !top.has("name"), !BatchName.isUsable(fallbackName) {
                problems.add(
                    file, nil,
                    "the file's name '\(fallbackName)' cannot be the batch's; give 'name', or \(BatchName.rule)")
            }
            return fallbackName
        }
        if !BatchName.isUsable(name) {
            problems.add(file, top.line(of: "name"), "'name' is '\(name)'; \(BatchName.rule)")
        }
        return name
    }

    private mutating func readModel(_ top: YAMLSection) -> String? {
        guard let model = changes.model ?? required("model", top).map(absolute) else { return nil }
        if let trouble = ModelPath.trouble(with: model) {
            if changes.model == nil {
                problems.add(file, top.line(of: "model"), "'model': \(trouble)")
            } else {
                problems.add("--model", nil, trouble)
            }
        }
        return model
    }

    private mutating func readTower(_ top: YAMLSection) -> String? {
        guard let tower = changes.visionTower else { return readFolder("vision_tower", top) }
        if !isFolder(tower) { problems.add(tower, nil, "there is no such folder for a vision tower") }
        return tower
    }

    /// The path of the items. A folder of pictures in the changes takes the place of a folder in the file.
    private mutating func readItems(_ top: YAMLSection) -> String? {
        if let items = changes.items { return items }
        if let images = changes.images, !top.has("items") { return images }
        guard let items = required("items", top).map(absolute) else { return nil }
        return changes.images.flatMap { isFolder(items) ? $0 : nil } ?? items
    }

    /// The folder that image paths start from: the one that is named; else the folder of items; else, without a batch file,
    /// the folder that holds the items file; else the folder of the batch file.
    private mutating func readImages(_ top: YAMLSection, items: String?) -> String {
        if let images = changes.images {
            if !isFolder(images) {
                problems.add(
                    images, nil,
                    isFile(images)
                        ? "this is a file and no folder; give the folder that it is in, or ask about one picture with "
                            + "'winnow answer'"
                        : "there is no such folder of pictures")
            }
            return images
        }
        if let items, isFolder(items), changes.items != nil || !top.has("images") { return items }
        if let items, top.isAbsent { return URL(fileURLWithPath: items).deletingLastPathComponent().path }
        return readFolder("images", top) ?? folder.standardizedFileURL.path
    }

    private mutating func readFolder(_ key: String, _ top: YAMLSection) -> String? {
        guard let path = top.text(key, &problems).map(absolute) else { return nil }
        if !isFolder(path) { problems.add(file, top.line(of: key), "'\(key)': there is no folder \(path)") }
        return path
    }

    private mutating func readPrompt(_ top: YAMLSection) -> String? {
        guard let prompt = changes.prompt ?? top.text("prompt", &problems) else { return nil }
        if prompt.allSatisfy(\.isWhitespace) { problems.add(file, top.line(of: "prompt"), "'prompt' is empty") }
        return prompt
    }

    /// The file's method with the changes in it, or the one of the changes.
    private mutating func readMethod(_ top: YAMLSection) -> BatchDescription.Method {
        let change = changes.method
        if let name = change.name {
            checkMethod(name, keep: change.keep, line: nil)
            return BatchDescription.Method(
                name: name, keep: change.keep, fromLayer: change.fromLayer, options: change.options)
        }
        var method = readOwnMethod(top)
        if change != BatchChanges.Method(), method.name == "none" {
            problems.add(file, nil, "--keep, --from-layer and --set need a method; name one with --method")
        }
        method.keep = change.keep ?? method.keep
        method.fromLayer = change.fromLayer ?? method.fromLayer
        method.options.merge(change.options) { $1 }
        return method
    }

    private mutating func readOwnMethod(_ top: YAMLSection) -> BatchDescription.Method {
        guard let node = top.node("method") else { return BatchDescription.Method() }
        guard node.scalar == nil else {
            let name = top.text("method", &problems) ?? "none"
            checkMethod(name, keep: changes.method.keep, line: top.line(of: "method"))
            return BatchDescription.Method(name: name)
        }
        let section = YAMLSection(node, file: file, prefix: "method.", known: nil, &problems)
        guard case .mapping = node else { return BatchDescription.Method() }
        let name = required("name", section)
        let keep = section.integer("keep", 1...1_000_000, &problems)
        let fromLayer = section.integer("from_layer", 0...10_000, &problems)
        var options: [String: String] = [:]
        for key in section.keys where !["name", "keep", "from_layer"].contains(key) {
            options[key] = section.text(key, &problems)
        }
        if let name, keep != nil || !section.has("keep") {
            checkMethod(name, keep: changes.method.keep ?? keep, line: section.line(of: "name"))
        }
        return BatchDescription.Method(name: name ?? "none", keep: keep, fromLayer: fromLayer, options: options)
    }

    private mutating func checkMethod(_ name: String, keep: Int?, line: Int?) {
        if let methods, !methods.contains(name) {
            problems.add(
                file, line,
                "there is no method '\(name)'\(name.guess(among: methods)); known are \(methods.joined(separator: ", "))"
            )
        } else if name != "none", keep == nil {
            problems.add(file, line, "method '\(name)' needs 'keep', the number of visual tokens to keep")
        }
    }

    private mutating func readImageTag(
        _ top: YAMLSection, _ template: PromptTemplate
    ) -> ImageTag? {
        let tag = changes.imageTag ?? top.choice("image_tag", ImageTag.self, &problems)
        if tag == .text, template == PromptTemplate.none {
            problems.add(
                file, top.line(of: "image_tag"),
                "'image_tag: text' needs a template: with 'template: none' <image> says where the picture goes")
        }
        return tag
    }

    /// A word, or `true` and `false` for `projected` and `none`.
    private mutating func readFeatures(_ top: YAMLSection) -> BatchDescription.Features? {
        switch top.node("features")?.scalar?.string {
        case "true": .projected
        case "false": BatchDescription.Features.none
        default: top.choice("features", BatchDescription.Features.self, &problems)
        }
    }

    private mutating func readGeneration(_ top: YAMLSection) -> BatchDescription.Generation {
        var generation = readOwnGeneration(top)
        if let tokens = changes.maxTokens {
            if !(1...1_000_000).contains(tokens) { problems.add(file, nil, "--max-tokens must be from 1 to 1000000") }
            generation.maxTokens = tokens
        }
        if let temperature = changes.temperature {
            if !(temperature >= 0 && temperature.isFinite) {
                problems.add(file, nil, "--temperature must be 0 or more")
            }
            generation.temperature = temperature
        }
        return generation
    }

    private mutating func readOwnGeneration(_ top: YAMLSection) -> BatchDescription.Generation {
        var generation = BatchDescription.Generation()
        guard let node = top.node("generation") else { return generation }
        let known = ["max_tokens", "temperature", "top_p", "seed", "stop"]
        let section = YAMLSection(node, file: file, prefix: "generation.", known: known, &problems)
        generation.maxTokens = section.integer("max_tokens", 1...1_000_000, &problems) ?? generation.maxTokens
        generation.temperature =
            section.number("temperature", "0 or more", &problems) { $0 >= 0 } ?? generation.temperature
        generation.topP =
            section.number("top_p", "above 0 and at most 1", &problems) { $0 > 0 && $0 <= 1 } ?? generation.topP
        generation.seed = section.integer("seed", 0...UInt64.max, &problems) ?? generation.seed
        generation.stop = section.texts("stop", &problems) ?? generation.stop
        return generation
    }

    private mutating func readQueue(_ top: YAMLSection) -> QueueOptions {
        var queue = QueueOptions()
        guard let node = top.node("queue") else { return queue }
        let known = ["priority", "labels", "max_fails", "retries", "crash_limit", "timeout", "second_runs"]
        let section = YAMLSection(node, file: file, prefix: "queue.", known: known, &problems)
        queue.priority = section.integer("priority", Int32.min...Int32.max, &problems) ?? queue.priority
        if let node = section.node("labels") {
            let labels = YAMLSection(node, file: file, prefix: "queue.labels.", known: nil, &problems)
            for key in labels.keys { queue.labels[key] = labels.text(key, &problems) }
        }
        queue.maxFails = section.value("max_fails", "a number such as 100 or a share such as 3%", &problems)
        queue.retries = section.integer("retries", 0...1000, &problems)
        queue.crashLimit = section.integer("crash_limit", 1...1000, &problems) ?? queue.crashLimit
        queue.timeout = section.value("timeout", "a time such as 10m, or 300% of the median", &problems)
        queue.secondRuns = section.flag("second_runs", &problems) ?? queue.secondRuns
        return queue
    }

    private mutating func readRun(_ top: YAMLSection) -> BatchFile.Run {
        guard let node = top.node("run") else { return BatchFile.Run() }
        let section = YAMLSection(node, file: file, prefix: "run.", known: ["workers", "threads"], &problems)
        return BatchFile.Run(
            workers: section.integer("workers", 1...1024, &problems) ?? 1,
            threads: section.integer("threads", 1...4096, &problems))
    }
}
