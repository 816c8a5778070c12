import ArgumentParser
import Foundation
import JobModel
import JobStore

/// `winnow doctor`: examines a job store, and the result files that it knows.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Examine a job store and the result files it knows; exit code 1 if something is wrong.",
        discussion: "It changes nothing. A coordinator may use the store meanwhile, also while --backup copies it.")

    @Option(help: "The job store.", completion: .file(extensions: ["sqlite"]))
    var store = "winnow.sqlite"

    @Option(help: "Write a copy of the store to this new file.", completion: .file())
    var backup: String?

    @Option(help: "How to print: table, json (one value) or quiet.")
    var output = OutputFormat.table

    func run() throws {
        let url = URL(fileURLWithPath: store)
        let examination = try StoreExamination(of: url)
        var problems = examination.problems
        if !examination.isCurrentFormat, problems.isEmpty {
            problems.append(
                "it has format \(examination.format); the coordinator of this version brings an older one up to date")
        }
        problems += examination.shards.compactMap(Self.problem)
        if let backup, examination.problems.isEmpty {
            try StoreExamination.backup(url, to: URL(fileURLWithPath: backup))
        }
        let values = try? url.deletingLastPathComponent().resourceValues(forKeys: [.volumeAvailableCapacityKey])
        let report = Report(
            store: url.path, format: examination.format, isInUse: examination.isInUse,
            batches: examination.batches.count, jobs: examination.batches.reduce(0) { $0 + $1.counts.total },
            shards: examination.shards.count, freeBytes: values?.volumeAvailableCapacity,
            hazard: StoreHazard(at: url.path)?.description,
            backup: examination.problems.isEmpty ? backup : nil, problems: problems)
        try output.show(report, table: report.text, quiet: problems.joined(separator: "\n"))
        try endCommand(problems.isEmpty ? ExitCodes.success : ExitCodes.infrastructure)
    }

    /// What is wrong with a shard's file, without reading its contents.
    private static func problem(_ shard: (results: String, path: String, bytes: UInt64)) -> String? {
        let path = shard.results + "/" + shard.path
        let attributes: [FileAttributeKey: Any]
        do {
            attributes = try FileManager.default.attributesOfItem(atPath: path)
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile || error.code == .fileNoSuchFile {
            return "result file \(path) is missing"
        } catch {
            return "result file \(path) cannot be looked at: \(error.localizedDescription)"
        }
        guard let size = attributes[.size] as? NSNumber, size.uint64Value != shard.bytes else { return nil }
        return "result file \(path) has \(size.uint64Value) bytes; \(shard.bytes) were written"
    }

    private struct Report: Encodable {
        let store: String
        let format: Int
        let isInUse: Bool
        let batches: Int
        let jobs: UInt64
        let shards: Int
        let freeBytes: Int?
        /// What its file system makes uncertain.
        let hazard: String?
        let backup: String?
        let problems: [String]

        var text: String {
            var lines = [
                "\(store): format \(format), \(counted(batches, "batch", "batches")), \(counted(jobs, "job")), \(counted(shards, "result file"))"
                    + (isInUse ? ", a coordinator uses it" : "")
            ]
            if let backup { lines.append("copied to \(backup)") }
            if let freeBytes { lines.append("\(freeBytes >> 20) MiB are free on its disk") }
            if let hazard { lines.append("note: \(hazard)") }
            lines += problems.isEmpty ? ["nothing is wrong"] : problems.map { "wrong: \($0)" }
            return lines.joined(separator: "\n")
        }
    }
}
