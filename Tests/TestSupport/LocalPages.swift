public import Foundation
public import ImageDecoding

/// Debian's Chromium without a window, which opens pages of its own folder and nothing else.
public struct LocalPages {
    /// Whether it is installed (Debian: chromium); tests that need it skip with a reason otherwise.
    public static let isThere = Tools.has("chromium")

    private let folder: TemporaryDirectory

    /// A browser without a past.
    public init() throws { folder = try TemporaryDirectory() }

    /// The document after its scripts ran, and what they complained about.
    public func text(of html: String, hash: String = "") throws -> (document: String, console: [String]) {
        let (output, errors) = try run(
            html, hash, ["--dump-dom", "--enable-logging=stderr", "--virtual-time-budget=5000"])
        return (output, errors.split(separator: "\n").filter { $0.contains("CONSOLE") }.map(String.init))
    }

    /// The page as a picture.
    public func screen(of html: String, hash: String = "", width: Int, height: Int) throws -> Picture {
        let file = folder.file("screen.png")
        _ = try run(
            html, hash,
            [
                "--screenshot=\(file.path)", "--window-size=\(width),\(height)", "--hide-scrollbars",
                "--force-device-scale-factor=1", "--virtual-time-budget=5000",
            ])
        return try Picture(contentsOf: file)
    }

    private func run(_ html: String, _ hash: String, _ arguments: [String]) throws -> (output: String, errors: String) {
        let page = folder.file("page.html")
        try Data(html.utf8).write(to: page)
        let (output, errors) = (folder.file("output"), folder.file("errors"))
        for file in [output, errors] { FileManager.default.createFile(atPath: file.path, contents: nil) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            [
                "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
                "--disable-dev-shm-usage",
                "--user-data-dir=\(folder.file("profile").path)",
            ] + arguments + ["\(page.absoluteString)\(hash.isEmpty ? "" : "#" + hash)"]
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

    /// What the browser complained about when it could not do its work.
    public struct Failure: Error, CustomStringConvertible {
        /// The complaint.
        public let description: String
    }
}
