public import FileLocks
public import Foundation
private import Glibc
internal import JobVocabulary

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
    /// Where workers' words go, a file for each allocation.
    public var logs: String { url.appendingPathComponent("logs").path }
    private var eventFile: URL { url.appendingPathComponent("events.jsonl") }
    private var formerEventFile: URL { url.appendingPathComponent("events.former.jsonl") }
    private var lockFile: URL { url.appendingPathComponent("served.lock") }

    /// The names of the queues, in order.
    public func names() -> [String] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
        let ending = ".queue.json"
        return files.filter { $0.hasSuffix(ending) }.map { String($0.dropLast(ending.count)) }.sorted()
    }

    /// A queue; nil if there is none of that name.
    public func queue(_ name: String) throws(AllocationError) -> QueueSettings? {
        let file = settingsFile(name)
        guard let settings: QueueSettings = try read(file) else { return nil }
        let flaw = settings.name == name ? settings.flaw : "its name is '\(settings.name)'"
        if let flaw {
            throw AllocationError(
                .unreadable,
                "\(file.lastPathComponent) does not describe queue '\(name)': \(flaw). Move it away, and add the queue again: "
                    + file.path)
        }
        return settings
    }

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

    /// Where the record of a queue is put whose own file is gone: a new queue of its name may need the usual place.
    private func asideFile(_ name: String, token: String) -> URL {
        url.appendingPathComponent("\(name).\(token).state.json")
    }

    /// What queues had done whose own files are gone, deleted by hand or replaced by a new queue of the name.
    ///
    /// What cannot be read is left out, because it may belong to a queue that is there.
    public func orphans() -> [QueueState] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
        var orphans: [String: QueueState] = [:]
        for file in files.sorted() where file.hasSuffix(".state.json") {
            guard let state: QueueState = try? read(url.appendingPathComponent(file)) else { continue }
            do {
                let settings: QueueSettings? = try read(settingsFile(state.name))
                if settings?.token != state.token { orphans[state.prefix] = state }
            } catch {
                continue
            }
        }
        return orphans.values.sorted { $0.prefix < $1.prefix }
    }

    /// Keeps what a queue has done whose own file is gone, where a new queue of its name does not overwrite it.
    public func save(orphan: QueueState) throws(AllocationError) {
        try write(orphan, asideFile(orphan.name, token: orphan.token))
        removeState(stateFile(orphan.name), of: orphan)
    }

    /// Removes what is kept of a queue whose own file is gone; what happened to it stays.
    public func forget(orphan: QueueState) {
        for file in [stateFile(orphan.name), asideFile(orphan.name, token: orphan.token)] {
            removeState(file, of: orphan)
        }
    }

    /// Removes a file if it is the record of a queue, and not of another one of its name.
    private func removeState(_ file: URL, of queue: QueueState) {
        guard let kept: QueueState = try? read(file), kept.token == queue.token else { return }
        try? FileManager.default.removeItem(at: file)
    }

    /// Removes a queue's files; what happened to it stays.
    public func forget(_ name: String) {
        for file in [stateFile(name), settingsFile(name)] { try? FileManager.default.removeItem(at: file) }
    }

    /// Most bytes of the file of events; then another begins, and the one before is kept.
    private static let mostEventBytes = 8 << 20

    /// Adds an event.
    public func note(_ event: Event) throws(AllocationError) {
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            let line = try Self.encoder.encode(event) + [UInt8(ascii: "\n")]
            let size = try? FileManager.default.attributesOfItem(atPath: eventFile.path)[.size] as? Int
            if let size, size > Self.mostEventBytes {
                try? FileManager.default.removeItem(at: formerEventFile)
                try FileManager.default.moveItem(at: eventFile, to: formerEventFile)
            }
            // Appended as one piece: commands and the serving process write here beside each other.
            let descriptor = Glibc.open(eventFile.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
            defer { close(descriptor) }
            let count = line.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count == line.count else { throw CocoaError(.fileWriteOutOfSpace) }
        } catch {
            throw AllocationError(
                .unwritable, "an event cannot be noted: \(error). Check the disk and permissions of \(eventFile.path)")
        }
    }

    /// The events of one queue, or of all if `queue` is nil, oldest first.
    public func events(of queue: String? = nil) -> [Event] {
        let text = [formerEventFile, eventFile].map { (try? String(contentsOf: $0, encoding: .utf8)) ?? "" }.joined()
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
        let encoder = JSONEncoder.canonical
        encoder.dateEncodingStrategy = .secondsSince1970
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
                "\(file.lastPathComponent) \(error is DecodingError ? "does not hold what it should" : "cannot be read"). Another "
                    + "version may have written it, or something cut it short; move it away: \(file.path)"
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
