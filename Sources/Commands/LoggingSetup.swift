public import ArgumentParser
public import Logging

/// How much a service says on standard error.
struct LoggingOptions: ParsableArguments {
    @Option(help: "Least serious message to log: trace, debug, info, notice, warning, error or critical.")
    var logLevel = Logger.Level.info

    /// A logger that writes to standard error.
    func logger(_ label: String) -> Logger {
        var logger = Logger(label: label) { ShownLogHandler($0) }
        logger.logLevel = logLevel
        return logger
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}

/// Writes to standard error what a terminal may show, one line an event: names and reasons in it come from peers.
struct ShownLogHandler: LogHandler {
    private var lines: StreamLogHandler

    init(_ label: String) { lines = StreamLogHandler.standardError(label: label) }

    var logLevel: Logger.Level {
        get { lines.logLevel }
        set { lines.logLevel = newValue }
    }

    var metadata: Logger.Metadata {
        get { lines.metadata }
        set { lines.metadata = newValue }
    }

    var metadataProvider: Logger.MetadataProvider? {
        get { lines.metadataProvider }
        set { lines.metadataProvider = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { lines[metadataKey: key] }
        set { lines[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) {
        var event = event
        event.message = "\("\(event.message)".onOneLine.shown)"
        event.metadata = event.metadata?.mapValues { "\("\($0)".onOneLine.shown)" }
        lines.log(event: event)
    }
}
