import Allocation
import ArgumentParser
import FileLocks
import Foundation
import JobVocabulary

/// `winnow alloc`: workers on machines that a batch engine lends.
struct AllocCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alloc",
        abstract: "Get machines for workers from Slurm while jobs wait, and let them go when none does.",
        discussion: """
            A queue says which machines to ask for; 'winnow alloc serve', a process of its own on a machine that has sbatch, asks \
            for them. It needs no rights of the coordinator, and the coordinator none of Slurm.
            """,
        subcommands: [
            AddQueueCommand.self, ServeQueuesCommand.self, ListQueuesCommand.self, QueueInfoCommand.self,
            PauseQueueCommand.self, ResumeQueueCommand.self, RemoveQueueCommand.self, QueueEventsCommand.self,
        ])
}

/// Where allocation queues are kept.
struct QueueFolderOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The folder in which queues are kept; by default one in the state folder.", valueName: "folder"),
        completion: .directory)
    var queues: String?

    func validate() throws { try refuseEmptyPaths([("--queues", queues)]) }

    /// The folder that was named, or else the standard one.
    var folder: AllocationFolder {
        AllocationFolder(queues.map { URL(fileURLWithPath: $0) } ?? StateFolder.url.appendingPathComponent("queues"))
    }
}

/// An existing queue, by its name, and how to print what becomes of it.
struct NamedQueue: ParsableArguments {
    @Argument(help: "The queue's name.")
    var name: String

    @OptionGroup var place: QueueFolderOption

    @Option(help: "How to print: table, json (one value) or quiet.")
    var output = OutputFormat.table

    func validate() throws {
        guard QueueSettings.isName(name) else {
            throw ValidationError("'\(name)' is no queue's name: 1 to 32 letters, digits and hyphens")
        }
    }

    /// The queue.
    func settings() throws -> QueueSettings {
        guard let settings = try place.folder.queue(name) else {
            throw UnknownQueue.failure(name, among: place.folder.names(), in: place.folder)
        }
        return settings
    }

    /// Changes what is wanted of the queue, and says what follows.
    func change(_ text: String, _ change: (inout QueueSettings) -> Void) throws {
        var settings = try settings()
        change(&settings)
        try place.folder.save(settings)
        try output.show(["queue": name], table: "\(name): \(text)\(ServingNote.text(place.folder))", quiet: name)
    }
}

/// The failure of a command that names no queue.
enum UnknownQueue {
    /// - Parameter known: The names that may have been meant.
    static func failure(_ name: String, among known: [String], in folder: AllocationFolder) -> CommandFailure {
        CommandFailure(
            ExitCodes.usage,
            "there is no queue '\(name)'\(name.guess(among: known)); 'winnow alloc list' lists those of \(folder.path)")
    }
}

/// Says where nobody acts on what a queue asks for.
enum ServingNote {
    static func text(_ folder: AllocationFolder) -> String {
        folder.isServed ? "" : "\nnobody serves the queues at present; 'winnow alloc serve' does"
    }
}

/// `winnow alloc pause`: a queue asks for nothing more.
struct PauseQueueCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Ask for no more machines; those that are there go on.")

    @OptionGroup var queue: NamedQueue

    func run() throws { try queue.change("paused; what it has goes on") { $0.isPaused = true } }
}

/// `winnow alloc resume`: a queue goes on, whoever paused it.
struct ResumeQueueCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Let a queue go on that was paused, or paused itself after failures.")

    @OptionGroup var queue: NamedQueue

    func run() throws {
        try queue.change("it asks for machines again when jobs wait") {
            $0.isPaused = false
            $0.resumeCount += 1
        }
    }
}

/// `winnow alloc remove`: a queue ends what it has and is forgotten.
struct RemoveQueueCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "End a queue's allocations, whose workers finish first, and forget it.")

    @OptionGroup var queue: NamedQueue

    func run() throws {
        let folder = queue.place.folder
        // Whoever serves the queue may be about to ask for something: then it is the one to forget it.
        let isEmpty = try folder.state(of: queue.settings()).live.isEmpty
        guard !isEmpty || folder.isServed else {
            folder.forget(queue.name)
            return try queue.output.show(["queue": queue.name], table: "\(queue.name): removed", quiet: queue.name)
        }
        try queue.change("its allocations are ended, then it is removed") { $0.isRemoved = true }
    }
}

/// `winnow alloc events`: what happened.
struct QueueEventsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Show what happened to a queue and its allocations.")

    @Argument(help: "The queue's name, also of one that was removed; default: all queues.")
    var name: String?

    @Option(help: "Most events to show, the newest.")
    var limit = 100

    @OptionGroup var place: QueueFolderOption

    @Option(help: "How to print: table, json (one value) or quiet.")
    var output = OutputFormat.table

    func validate() throws {
        guard (1...1_000_000).contains(limit) else { throw ValidationError("--limit must be from 1 to 1000000") }
    }

    func run() throws {
        let all = place.folder.events()
        // A queue that was removed is known by what happened to it.
        let known = Set(place.folder.names() + all.map(\.queue))
        if let name, !known.contains(name) {
            throw UnknownQueue.failure(name, among: known.sorted(), in: place.folder)
        }
        let events = Array(all.filter { name == nil || $0.queue == name }.suffix(limit))
        var table = TextTable(["time", "queue", "allocation", "what happened"])
        for event in events {
            table.add([
                event.at.formatted(.iso8601), event.queue, event.allocation ?? "", event.text,
            ])
        }
        try output.show(
            events.map(Entry.init), table: events.isEmpty ? "nothing has happened yet" : table.text(),
            quiet: events.map(\.text).joined(separator: "\n"))
    }

    /// An event as it is printed.
    private struct Entry: Encodable {
        /// Seconds since 1970.
        let at: Double
        let queue: String
        let allocation: String?
        let event: String

        init(_ event: Event) {
            at = event.at.timeIntervalSince1970
            queue = event.queue
            allocation = event.allocation
            self.event = event.text
        }
    }
}
