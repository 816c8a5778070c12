import Tensors
import VisionLanguage

/// Features of the pictures seen last: questions about one picture come together, and the tower costs as much as a
/// short prompt.
struct FeatureCache {
    private var entries: [String: (picture: LLaVA.EncodedPicture, lastUse: Int)] = [:]
    private var clock = 0
    private var bytes = 0
    private let bound: Int

    /// A cache that holds at most `bound` bytes of features.
    init(bound: Int) { self.bound = bound }

    /// The features under `key`, if they are still here.
    mutating func picture(_ key: String) -> LLaVA.EncodedPicture? {
        guard let picture = entries[key]?.picture else { return nil }
        clock += 1
        entries[key]?.lastUse = clock
        return picture
    }

    /// Keeps features; those used longest ago make room.
    mutating func keep(_ picture: LLaVA.EncodedPicture, _ key: String) {
        guard picture.features.byteCount <= bound, entries[key] == nil else { return }
        clock += 1
        entries[key] = (picture, clock)
        bytes += picture.features.byteCount
        while bytes > bound, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            entries[oldest.key] = nil
            bytes -= oldest.value.picture.features.byteCount
        }
    }
}
