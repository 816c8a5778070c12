public import ArgumentParser
public import Logging

/// How much a service says on standard error.
struct LoggingOptions: ParsableArguments {
    @Option(help: "Least serious message to log: trace, debug, info, notice, warning, error or critical.")
    var logLevel = Logger.Level.info

    /// A logger that writes to standard error.
    func logger(_ label: String) -> Logger {
        var logger = Logger(label: label) { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = logLevel
        return logger
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
