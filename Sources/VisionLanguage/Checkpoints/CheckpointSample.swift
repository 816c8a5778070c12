private import Crypto
import Foundation

/// A digest of a checkpoint that takes milliseconds: it tells whether a model has changed since a batch was submitted.
///
/// It covers the names and sizes of all files that make a model, the whole of small ones, and both ends of large ones.
/// Training on changes all weights, so the ends tell; results carry the digest of everything (`ModelFingerprint`).
public enum CheckpointSample {
    private static let sampleBytes = 64 << 10

    /// 64 hexadecimal digits; folders that are nil or missing do not count.
    public static func digest(directories: [String?]) -> String {
        var hash = SHA256()
        for directory in directories.compactMap(\.self) {
            for name in ModelFiles.names(in: directory) {
                guard let file = FileHandle(forReadingAtPath: directory + "/" + name) else { continue }
                defer { try? file.close() }
                let size = (try? file.seekToEnd()) ?? 0
                hash.update(data: Data("\(name) \(size)\n".utf8))
                var starts: [UInt64] = [0]
                if size > UInt64(sampleBytes) { starts.append(size - UInt64(sampleBytes)) }
                for start in starts {
                    try? file.seek(toOffset: start)
                    hash.update(data: (try? file.read(upToCount: sampleBytes)) ?? Data())
                }
            }
        }
        return hash.finalize().hexadecimal
    }
}
