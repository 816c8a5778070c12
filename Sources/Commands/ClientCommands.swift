import ArgumentParser
import Coordinator
import Foundation
import JobModel
import WireProtocol

/// Where the coordinator is and how to print.
struct ClientOptions: ParsableArguments {
    @Option(help: "Where the coordinator listens for clients.")
    var connect = CoordinatorConfiguration.defaultClientEndpoint

    @Option(help: "Seconds that an answer of the coordinator may take.")
    var patience = 10.0

    @Option(help: "How to print: table or json.")
    var output = OutputFormat.table

    func validate() throws {
        guard (0.1...3600).contains(patience) else { throw ValidationError("--patience must be from 0.1 to 3600") }
    }

    /// The coordinator, which need not answer.
    func coordinator() throws -> CoordinatorClient {
        try CoordinatorClient(endpoint: connect, patience: .seconds(patience))
    }
}

/// `winnow submit`: hands a batch to a coordinator.
struct SubmitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit", abstract: "Hand a batch to a running coordinator and print its id.")

    @Argument(help: "The batch file, such as Jobs/demo.yaml.")
    var batch: String

    @Flag(help: "Wait until the batch is over, showing its progress.")
    var wait = false

    @OptionGroup var storage: StorageOptions
    @OptionGroup var client: ClientOptions

    func run() throws {
        let file = try storage.apply(to: BatchPreflight.load(batch))
        let coordinator = try client.coordinator()
        let id = try coordinator.submit(file)
        let results = try coordinator.status(id).batches.first?.results ?? file.description.results
        struct Submitted: Encodable {
            let batch: String
            let items: Int
            let results: String
        }
        switch client.output {
        case .json:
            try printJSON(Submitted(batch: id, items: file.itemCount, results: results))
        case .table: print("\(id): \(file.itemCount) items, results in \(results)")
        }
        guard wait else { return }
        let status = try coordinator.waitForEnd(of: id, showingProgress: client.output == .table)
        try endCommand(status.exitCode)
    }
}

/// `winnow status`: how batches and workers do.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show batches and workers; with a batch and --items, its items.")

    @Argument(help: "A batch id; all batches where it is left out.")
    var batch: String = ""

    @Flag(help: "List the items of the batch as well.")
    var items = false

    @OptionGroup var client: ClientOptions

    func validate() throws {
        guard !items || !batch.isEmpty else { throw ValidationError("--items needs a batch id") }
    }

    func run() throws {
        let coordinator = try client.coordinator()
        let answer = try coordinator.status(batch)
        guard batch.isEmpty || !answer.batches.isEmpty else {
            throw CommandFailure(ExitCodes.usage, "there is no batch \(batch); 'winnow status' lists those there are")
        }
        var listed: [ItemReport] = []
        if items { try coordinator.forEachItem(of: batch) { listed.append(ItemReport($0)) } }
        switch client.output {
        case .json:
            struct Status: Encodable {
                let batches: [BatchReport]
                let workers: [WorkerReport]
                let items: [ItemReport]?
            }
            try printJSON(
                Status(
                    batches: answer.batches.map(BatchReport.init), workers: answer.workers.map(WorkerReport.init),
                    items: items ? listed : nil))
        case .table:
            print(BatchReport.table(answer.batches.map(BatchReport.init)))
            if !answer.workers.isEmpty { print("\n" + WorkerReport.table(answer.workers.map(WorkerReport.init))) }
            if items { print("\n" + ItemReport.table(listed)) }
        }
    }
}

/// `winnow wait`: until a batch is over.
struct WaitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Wait until a batch is over; the exit code says how it ended.")

    @Argument(help: "The batch id.")
    var batch: String

    @OptionGroup var client: ClientOptions

    func run() throws {
        let coordinator = try client.coordinator()
        let status = try coordinator.waitForEnd(of: batch, showingProgress: client.output == .table)
        switch client.output {
        case .json: try printJSON(BatchReport(status))
        case .table: print(BatchReport.table([BatchReport(status)]))
        }
        try endCommand(status.exitCode)
    }
}

/// `winnow cancel`: stops what has not run yet.
struct CancelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Cancel the jobs of a batch that have not ended.")

    @Argument(help: "The batch id.")
    var batch: String

    @Option(help: "Why, for the record.")
    var reason = ""

    @OptionGroup var client: ClientOptions

    func run() throws {
        let coordinator = try client.coordinator()
        let cancelled = try coordinator.cancel(batch, reason: reason)
        switch client.output {
        case .json: try printJSON(["cancelled": cancelled])
        case .table: print("\(cancelled) jobs cancelled")
        }
    }
}
