public import Foundation

/// Debian's Chromium without a window, as a reader of web pages that runs their scripts.
public enum Chromium {
    private static let path = "/usr/bin/chromium"

    /// Whether it is there; tests that need it skip with a reason otherwise.
    public static let isInstalled = FileManager.default.isExecutableFile(atPath: path)

    /// What a page became after some seconds of its own time.
    public struct Page: Sendable {
        /// The document as its scripts left it.
        public let document: String
        /// What the page complained about.
        public let complaints: [String]
    }

    /// Loads a page and lets its clock run.
    ///
    /// - Parameters:
    ///   - seconds: of the page's clock, which skips idle times.
    ///   - screenshot: where a picture of it goes; `isDark` says which of its colours are asked for.
    public static func load(
        _ url: String, seconds: Int = 5, screenshot: URL? = nil, isDark: Bool = false
    ) throws -> Page {
        let profile = try TemporaryDirectory()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments =
            [
                // Its sandbox wants privileges that containers and root do not have; the page is our own.
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                "--user-data-dir=\(profile.url.path)", "--window-size=1200,1500", "--enable-logging=stderr", "--v=0",
                "--blink-settings=preferredColorScheme=\(isDark ? 0 : 1)", "--virtual-time-budget=\(1_000 * seconds)",
            ] + (screenshot.map { ["--screenshot=\($0.path)"] } ?? ["--dump-dom"]) + [url]
        let (printed, errors) = (profile.file("printed"), profile.file("errors"))
        for file in [printed, errors] { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
        process.standardOutput = try FileHandle(forWritingTo: printed)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        process.waitUntilExit()
        let log = String(decoding: try Data(contentsOf: errors), as: UTF8.self)
        guard process.terminationStatus == 0 else { throw Failure(description: "chromium failed: \(log)") }
        return Page(
            document: String(decoding: try Data(contentsOf: printed), as: UTF8.self),
            complaints: log.split(separator: "\n").filter { $0.contains("CONSOLE") }.map(String.init))
    }

    /// What the browser said when it failed.
    public struct Failure: Error, CustomStringConvertible {
        /// Its log.
        public let description: String
    }
}
