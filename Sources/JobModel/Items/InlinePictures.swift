internal import Crypto
internal import Foundation

/// Pictures that stand in requests as `data:` URLs, as files in a hidden folder of the image folder: workers read files below
/// the image folder and nothing else, and a batch of all pictures in that folder passes hidden ones over.
struct InlinePictures {
    /// Why a picture cannot be unpacked, and what to do.
    struct Failure: Error {
        let message: String
    }

    /// The name of the folder.
    private static let folder = ".winnow-pictures"
    private let images: String

    init(_ source: ItemSource) { images = source.images }

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
        let name = SHA256.hash(data: bytes).prefix(16).map { String(format: "%02x", $0) }.joined() + "." + ending
        if writing { try write(bytes, name) }
        return "\(Self.folder)/\(name)"
    }

    private func write(_ bytes: Data, _ name: String) throws(Failure) {
        let folder = URL(fileURLWithPath: images).appendingPathComponent(Self.folder)
        let file = folder.appendingPathComponent(name)
        guard (try? Data(contentsOf: file)) != bytes else { return }
        do {
            // The image folder itself is never made: where it is missing, it lies on another machine.
            if !isFolder(folder.path) {
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
            }
            try bytes.write(to: file, options: .atomic)
        } catch {
            throw Failure(
                message:
                    "the picture of a data: URL cannot be written into the image folder; check the disk and permissions, or "
                    + "name another folder with --images or 'images': \(folder.path)")
        }
    }

    private static let endings = [
        "image/jpeg": "jpg", "image/jpg": "jpg", "image/png": "png", "image/webp": "webp",
        "image/gif": "gif",
    ]
}
