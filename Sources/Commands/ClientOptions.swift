import AccessKeys
import ArgumentParser
import Coordinator

/// Where the coordinator is and how to print.
struct ClientOptions: ParsableArguments {
    @Option(help: "Where the coordinator listens for clients.")
    var connect = CoordinatorConfiguration.defaultClientEndpoint

    @OptionGroup var access: KeyArguments

    @Option(help: "Seconds to wait for an answer of the coordinator.")
    var patience = 10.0

    @Option(help: "How to print: table, json (one value) or quiet.")
    var output = OutputFormat.table

    func validate() throws {
        guard (0.1...3600).contains(patience) else { throw ValidationError("--patience must be from 0.1 to 3600") }
    }

    /// The coordinator, which need not answer.
    func coordinator() throws -> CoordinatorClient {
        try CoordinatorClient(
            endpoint: connect, patience: .seconds(patience), security: access.security(for: connect, as: .client))
    }
}
