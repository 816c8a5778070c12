import Foundation
import JobModel
import JobVocabulary
import ResultFiles

/// The results that a word on the command line means: those of a folder, or the newest of a batch that is named, or whose
/// batch file is.
struct ResultsChoice {
    /// The results folder that is meant.
    let folder: ResultsFolder
    /// A note on which results were chosen, or that newer ones exist; nil if none is needed.
    let remark: String?

    /// Finds the results; where there are none, says which there are.
    init(_ word: String) throws {
        let path = Self.path(word)
        if Self.isResults(path) {
            folder = ResultsFolder(path)
            remark = Self.runs(after: path).last.map { "\(path) is not the last run: \($0) is newer" }
            return
        }
        let url = URL(fileURLWithPath: path)
        let isBatchFile = ["yaml", "yml"].contains(url.pathExtension) && isFile(path)
        let wanted = isBatchFile ? Self.shortened(BatchFile.results(in: url)) : BatchFile.usualResults(of: path)
        let name = isBatchFile ? BatchFile.name(in: url) : path
        if let last = BatchRuns(of: wanted, named: name).all.last(where: Self.isResults),
            isBatchFile || !path.contains("/")
        {
            folder = ResultsFolder(last)
            remark = "results of \(isBatchFile ? path : "batch \(path)"): \(last)"
            return
        }
        if !path.contains("/"), let last = Self.newest(ofBatch: path) {
            folder = ResultsFolder(last)
            remark = "results of batch \(path): \(last)"
            return
        }
        if isBatchFile {
            throw CommandFailure(ExitCodes.usage, "\(path) has no results yet: there is no \(wanted)")
        }
        let names = Self.folders.map { BatchRuns.batch(of: $0) }
        let others =
            names.isEmpty ? "" : "; here are results of \(Set(names).sorted().prefix(10).joined(separator: ", "))"
        throw CommandFailure(
            ExitCodes.usage,
            "there are no results in \(path); name a results folder, a batch file, or a batch with results in results/\(others)"
        )
    }

    /// The folders of results in the usual place.
    private static var folders: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "results")) ?? []).sorted().map { "results/\($0)" }
            .filter(isResults)
    }

    /// The folder of results of a batch that was begun last, where its name does not say whose results it holds.
    private static func newest(ofBatch name: String) -> String? {
        func began(_ folder: String) -> Date {
            let file = URL(fileURLWithPath: "\(folder)/\(ResultsLayout.batchFile)")
            return (try? file.resourceValues(forKeys: [.contentModificationDateKey]))?.contentModificationDate
                ?? .distantPast
        }
        return folders.filter { BatchRuns.batch(of: $0) == name }.max { began($0) < began($1) }
    }

    /// The results folder that a word means; says on standard error which one, where the word leaves that open.
    static func folder(_ word: String) throws -> ResultsFolder {
        let choice = try ResultsChoice(word)
        if let remark = choice.remark { printError("winnow: \(remark)") }
        return choice.folder
    }

    /// A word as the path of a folder, without a slash at its end.
    static func path(_ word: String) -> String {
        word.count > 1 && word.hasSuffix("/") ? String(word.dropLast()) : word
    }

    /// Whether a path is a folder of results.
    static func isResults(_ path: String) -> Bool { isFolder("\(path)/\(ResultsLayout.shards)") }

    /// Later runs of the batch than the one whose results a folder holds.
    private static func runs(after path: String) -> ArraySlice<String> {
        let batch = BatchRuns.batch(of: path)
        let digits = path.reversed().prefix { $0.isNumber }
        let isLater =
            path.dropLast(digits.count).hasSuffix("-") && !digits.isEmpty
            && URL(fileURLWithPath: path).lastPathComponent != batch
        let runs = BatchRuns(of: isLater ? String(path.dropLast(digits.count + 1)) : path, named: batch).all
            .filter(isResults)
        return runs.firstIndex(of: path).map { runs[($0 + 1)...] } ?? []
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
    /// The name of the batch: a folder of another batch may look like a later run, as that of a batch `demo-2` beside `demo`.
    let batch: String

    /// Names the folder that the batch asks for, without a slash at its end, and the batch.
    init(of wanted: String, named batch: String) {
        self.wanted = wanted
        self.batch = batch
    }

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
        return numbers.sorted().filter { $0 == 1 || Self.batch(of: folder($0)) == batch }.map(folder)
    }

    /// The batch whose results a folder holds.
    static func batch(of results: String) -> String {
        BatchFile.name(in: URL(fileURLWithPath: "\(results)/\(ResultsLayout.batchFile)"))
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
