import Foundation

/// Programs that some tests need and skip without.
public enum Tools {
    /// Whether a program is on the path.
    public static func has(_ name: String) -> Bool {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return path.split(separator: ":").contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") }
    }

    /// A Python with some modules, such as `h5py, pyarrow`: the first on the path, or the system's.
    public static func python(with modules: String) -> String? {
        ["python3", "/usr/bin/python3"].first {
            (try? SystemPython.run("import \(modules)", python: $0)) != nil
        }
    }
}
