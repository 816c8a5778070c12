private import Glibc

/// A picture that was found below the batch's image folder, whatever links lie on the way.
///
/// The check is made on what was opened, not on names that may change in between: the file is held without being
/// read (`O_PATH`, so that pipes and devices do nothing), and the kernel tells where it truly lies.
public struct ConfinedImage: ~Copyable {
    /// Why a picture is not opened, and what to do.
    public struct Failure: Error, CustomStringConvertible, Sendable, Hashable {
        /// The kind of failure.
        public enum Code: Sendable, Hashable {
            /// The path, or a link on it, leads out of the image folder.
            case outside
            /// There is no such file, or it may not be opened.
            case unreadable
        }

        /// The kind of failure.
        public let code: Code
        /// What went wrong and what to do.
        public let message: String
        /// The message.
        public var description: String { message }
    }

    private let descriptor: Int32

    /// `O_PATH`, which Swift does not import; equal on all of Linux's 64-bit machines.
    private static let withoutReading: Int32 = 0o10_000_000

    /// Finds a picture by its path in a manifest.
    ///
    /// - Parameter root: the batch's image folder; links on the way to the folder itself are its owner's decision.
    public init(_ image: String, under root: String) throws(Failure) {
        guard let path = ImagePath.resolve(image, under: root) else { throw Self.outside(image, root) }
        let folder = try Self.hold(root, O_DIRECTORY)
        defer { close(folder) }
        let file = try Self.hold(path, 0)
        guard let inside = Self.place(of: folder), let place = Self.place(of: file) else {
            close(file)
            throw Failure(
                code: .unreadable, message: "its real path cannot be found; is /proc mounted?: \(path)")
        }
        guard place.hasPrefix(inside == "/" ? inside : inside + "/") else {
            close(file)
            throw Self.outside(image, root)
        }
        descriptor = file
    }

    deinit { close(descriptor) }

    /// A path that opens exactly the file that was checked, as long as this value lives.
    public var path: String { "/proc/self/fd/\(descriptor)" }

    /// Whether a picture that exists lies outside of the folder after all.
    public static func leadsOut(_ image: String, of root: String) -> Bool {
        do {
            _ = try ConfinedImage(image, under: root)
            return false
        } catch {
            return error.code == .outside
        }
    }

    private static func hold(_ path: String, _ flags: Int32) throws(Failure) -> Int32 {
        let descriptor = open(path, withoutReading | O_CLOEXEC | flags)
        guard descriptor >= 0 else {
            let why = String(cString: strerror(errno))
            throw Failure(
                code: .unreadable,
                message: "the picture cannot be read (\(why)); check the path and its permissions: \(path)")
        }
        return descriptor
    }

    /// Where an open file truly lies.
    private static func place(of descriptor: Int32) -> String? {
        var text = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = readlink("/proc/self/fd/\(descriptor)", &text, text.count - 1)
        guard count > 0 else { return nil }
        return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func outside(_ image: String, _ root: String) -> Failure {
        Failure(
            code: .outside,
            message: "the picture leads out of the image folder \(root); copy it there, or widen 'images': \(image)")
    }
}
