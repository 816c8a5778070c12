internal import JobVocabulary
internal import Yams

extension BatchDescription {
    /// The description as a batch file with every default filled in: loading it gives the same description.
    public func yaml() throws(JobModelError) -> String {
        var pairs: [(Node, Node)] = [("name", text(name)), ("model", text(model))]
        if let visionTower { pairs.append(("vision_tower", text(visionTower))) }
        pairs += [("items", text(items)), ("images", text(images))]
        if let prompt { pairs.append(("prompt", text(prompt))) }
        pairs += [
            ("results", text(results)), ("method", methodNode), ("template", text(template.rawValue)),
        ]
        if let imageTag { pairs.append(("image_tag", text(imageTag.rawValue))) }
        if let imageMode { pairs.append(("image_mode", text(imageMode.rawValue))) }
        pairs += [
            ("orientation", text(orientation.rawValue)),
            ("precision", text(precision.rawValue)),
            ("weights", text(weights.rawValue)),
            ("generation", generationNode),
            ("features", text(features.rawValue)), ("trace", text(trace.rawValue)), ("queue", queueNode),
        ]
        do {
            return try Yams.serialize(node: Node(pairs), allowUnicode: true)
        } catch {
            throw JobModelError(
                .badDescription, "The description of batch '\(name)' cannot be written as YAML: \(error)")
        }
    }

    private var methodNode: Node {
        var pairs: [(Node, Node)] = [("name", text(method.name))]
        if let keep = method.keep { pairs.append(("keep", word("\(keep)"))) }
        if let layer = method.fromLayer { pairs.append(("from_layer", word("\(layer)"))) }
        for (key, value) in method.options.sorted(by: { $0.key < $1.key }) { pairs.append((text(key), text(value))) }
        return Node(pairs)
    }

    private var generationNode: Node {
        let stop: [Node] = generation.stop.map { text($0) }
        let pairs: [(Node, Node)] = [
            ("max_tokens", word("\(generation.maxTokens)")), ("temperature", word("\(generation.temperature)")),
            ("top_p", word("\(generation.topP)")), ("seed", word("\(generation.seed)")), ("stop", Node(stop)),
        ]
        return Node(pairs)
    }

    private var queueNode: Node {
        var pairs: [(Node, Node)] = [("priority", word("\(queue.priority)"))]
        if !queue.labels.isEmpty {
            pairs.append(
                ("labels", Node(queue.labels.sorted { $0.key < $1.key }.map { (text($0.key), text($0.value)) })))
        }
        if let limit = queue.maxFails { pairs.append(("max_fails", text("\(limit)"))) }
        if let retries = queue.retries { pairs.append(("retries", word("\(retries)"))) }
        pairs.append(("crash_limit", word("\(queue.crashLimit)")))
        if let timeout = queue.timeout { pairs.append(("timeout", text("\(timeout)"))) }
        pairs.append(("second_runs", word(queue.secondRuns ? "true" : "false")))
        return Node(pairs)
    }

    /// A text that stays a text when read back, whatever it looks like.
    private func text(_ value: String) -> Node { Node(value, Tag(.str), .doubleQuoted) }

    /// A number or a truth value.
    private func word(_ value: String) -> Node { Node(value, .implicit, .plain) }
}
