public import ArgumentParser
public import JobModel

/// How a batch is queued, where the command line says it instead of the batch file.
struct QueueArguments: ParsableArguments {
    @Option(help: "Batches of higher priority go first; default: 0.")
    var priority: Int32?

    @Option(name: .customLong("label"), help: ArgumentHelp("A label for finding the batch.", valueName: "key=value"))
    var labels: [String] = []

    @Option(help: "Cancel the rest once more jobs than this have failed: a number, or a share such as 3%.")
    var maxFails: FailureLimit?

    @Option(help: "Further attempts at a job that failed in a way that may pass.")
    var retries: Int?

    @Option(help: "Lost workers after which a job is given up.")
    var crashLimit: Int?

    @Option(help: "How long one attempt may run: such as 10m, or 300% of the median.")
    var timeout: TimeLimit?

    @Flag(help: "Run the last few jobs a second time if they take far longer than the median.")
    var secondRuns = false

    func validate() throws {
        guard (0...1000).contains(retries ?? 0) else { throw ValidationError("--retries must be from 0 to 1000") }
        guard (1...1000).contains(crashLimit ?? 1) else {
            throw ValidationError("--crash-limit must be from 1 to 1000")
        }
        for label in labels where label.split(separator: "=", maxSplits: 1).count != 2 {
            throw ValidationError("--label must be key=value, not '\(label)'")
        }
    }

    /// The options of the batch file with these in their place.
    func applied(to options: QueueOptions) -> QueueOptions {
        var options = options
        options.priority = priority ?? options.priority
        for (key, value) in Self.pairs(labels) { options.labels[key] = value }
        options.maxFails = maxFails ?? options.maxFails
        options.retries = retries ?? options.retries
        options.crashLimit = crashLimit ?? options.crashLimit
        options.timeout = timeout ?? options.timeout
        options.secondRuns = secondRuns || options.secondRuns
        return options
    }

    /// `key=value` texts as a dictionary.
    static func pairs(_ labels: [String]) -> [String: String] {
        var pairs: [String: String] = [:]
        for label in labels {
            let parts = label.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { pairs[String(parts[0])] = String(parts[1]) }
        }
        return pairs
    }
}

extension FailureLimit: ExpressibleByArgument {}
extension TimeLimit: ExpressibleByArgument {}
