private import Crypto
import Foundation
import Synchronization

/// The SHA-256 of a checkpoint's files, taken on a thread of its own while the model is loaded and used.
public final class ModelFingerprint: Sendable {
    private let result = Mutex<Result<String, ModelError>?>(nil)
    private let done = DispatchSemaphore(value: 0)

    /// Starts on configuration, tokenizer and weights of the folders, file by file in the order of their names; `progress`
    /// is called every few megabytes.
    public init(directories: [String], progress: @escaping @Sendable () -> Void = {}) {
        let thread = Thread { [self] in
            let value = Self.hash(directories, progress)
            result.withLock { $0 = value }
            done.signal()
        }
        thread.name = "winnow-hash"
        thread.start()
    }

    /// One that is known already.
    init(known value: String) {
        result.withLock { $0 = .success(value) }
        done.signal()
    }

    /// 64 hexadecimal digits; waits until they are known.
    public func value() throws(ModelError) -> String {
        done.wait()
        done.signal()
        guard let result = result.withLock({ $0 }) else { preconditionFailure("the thread ends with a result") }
        return try result.get()
    }

    private static func hash(_ directories: [String], _ progress: () -> Void) -> Result<String, ModelError> {
        var hash = SHA256()
        for directory in directories {
            for name in ModelFiles.names(in: directory) {
                let path = directory + "/" + name
                guard let file = FileHandle(forReadingAtPath: path) else {
                    return .failure(
                        ModelError(.missingFile, "the file cannot be read; check its permissions", at: path))
                }
                hash.update(data: Data(name.utf8))
                do {
                    while let piece = try file.read(upToCount: 1 << 22), !piece.isEmpty {
                        hash.update(data: piece)
                        progress()
                    }
                } catch {
                    return .failure(ModelError(.missingFile, "the file cannot be read to its end: \(error)", at: path))
                }
            }
        }
        return .success(hash.finalize().hexadecimal)
    }
}

/// The files of a folder that identify a model.
enum ModelFiles {
    /// Configuration, tokenizer and weights, by name; none if there is no folder.
    static func names(in directory: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.sorted().filter { name in
            name.hasSuffix(".safetensors") || name.hasSuffix(".json")
                || name.hasPrefix("pytorch_model") && name.hasSuffix(".bin")
                || ["tokenizer.model", "merges.txt"].contains(name)
        }
    }
}
