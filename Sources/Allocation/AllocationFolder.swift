public import FileLocks
public import Foundation

/// Where queues are kept: what users want of each, what the process that serves them did, and what happened.
///
/// Commands write the wishes, one process writes the states: nobody's change overwrites another's.
public struct AllocationFolder: Sendable {
    private let url: URL

    /// A folder, made when the first queue is added.
    public init(_ url: URL) { self.url = url }

    /// The path, for messages.
    public var path: String { url.path }

    private func settingsFile(_ name: String) -> URL { url.appendingPathComponent("\(name).queue.json") }
    private func stateFile(_ name: String) -> URL { url.appendingPathComponent("\(name).state.json") }
    private var eventFile: URL { url.appendingPathComponent("events.jsonl") }
    private var lockFile: URL { url.appendingPathComponent("served.lock") }

    /// The queues by name.
    public func queues() throws(AllocationError) -> [QueueSettings] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
        var queues: [QueueSettings] = []
        for name in names.filter({ $0.hasSuffix(".queue.json") }).sorted() {
            // It may have been forgotten meanwhile.
            if let queue: QueueSettings = try read(url.appendingPathComponent(name)) { queues.append(queue) }
        }
        return queues
    }

    /// A queue; nil if there is none of that name.
    public func queue(_ name: String) throws(AllocationError) -> QueueSettings? { try read(settingsFile(name)) }

    /// Keeps what is wanted of a queue.
    public func save(_ settings: QueueSettings) throws(AllocationError) {
        try write(settings, settingsFile(settings.name))
    }

    /// What a queue has done: nothing if it was never served. What an earlier queue of its name did does not count.
    public func state(of settings: QueueSettings) throws(AllocationError) -> QueueState {
        let kept: QueueState? = try read(stateFile(settings.name))
        return kept.flatMap { $0.token == settings.token ? $0 : nil } ?? QueueState(of: settings)
    }

    /// Keeps what a queue has done.
    public func save(_ state: QueueState) throws(AllocationError) { try write(state, stateFile(state.name)) }

    /// Removes a queue's files; what happened to it stays.
    public func forget(_ name: String) {
        for file in [stateFile(name), settingsFile(name)] { try? FileManager.default.removeItem(at: file) }
    }

    /// Adds an event, durable or not.
    public func note(_ event: Event) throws {
        let line = try Self.encoder.encode(event) + [UInt8(ascii: "\n")]
        if !FileManager.default.fileExists(atPath: eventFile.path) {
            _ = FileManager.default.createFile(atPath: eventFile.path, contents: nil)
        }
        let handle = try FileHandle(forWritingTo: eventFile)
        defer { try? handle.close() }
        try handle.seekToEnd()
        try handle.write(contentsOf: line)
    }

    /// What happened, oldest first: of one queue, or all if `queue` is nil.
    public func events(of queue: String? = nil) -> [Event] {
        let text = (try? String(contentsOf: eventFile, encoding: .utf8)) ?? ""
        // The last line may not be whole yet.
        let events = text.split(separator: "\n").compactMap {
            try? Self.decoder.decode(Event.self, from: Data($0.utf8))
        }
        return events.filter { queue == nil || $0.queue == queue }
    }

    /// Holds the folder for the one process that serves its queues.
    public func lock() throws(FileLock.Failure) -> FileLock {
        try? FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return try FileLock(.file(lockFile.path), waits: false)
    }

    /// Whether some process serves the queues.
    public var isServed: Bool { FileLock.isHeld(lockFile.path) }

    private static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .secondsSince1970
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
    private static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .secondsSince1970
        return decoder
    }

    private func read<Value: Decodable>(_ file: URL) throws(AllocationError) -> Value? {
        guard FileManager.default.fileExists(atPath: file.path) else { return nil }
        do {
            return try Self.decoder.decode(Value.self, from: Data(contentsOf: file))
        } catch {
            throw AllocationError(
                .unreadable,
                "\(file.lastPathComponent) cannot be read: \(error). Another version may have written it; move it away: \(file.path)"
            )
        }
    }

    private func write(_ value: some Encodable, _ file: URL) throws(AllocationError) {
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            try Self.encoder.encode(value).write(to: file, options: .atomic)
        } catch {
            throw AllocationError(
                .unwritable,
                "\(file.lastPathComponent) cannot be written: \(error). Check the disk and permissions of \(path)")
        }
    }
}
