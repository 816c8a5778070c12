/// A number for a picture's path, equal for equal paths (FNV-1a); a collision costs nothing but a detour.
public struct PictureKey: RawRepresentable, Hashable, Sendable {
    /// The number.
    public var rawValue: UInt64

    /// Wraps a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The number of a path.
    public init(_ path: String) {
        rawValue = path.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
