internal import Foundation
internal import WireProtocol

/// Reports of sealed shards that the coordinator has not answered yet, one file each: a worker that is killed while the
/// coordinator is away finds them again at its next start, and nothing that is written has to be computed twice.
///
/// Files survive the end of the process. They are not synced: after a loss of power the jobs of a lost report run again.
struct ReportSpool {
    private let folder: URL

    /// A spool in a folder of its own, which is made if needed.
    init(_ folder: URL) throws(WorkerError) {
        self.folder = folder
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw WorkerError(
                .spool, "the spool folder \(folder.path) cannot be made: \(error). Name another one with --spool.")
        }
    }

    /// Keeps a report until it is removed.
    func save(_ report: WireShardReport) throws {
        try Data(report.kept()).write(to: file(report.shard), options: .atomic)
    }

    /// Forgets a report.
    func remove(shard: String) { try? FileManager.default.removeItem(at: file(shard)) }

    /// The reports that are left, oldest first. A file that was not written to its end is removed; one that cannot be read
    /// just now stays for the next start.
    func reports() -> [WireShardReport] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".report") }.sorted().compactMap { name in
            let url = folder.appendingPathComponent(name)
            guard let bytes = try? Data(contentsOf: url) else { return nil }
            guard let report = WireShardReport(kept: [UInt8](bytes)) else {
                try? FileManager.default.removeItem(at: url)
                return nil
            }
            return report
        }
    }

    private func file(_ shard: String) -> URL {
        let name = URL(fileURLWithPath: shard).deletingPathExtension().lastPathComponent
        return folder.appendingPathComponent(name + ".report")
    }
}
