import Foundation
public import ImageDecoding

/// Screens of pages that somebody has looked at and committed, as a folder of PNG files in `Tests/Fixtures`.
///
/// With `WINNOW_RECORD=1` in the environment, each comparison first puts the new screen in the place of the old one.
public struct RecordedScreens: Sendable {
    /// Whether new screens take the place of the old ones.
    public static let isRecording = ProcessInfo.processInfo.environment["WINNOW_RECORD"] != nil

    private let folder: URL

    /// The screens in a folder of the fixtures.
    public init(_ fixture: String) { folder = Repository.fixture(fixture) }

    /// Whether there are screens to compare with, or will be.
    public var areThere: Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return Self.isRecording || names.contains { $0.hasSuffix(".png") }
    }

    /// How far a screen is from the committed one of that name; nil if they differ in size.
    public func difference(of taken: Picture, from name: String) throws -> Double? {
        if Self.isRecording {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(taken.png()).write(to: file(name))
        }
        return Self.difference(taken, try Picture(contentsOf: file(name)))
    }

    /// How far two committed screens are from each other; nil if they differ in size.
    public func difference(between one: String, and other: String) throws -> Double? {
        Self.difference(try Picture(contentsOf: file(one)), try Picture(contentsOf: file(other)))
    }

    private func file(_ name: String) -> URL { folder.appendingPathComponent("\(name).png") }

    /// The mean difference of 8×8 blocks, from 0 to 255, so that fonts may differ a little; nil for other sizes.
    private static func difference(_ a: Picture, _ b: Picture) -> Double? {
        guard a.width == b.width, a.height == b.height else { return nil }
        let columns = a.width / 8, rows = a.height / 8
        func blocks(_ picture: Picture) -> [Int] {
            var sums = [Int](repeating: 0, count: columns * rows)
            for y in 0..<rows * 8 {
                for x in 0..<columns * 8 {
                    let place = (y * picture.width + x) * 3
                    sums[y / 8 * columns + x / 8] +=
                        Int(picture.pixels[place]) + Int(picture.pixels[place + 1]) + Int(picture.pixels[place + 2])
                }
            }
            return sums
        }
        let total = zip(blocks(a), blocks(b)).reduce(0) { $0 + abs($1.0 - $1.1) }
        return Double(total) / Double(columns * rows) / 192
    }
}
