import Analysis
import ArgumentParser
import Foundation
import JobModel
import JobStore
import JobVocabulary
import ResultFiles

/// `winnow results verify`: reads every row back.
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read every row back against checksums and job store; put missing jobs back with --requeue.",
        discussion: """
            Without a job store the items file of the batch says which jobs there should be. Exit code 0: every job that \
            ended has its row, and every file is whole. Orphaned and superseded rows are only reported: they count \
            nowhere, and 'winnow results merge' leaves them out. --requeue moves damaged files to the folder damaged. While \
            anything cannot be read, because of rights, a disk or its mount, it moves nothing and puts nothing back.
            """)

    @OptionGroup var place: FolderArgument
    @OptionGroup var store: StoreOption

    @Flag(help: "Put exactly the missing jobs back. Stop the coordinator first; its next start runs them.")
    var requeue = false

    @Flag(help: "All shards are gone for good, not just unmounted: --requeue may put their jobs back.")
    var lost = false

    @Option(help: "Most findings to list.")
    var rows = 50

    @Option(help: "How to print: table or json.")
    var output = OutputFormat.table

    func run() throws {
        let folder = try place.results()
        let results = try store.results(of: folder)
        if requeue, results == nil {
            throw CommandFailure(ExitCodes.usage, "--requeue needs the job store of the batch: name it with --store")
        }
        let expected = results == nil ? expectedItems(of: folder) : nil
        if results == nil, expected == nil {
            printError(
                "winnow: missing rows were not looked for: there is no job store, and the items file of the batch cannot "
                    + "be read; --store names a store")
        }
        let verification = try Verification(
            folder, results: results, expected: expected, takesAbsenceAsLoss: lost)
        var requeued: Int?
        if requeue, !verification.isComplete {
            printError(
                "winnow: nothing was put back and nothing moved, because not everything can be read just now; run this again "
                    + "when it can (if all shards are gone for good: --lost)")
        } else if requeue, let results, let url = store.url(for: folder) {
            requeued = try put(back: verification.missing, of: results.batch, in: url)
            // Their jobs run again: without them the next look finds everything in order.
            if requeued == verification.missing.count {
                for shard in try verification.setDamagedAside(in: folder) {
                    printError("winnow: \(shard) was moved to \(folder.path)/\(ResultsLayout.damaged)")
                }
            }
        }
        try show(verification, requeued: requeued, hasStore: results != nil)
        if requeued.map({ $0 < verification.missing.count }) ?? !verification.isSound {
            throw CommandFailure(ExitCodes.infrastructure, "")
        }
    }

    /// The ids of the batch's items, if what they are read from is still there.
    private func expectedItems(of folder: ResultsFolder) -> [String]? {
        let url = URL(fileURLWithPath: folder.path).appendingPathComponent(ResultsLayout.batchFile)
        guard let source = BatchFile.itemSource(in: url) else { return nil }
        do {
            var lines = try ItemLines(source)
            var items: [String] = []
            while let line = try lines.next() {
                if let id = line.text.flatMap({ try? Item(json: $0) })?.id.rawValue { items.append(id) }
            }
            return items
        } catch {
            return nil
        }
    }

    private func put(back items: [String], of batch: BatchID, in url: URL) throws -> Int {
        do {
            // Opened even if nothing is to be put back, so that a running coordinator is reported in any case.
            var store = try JobStore(at: url)
            return try store.requeueResults(of: items.map { ItemID($0) }, in: batch)
        } catch {
            guard error.code == .inUse else { throw error }
            throw CommandFailure("nothing was requeued: \(error)")
        }
    }

    private func show(_ verification: Verification, requeued: Int?, hasStore: Bool) throws {
        switch output {
        case .json: try printJSON(VerificationReport(verification, requeued: requeued))
        case .table:
            if !verification.findings.isEmpty {
                var table = TextTable(["finding", "job", "shard", "row", "reason"], rightAligned: [3])
                for finding in verification.findings.prefix(rows) {
                    table.add([
                        finding.kind.rawValue, finding.job, finding.shard, finding.row.map { "\($0)" } ?? "",
                        finding.reason,
                    ])
                }
                print(table.text())
                let rest = verification.findings.count - rows
                print(rest > 0 ? "… and \(rest) more (--rows shows more)\n" : "")
            }
            print(
                "\(counted(verification.visible, "row")) in \(counted(verification.shards, "shard")) read back well; "
                    + Verification.Kind.allCases.map { "\(verification.count($0)) \($0.rawValue)" }
                    .joined(separator: ", ")
                    + (verification.undecided > 0
                        ? "; \(counted(verification.undecided, "row")) of jobs that still run" : ""))
            if !hasStore { print("No job store was found; --store names one.") }
            if let requeued { print("\(requeued) jobs wait again; the coordinator's next start runs them.") }
        case .quiet: for finding in verification.findings { print(finding.job) }
        }
    }
}

/// What `winnow results verify` prints as JSON.
private struct VerificationReport: Encodable {
    struct Entry: Encodable {
        let kind, job, shard, reason: String
        let row: Int?
    }

    let shards, visible, undecided, unavailable, damaged, missing, orphaned, superseded: Int
    let requeued: Int?
    let findings: [Entry]

    init(_ verification: Verification, requeued: Int?) {
        shards = verification.shards
        visible = verification.visible
        undecided = verification.undecided
        unavailable = verification.count(.unavailable)
        damaged = verification.count(.damaged)
        missing = verification.count(.missing)
        orphaned = verification.count(.orphaned)
        superseded = verification.count(.superseded)
        self.requeued = requeued
        findings = verification.findings.map {
            Entry(kind: $0.kind.rawValue, job: $0.job, shard: $0.shard, reason: $0.reason, row: $0.row)
        }
    }
}
