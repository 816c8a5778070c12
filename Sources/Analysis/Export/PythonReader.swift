internal import Foundation
public import ResultFiles

/// The Python module that reads results, and what it is used for here: formats that Swift has no library for.
public enum PythonReader {
    /// The source of `winnow_results.py`.
    public static let source = String(decoding: PackageResources.winnow_results_py, as: UTF8.self)

    /// Has Python write a file: `parquet` (through PyArrow) or `npz` (through numpy).
    public static func export(_ format: String, of folder: ResultsFolder, to target: String, python: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [python, "-c", source, format, folder.path, target]
        let errors = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardError = errors
        do {
            try process.run()
        } catch {
            throw AnalysisError(.program, "\(python) cannot be started; name another with --python", cause: error)
        }
        let complaints = (try? errors.fileHandleForReading.readToEnd()) ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let reason = String(decoding: complaints, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            throw AnalysisError(
                .program,
                "\(python) did not write the \(format) file: \(reason). It needs h5py, and pyarrow for parquet: install them "
                    + "for it, or name another Python with --python.")
        }
    }
}
