public import Foundation

/// A batch job that brings workers: what the engine and the coordinator last said of it.
public struct Allocation: Codable, Sendable, Hashable {
    /// What an allocation is doing.
    public enum State: String, Codable, Sendable {
        /// The engine was asked for it and has not said yes or no.
        case submitting
        /// It waits in the engine's line.
        case queued
        /// Its machine is there.
        case running
        /// The engine holds its processes: they do nothing for now.
        case suspended
        /// The engine uses a word for it that is not known here; it is not taken for a running one.
        case unknown
        /// Its batch job has ended, or was refused.
        case ended
    }

    /// How an allocation ended.
    public enum End: Codable, Sendable, Hashable {
        /// Its workers ended by themselves.
        case completed
        /// Its time limit was reached.
        case timeLimit
        /// The engine was told to end it.
        case cancelled
        /// Its machine was lost or given to others.
        case machineLost
        /// The engine does not know it any more.
        case vanished
        /// The engine refused it, or its workers failed.
        case failed(String)
    }

    /// Its number in its queue, from 1.
    public let number: Int
    /// Its name in the engine; its workers' names begin with it.
    public let name: String
    /// The engine's number of it, with the name of the cluster where the engine gives one.
    public internal(set) var job: JobNumber?
    /// What it is doing.
    public internal(set) var state: State
    /// Why it waits or ended, in the engine's words.
    public internal(set) var reason = ""
    /// When the engine was asked for it.
    public let submittedAt: Date
    /// When it was first seen to run.
    public internal(set) var startedAt: Date?
    /// When it was seen to have ended.
    public internal(set) var endedAt: Date?
    /// How it ended; nil before.
    public internal(set) var end: End?
    /// Whether a worker of it ever said hello.
    public internal(set) var hadWorker = false
    /// Jobs that its workers ended.
    public internal(set) var finished: UInt64 = 0
    /// Why a worker of it got no jobs, when it last said so.
    public internal(set) var note = ""
    /// Whether the engine ever listed it.
    var wasListed = false
    /// Listings of the engine in a row that did not have it.
    var missing = 0
    /// When the engine was last asked to end it; nil if it never was.
    var askedToEndAt: Date?

    /// An allocation that the engine is about to be asked for.
    init(number: Int, name: String, at now: Date) {
        self.number = number
        self.name = name
        state = .submitting
        submittedAt = now
    }

    /// Whether it may hold a machine, or get one.
    public var isLive: Bool { state != .ended }
    /// Whether it brings workers that have not come yet.
    var isExpected: Bool {
        switch state {
        case .submitting, .queued: true
        case .running, .suspended, .unknown: !hadWorker
        case .ended: false
        }
    }
}

/// The engine's number of a job, and the cluster that it is on where the site has several.
public struct JobNumber: Codable, Sendable, Hashable {
    /// The number.
    public var id: String
    /// The cluster; nil for the one that commands talk to.
    public var cluster: String?

    /// A number of the usual cluster, or of another.
    public init(id: String, cluster: String? = nil) {
        self.id = id
        self.cluster = cluster
    }
}
