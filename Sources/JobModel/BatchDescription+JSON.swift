internal import Foundation
internal import JobVocabulary
internal import Yams

extension BatchDescription {
    /// The description as one JSON object with sorted keys: how it travels and how the job store keeps it.
    public func json() throws(JobModelError) -> String {
        let encoder = JSONEncoder.canonical
        do {
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        } catch {
            throw JobModelError(
                .badDescription, "The description of batch '\(name)' cannot be written as JSON: \(describe(error))")
        }
    }

    /// Reads what `json()` wrote. Unknown keys are ignored, so that a newer sender is understood; what an older one does not
    /// say has its default.
    public init(json: String) throws(JobModelError) {
        do {
            // The folders of a batch have no default: those of the empty description are taken out.
            var unsaid = BatchDescription(name: "", model: "", items: "", images: "", results: "")
            // A description that does not say it comes from a version that never turned a picture.
            unsaid.orientation = .asStored
            let defaults = try Self.object(unsaid.json()).filter { $0.value as? String != "" }
            let whole = Self.object(try Self.object(json), over: defaults)
            self = try JSONDecoder().decode(
                BatchDescription.self, from: JSONSerialization.data(withJSONObject: whole))
        } catch {
            throw JobModelError(
                .badDescription,
                "A batch description is not understood: \(describe(error)). Submit it with the coordinator's version.")
        }
        guard hasUsableNumbers else {
            throw JobModelError(
                .badDescription,
                "The description of batch '\(name)' has a number out of range: \(generation), \(method). "
                    + "Submit a batch file that 'winnow submit' accepts.")
        }
    }

    private static func object(_ json: String) throws -> [String: Any] {
        guard let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any] else {
            throw JobModelError(.badDescription, "it is no JSON object")
        }
        return object
    }

    /// The values of one object, and of another those that the first lacks; objects within objects are merged too.
    private static func object(_ object: [String: Any], over defaults: [String: Any]) -> [String: Any] {
        defaults.merging(object) { old, new in
            guard let old = old as? [String: Any], let new = new as? [String: Any] else { return new }
            return Self.object(new, over: old)
        }
    }

    /// Whether a batch file may hold its numbers: what comes over the wire has not been read from one here.
    private var hasUsableNumbers: Bool {
        var problems = ManifestProblems(), copy = self
        let section = YAMLSection(.mapping(Self.keys, of: self), file: name, known: nil, &problems)
        for key in Self.keys { key.read(section, &copy, &problems) }
        return problems.isEmpty && method.keep ?? 1 >= 1 && method.fromLayer ?? 0 >= 0
    }
}

/// What a decoding error says, without Foundation's wrapping.
func describe(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "\(error)" }
    func place(_ context: DecodingError.Context) -> String {
        let path = context.codingPath.map(\.stringValue).joined(separator: ".")
        return path.isEmpty ? "" : "'\(path)': "
    }
    switch error {
    case .keyNotFound(let key, let context): return "\(place(context))'\(key.stringValue)' is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
        return place(context) + context.debugDescription
    @unknown default: return "\(error)"
    }
}
