internal import Foundation

extension BatchDescription {
    /// The description as one JSON object with sorted keys: how it travels and how the job store keeps it.
    public func json() throws(JobModelError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        } catch {
            throw JobModelError(
                .badDescription, "The description of batch '\(name)' cannot be written as JSON: \(describe(error))")
        }
    }

    /// Reads what `json()` wrote; unknown keys are ignored, so that a newer sender is understood.
    public init(json: String) throws(JobModelError) {
        do {
            self = try JSONDecoder().decode(BatchDescription.self, from: Data(json.utf8))
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

    /// Whether the numbers are such as a batch file may have: what comes over the wire has not been read from one here.
    private var hasUsableNumbers: Bool {
        generation.maxTokens >= 1 && generation.temperature >= 0 && generation.temperature.isFinite
            && generation.topP > 0 && generation.topP <= 1 && method.keep ?? 1 >= 1 && method.fromLayer ?? 0 >= 0
            && queue.isUsable
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
