internal import Crypto
internal import Foundation

/// Pictures that stand in requests as `data:` URLs, as files in a folder beside the items file: `questions-pictures` of
/// `questions.jsonl`. Workers read files below the image folder and nothing else.
struct InlinePictures {
    /// Why a picture cannot be unpacked, and what to do.
    struct Failure: Error {
        let message: String
    }

    private let folder: String
    private let images: String

    init(_ source: ItemSource) {
        folder = URL(fileURLWithPath: source.path).deletingPathExtension().path + "-pictures"
        images = source.images.hasSuffix("/") ? source.images : source.images + "/"
    }

    /// Whether a picture is given as such a URL.
    static func isInline(_ image: String) -> Bool { image.prefix(5).lowercased() == "data:" }

    /// The path of a picture below the image folder: its name is its SHA-256.
    ///
    /// - Parameter writing: Whether the file is written if it does not exist yet, or holds something else.
    func path(of url: String, writing: Bool) throws(Failure) -> String {
        guard let comma = url.firstIndex(of: ",") else { throw Failure(message: "a data: URL without a comma") }
        let words = url[..<comma].dropFirst(5).lowercased().split(separator: ";")
        guard let type = words.first, let ending = Self.endings[String(type)] else {
            throw Failure(
                message:
                    "a picture of type '\(words.first ?? "")' in a data: URL is not read; convert it to JPEG, PNG or WebP"
            )
        }
        guard words.last == "base64",
            let bytes = Data(base64Encoded: String(url[url.index(after: comma)...])), !bytes.isEmpty
        else { throw Failure(message: "a data: URL is not in base64; write data:image/jpeg;base64,…") }
        guard folder.hasPrefix(images) else {
            throw Failure(
                message:
                    "pictures in data: URLs are unpacked into \(folder), which is not inside the image folder \(images); "
                    + "name one with --images or 'images' that holds the items file")
        }
        let name = SHA256.hash(data: bytes).prefix(16).map { String(format: "%02x", $0) }.joined() + "." + ending
        let file = "\(folder)/\(name)"
        if writing, (try? Data(contentsOf: URL(fileURLWithPath: file))) != bytes {
            do {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                try bytes.write(to: URL(fileURLWithPath: file), options: .atomic)
            } catch {
                throw Failure(
                    message: "the picture of a data: URL cannot be written to \(folder); check the disk and permissions"
                )
            }
        }
        return folder.dropFirst(images.count) + "/" + name
    }

    private static let endings = [
        "image/jpeg": "jpg", "image/jpg": "jpg", "image/png": "png", "image/webp": "webp",
    ]
}
