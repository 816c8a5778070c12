internal import Foundation
internal import JobModel
internal import JobVocabulary

/// The results folder of a batch, as far as the coordinator makes it: workers add the shards.
enum BatchFolder {
    /// Whether a folder already belongs to a batch, or nobody can tell just now.
    static func isTaken(_ folder: String) -> Bool {
        access("\(folder)/\(ResultsLayout.batchFile)", F_OK) == 0 || ![ENOENT, ENOTDIR].contains(errno)
    }

    /// The results folder that a folder lies inside of; nil if there is none.
    static func enclosing(_ folder: String) -> String? {
        var url = URL(fileURLWithPath: canonical(folder))
        while url.path != "/" {
            url.deleteLastPathComponent()
            if FileManager.default.fileExists(atPath: url.appendingPathComponent(ResultsLayout.token).path) {
                return url.path
            }
        }
        return nil
    }

    /// One path for all that lead to a folder, whether it is there or not: without links, `.`, `..` and `//`.
    static func canonical(_ folder: String) -> String {
        var head = URL(fileURLWithPath: folder).standardizedFileURL.path
        var rest: [String] = []
        while head != "/" {
            if let real = realpath(head, nil) {
                defer { free(real) }
                return ([String(cString: real)] + rest.reversed()).joined(separator: "/").replacing("//", with: "/")
            }
            let url = URL(fileURLWithPath: head)
            rest.append(url.lastPathComponent)
            head = url.deletingLastPathComponent().path
        }
        return "/" + rest.reversed().joined(separator: "/")
    }

    /// Makes the folder and those inside it, and leaves the token by which workers know it.
    static func make(_ folder: String, token: String) throws(CoordinatorError) {
        do {
            for name in [ResultsLayout.shards, ResultsLayout.pending, ResultsLayout.unfinished] {
                try FileManager.default.createDirectory(
                    atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
            }
            try ResultsToken.write(token, in: folder)
        } catch {
            throw CoordinatorError(
                .resultsFolder, "The results folder \(folder) cannot be made. Check permissions.", cause: error)
        }
    }

    /// Writes the description, whole or not at all.
    static func write(_ description: BatchDescription) throws(CoordinatorError) {
        let path = "\(description.results)/\(ResultsLayout.batchFile)"
        if let token = description.resultsToken, let reason = ResultsToken.mismatch(token, in: description.results) {
            throw CoordinatorError(.resultsFolder, "The batch cannot run: \(reason).")
        }
        do {
            try Data(description.yaml().utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw CoordinatorError(
                .resultsFolder, "The description cannot be written; check disk and permissions: \(path)", cause: error)
        }
    }
}
