extension BatchDescription {
    /// Most bytes of a description as JSON. It travels with jobs, and one message takes several.
    public static let maximumBytes = 256 << 10
    /// Most bytes of all labels of a batch, keys and values: they travel with every answer about its state.
    public static let maximumLabelBytes = 16 << 10

    /// Throws if the description is larger than messages can carry it, or names a folder or file by a path that means
    /// something else on another machine or in another folder.
    public func checkLimits() throws(JobModelError) {
        let labels = queue.labels.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        guard labels <= Self.maximumLabelBytes else {
            throw JobModelError(
                .badDescription,
                "The labels of batch '\(name)' have \(labels) bytes together; at most \(Self.maximumLabelBytes) are "
                    + "possible. Put what is longer into a file of its own.")
        }
        let bytes = try json().utf8.count
        guard bytes <= Self.maximumBytes else {
            throw JobModelError(
                .badDescription,
                "The description of batch '\(name)' has \(bytes) bytes; at most \(Self.maximumBytes) are possible. Shorten "
                    + "its stop texts and the options of its method.")
        }
        let paths = [("model", model), ("vision_tower", visionTower), ("images", images), ("results", results)]
        for (key, path) in paths {
            guard let path, !path.hasPrefix("/") || path.utf8.contains(0) || path.utf8.count > 4_095 else { continue }
            throw JobModelError(
                .badDescription,
                "'\(key)' of batch '\(name)', '\(path.shortened(to: 200))', is no absolute path of at most 4095 bytes.")
        }
    }
}
