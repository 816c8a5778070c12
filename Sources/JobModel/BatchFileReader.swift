internal import Foundation
internal import JobVocabulary
internal import Yams

/// Turns the YAML of a batch file into its description and collects what is wrong on the way.
struct BatchFileReader {
    /// The keys of a batch file.
    static let keys = BatchDescription.keys.map(\.name)

    /// What problems call the file.
    let file: String
    /// What relative paths start from.
    let folder: URL
    /// The name of a batch that has none of its own.
    let fallbackName: String
    /// Values that take the place of the file's.
    let changes: BatchChanges
    let methods: [String]?
    /// Whether folders and pictures that are not here may be on the machines that need them.
    let trustsPaths: Bool
    /// Why a file cannot be read as a picture; nil if nothing speaks against it.
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
        let items = readItems(top)
        let results = top.text("results", &problems).map(absolute) ?? absolute(BatchFile.usualResults(of: name))
        var description = BatchDescription(
            name: name, model: model ?? "", items: items ?? "", images: readImages(top, items: items), results: results)
        description.visionTower = readTower(top)
        description.prompt = readPrompt(top)
        description.method = readMethod(top)
        for key in BatchDescription.keys { key.read(top, &description, &problems) }
        changes.apply(to: &description)
        check(description, top)
        guard items != nil, trustsPaths || changes.images.map(isFolder) ?? true else { return nil }
        let source = description.itemSource
        let count = ItemsCheck(
            source: source, tags: ImageTags(template: description.template, meaning: description.imageTag),
            trustsPaths: trustsPaths, trouble: pictureTrouble
        ).run(&problems)
        guard model != nil else { return nil }
        var batch = BatchFile(
            description: description, itemCount: count.items, picturedItemCount: count.pictured,
            pictureCount: count.pictures, mostPictures: count.most.pictures, lineOfMostPictures: count.most.line,
            unreadablePictures: count.unreadable)
        batch.absentPictures = count.absent
        batch.leftOut = (try? source.leftOut()) ?? LeftOutFiles()
        return batch
    }

    /// Whether a path that leads to nothing here is taken as it stands.
    private func isTrusted(_ path: String) -> Bool { trustsPaths && !FileManager.default.fileExists(atPath: path) }

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
        let base = changes.model == nil ? folder.standardizedFileURL.path : FileManager.default.currentDirectoryPath
        if !isTrusted(model), let trouble = ModelPath.trouble(with: model, from: base) {
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
        if !isFolder(tower), !isTrusted(tower) {
            problems.add(tower, nil, "there is no such folder for a vision tower")
        }
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
            if !isFolder(images), !isTrusted(images) {
                problems.add(
                    images, nil,
                    isFile(images)
                        ? "this is a file, not a folder; give the folder that it is in, or ask about one picture with "
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
        if !isFolder(path), !isTrusted(path) {
            problems.add(file, top.line(of: key), "'\(key)': there is no folder \(path)")
        }
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
        guard var method = readOwnMethod(top) else { return BatchDescription.Method() }
        if change != BatchChanges.Method(), method.name == "none" {
            problems.add(file, nil, "--keep, --from-layer and --set need a method; name one with --method")
        }
        method.keep = change.keep ?? method.keep
        method.fromLayer = change.fromLayer ?? method.fromLayer
        method.options.merge(change.options) { $1 }
        return method
    }

    /// The file's method; nil if what stands there is none, which is among the problems then.
    private mutating func readOwnMethod(_ top: YAMLSection) -> BatchDescription.Method? {
        guard let node = top.node("method") else { return BatchDescription.Method() }
        guard node.scalar == nil else {
            let name = top.text("method", &problems) ?? "none"
            checkMethod(name, keep: changes.method.keep, line: top.line(of: "method"))
            return BatchDescription.Method(name: name)
        }
        let section = YAMLSection(node, file: file, prefix: "method.", known: nil, &problems)
        guard case .mapping = node else { return nil }
        // Which options there are depends on the method; what is meant for its name or budget is none of them.
        var slips: [String: String] = [:]
        for key in section.keys {
            guard let meant = key.meant(among: ["name", "keep"]), key != meant, !section.has(meant) else { continue }
            problems.add(file, section.line(of: key), "unknown key 'method.\(key)' (did you mean \(meant)?)")
            slips[meant] = key
        }
        let name = slips["name"] == nil ? required("name", section) : nil
        let keep = section.integer("keep", 1...1_000_000, &problems)
        let fromLayer = section.integer("from_layer", 0...10_000, &problems)
        var options: [String: String] = [:]
        for key in section.keys where !["name", "keep", "from_layer"].contains(key) && !slips.values.contains(key) {
            options[key] = section.text(key, &problems)
        }
        let isBudgetWrong = slips["keep"] != nil || section.has("keep") && keep == nil
        if let name {
            checkMethod(
                name, keep: changes.method.keep ?? keep ?? (isBudgetWrong ? 1 : nil), line: section.line(of: "name"))
        }
        if slips["name"] != nil { return nil }
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

    /// What must hold of values that come from a file or an option, or that go together.
    private mutating func check(_ description: BatchDescription, _ top: YAMLSection) {
        if description.imageTag == .text, description.template == PromptTemplate.none {
            problems.add(
                file, top.line(of: "image_tag"),
                "'image_tag: text' needs a template: with 'template: none' <image> says where the picture goes")
        }
        let generation = description.generation
        let lengths = BatchDescription.Generation.answerLengths
        if !lengths.contains(generation.maxTokens) {
            problems.add(file, nil, "--max-tokens must be from \(lengths.lowerBound) to \(lengths.upperBound)")
        }
        if !(generation.temperature >= 0 && generation.temperature.isFinite) {
            problems.add(file, nil, "--temperature must be 0 or more")
        }
    }
}
