import Foundation
import TestSupport

/// A folder of pictures that cannot be used, each in its own way.
struct BadPictures {
    let folder: TemporaryDirectory
    static let names = ["empty.jpg", "text.png", "cut.jpg", "huge.png"]

    init() throws {
        folder = try TemporaryDirectory()
        let whole = try Data(contentsOf: URL(fileURLWithPath: Demo.folder + "/images/scene-000.jpg"))
        try Data().write(to: folder.file("empty.jpg"))
        try Data("no picture at all\n".utf8).write(to: folder.file("text.png"))
        try whole.prefix(whole.count / 2).write(to: folder.file("cut.jpg"))
        try Self.hugePNG.write(to: folder.file("huge.png"))
    }

    /// A PNG whose header tells of 30000 × 30000 pixels; its data hold a few bytes.
    private static var hugePNG: Data {
        var png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        png += [0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30, 8, 2, 0, 0, 0]
        png += [0xE9, 0x45, 0x6F, 0xED]
        png += [
            0x00, 0x00, 0x00, 0x0B, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9C, 0x63, 0x60, 0x40, 0x05, 0x00, 0x00, 0x10, 0x00,
        ]
        png += [0x01, 0x39, 0xBD, 0x8F, 0x65]
        png += [0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82]
        return Data(png)
    }
}
