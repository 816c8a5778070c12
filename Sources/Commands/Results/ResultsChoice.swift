import Foundation
import JobModel
import JobVocabulary
import ResultFiles

/// The results that a word on the command line means: those of a folder, or the newest of a batch that is named, or whose
/// batch file is.
struct ResultsChoice {
    /// The folder.
    let folder: ResultsFolder
    /// A note on which results were chosen, or that newer ones exist; nil if none is needed.
    let remark: String?

    /// Finds the results; where there are none, says which there are.
    init(_ word: String) throws {
        let path = word.count > 1 && word.hasSuffix("/") ? String(word.dropLast()) : word
        if Self.isResults(path) {
            folder = ResultsFolder(path)
            remark = Self.runs(after: path).last.map { "\(path) is not the last run: \($0) is newer" }
            return
        }
        let url = URL(fileURLWithPath: path)
        let isBatchFile = ["yaml", "yml"].contains(url.pathExtension) && isFile(path)
        let wanted = isBatchFile ? Self.shortened(BatchFile.results(in: url)) : "results/\(path)"
        if let last = BatchRuns(of: wanted).all.last(where: Self.isResults), isBatchFile || !path.contains("/") {
            folder = ResultsFolder(last)
            remark = "results of \(isBatchFile ? path : "batch \(path)"): \(last)"
            return
        }
        if isBatchFile {
            throw CommandFailure(ExitCodes.usage, "\(path) has no results yet: there is no \(wanted)")
        }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: "results")) ?? []).sorted()
            .filter { Self.isResults("results/\($0)") }
        let others = names.isEmpty ? "" : "; here are results of \(names.prefix(10).joined(separator: ", "))"
        throw CommandFailure(
            ExitCodes.usage,
            "there are no results in \(path); name a results folder, a batch file, or a batch with results in results/\(others)"
        )
    }

    /// Whether a path is a folder of results.
    static func isResults(_ path: String) -> Bool { isFolder("\(path)/\(ResultsLayout.shards)") }

    /// Later runs of the batch than the one whose results a folder holds.
    private static func runs(after path: String) -> ArraySlice<String> {
        let digits = path.reversed().prefix { $0.isNumber }
        let base = digits.isEmpty ? path : String(path.dropLast(digits.count + 1))
        for first in [base, path] where first == path || path.dropLast(digits.count).hasSuffix("-") {
            let runs = BatchRuns(of: first).all.filter(isResults)
            if let index = runs.firstIndex(of: path) { return runs[(index + 1)...] }
        }
        return []
    }

    /// A path as one types it in the folder that the command runs in.
    private static func shortened(_ path: String) -> String {
        let here = FileManager.default.currentDirectoryPath + "/"
        return path.hasPrefix(here) ? String(path.dropFirst(here.count)) : path
    }
}

/// The results folders of a batch: the one that it asks for, and `-2`, `-3`, … of later runs.
struct BatchRuns {
    /// The folder that the batch asks for.
    let wanted: String

    /// Names the folder that the batch asks for, without a slash at its end.
    init(of wanted: String) { self.wanted = wanted }

    /// The results folders that exist, in the order of their numbers.
    var all: [String] {
        let url = URL(fileURLWithPath: wanted), name = url.lastPathComponent
        let siblings =
            (try? FileManager.default.contentsOfDirectory(atPath: url.deletingLastPathComponent().path)) ?? []
        let numbers = siblings.compactMap { sibling -> Int? in
            if sibling == name { return 1 }
            guard sibling.hasPrefix(name + "-"), let number = Int(sibling.dropFirst(name.count + 1)), number > 1,
                sibling == "\(name)-\(number)"
            else { return nil }
            return number
        }
        return numbers.sorted().map(folder)
    }

    /// The first of them that holds nothing yet.
    var free: String {
        func isTaken(_ path: String) -> Bool {
            let files = FileManager.default
            return files.fileExists(atPath: path) && (try? files.contentsOfDirectory(atPath: path).isEmpty) != true
        }
        var number = 1
        while isTaken(folder(number)) { number += 1 }
        return folder(number)
    }

    private func folder(_ number: Int) -> String { number == 1 ? wanted : "\(wanted)-\(number)" }
}
