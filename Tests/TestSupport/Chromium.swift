public import Foundation
public import ImageDecoding

/// Debian's Chromium without a window, as a reader of web pages that runs their scripts.
///
/// It has no past. Its sandbox wants privileges that containers and root do not have; the pages are our own.
public struct Chromium {
    /// Whether it is installed (Debian: chromium); tests that need it skip with a reason otherwise.
    public static let isInstalled = Tools.has("chromium")

    /// What a page became after some seconds of its own time.
    public struct Page: Sendable {
        /// The document as its scripts left it.
        public let document: String
        /// What the page complained about.
        public let complaints: [String]
    }

    private let folder: TemporaryDirectory
    private let url: String

    /// A browser for the page at an address.
    public init(_ url: String) throws {
        folder = try TemporaryDirectory()
        self.url = url
    }

    /// A browser for a page of its own folder; `hash` is what follows the address.
    public init(html: String, hash: String = "") throws {
        folder = try TemporaryDirectory()
        let file = folder.file("page.html")
        try Data(html.utf8).write(to: file)
        url = file.absoluteString + (hash.isEmpty ? "" : "#" + hash)
    }

    /// The page after its clock, which skips idle times, ran for five seconds.
    public func load(width: Int = 1200) throws -> Page {
        let (output, errors) = try run([
            "--dump-dom", "--enable-logging=stderr", "--v=0", "--window-size=\(width),1000",
        ])
        return Page(
            document: output,
            complaints: errors.split(separator: "\n").filter { $0.contains("CONSOLE") }.map(String.init))
    }

    /// The page as a picture; `isDark` says which of its colours are asked for.
    public func screen(width: Int, height: Int, isDark: Bool? = nil) throws -> Picture {
        let file = folder.file("picture.png")
        try png(width: width, height: height, isDark: isDark).write(to: file)
        return try Picture(contentsOf: file)
    }

    /// The page as the bytes of a PNG; `isDark` says which of its colours are asked for.
    public func png(width: Int = 1200, height: Int = 1500, isDark: Bool? = nil) throws -> Data {
        let file = folder.file("screen.png")
        let scheme = isDark.map { ["--blink-settings=preferredColorScheme=\($0 ? 0 : 1)"] } ?? []
        _ = try run(
            [
                "--screenshot=\(file.path)", "--window-size=\(width),\(height)", "--hide-scrollbars",
                "--force-device-scale-factor=1", "--run-all-compositor-stages-before-draw",
            ] + scheme)
        return try Data(contentsOf: file)
    }

    private func run(_ arguments: [String]) throws -> (output: String, errors: String) {
        let (output, errors) = (folder.file("output"), folder.file("errors"))
        for file in [output, errors] { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            [
                "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
                "--disable-dev-shm-usage", "--user-data-dir=\(folder.file("profile").path)",
                "--virtual-time-budget=5000",
            ] + arguments + [url]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        process.waitUntilExit()
        let printed = String(decoding: try Data(contentsOf: output), as: UTF8.self)
        let complaints = String(decoding: try Data(contentsOf: errors), as: UTF8.self)
        guard process.terminationStatus == 0 else { throw Failure(description: "chromium failed: \(complaints)") }
        return (printed, complaints)
    }

    /// What the browser said when it failed.
    public struct Failure: Error, CustomStringConvertible {
        /// Its log.
        public let description: String
    }
}
