internal import Foundation

/// Items as requests of OpenAI's Batch API, one JSON object a line: `custom_id` is the id, the pictures go where the template has
/// them, and the texts of the message are the prompt.
struct OpenAIItems: ItemReader {
    private let lines: TextLines
    private let prompt: String?
    private let inline: InlinePictures
    private let isUnpacking: Bool

    init(_ source: ItemSource, unpacking: Bool) throws(ManifestProblems) {
        inline = InlinePictures(source)
        isUnpacking = unpacking
        lines = try TextLines(path: source.path, limit: OpenAIRequest.maximumBytes)
        prompt = source.prompt
    }

    mutating func next() throws(ManifestProblems) -> ItemLines.Line? {
        guard let line = try lines.nextInked() else { return nil }
        guard let text = line.text else {
            return ItemLines.Line(
                number: line.number, problem: "not UTF-8, or longer than \(OpenAIRequest.maximumBytes) bytes")
        }
        let request = OpenAIRequest(text)
        var problems = request.problems
        let words = request.prompt ?? prompt
        if words == nil, problems.isEmpty { problems.append("the message has no text") }
        var images: [String] = []
        for image in request.images {
            guard InlinePictures.isInline(image) else {
                images.append(image)
                continue
            }
            do { images.append(try inline.path(of: image, writing: isUnpacking)) } catch {
                problems.append(error.message)
            }
        }
        guard let words, problems.isEmpty else {
            return ItemLines.Line(number: line.number, problem: problems.joined(separator: "; "))
        }
        return ItemLines.Line(
            number: line.number,
            text: Item(
                id: ItemID(request.id), images: images, prompt: words, maxTokens: request.maxTokens,
                temperature: request.temperature
            ).json)
    }
}
