public import AccessKeys
public import Foundation
public import Monitoring
public import Scheduling
internal import ZeroMQ

/// Where a coordinator listens, where it keeps its jobs, and its heartbeats, leases and limits.
public struct CoordinatorConfiguration: Sendable {
    /// The ports at which workers and clients connect unless told otherwise.
    public static let defaultWorkerPort = 5757, defaultClientPort = 5758
    /// The default endpoint for workers.
    public static let defaultWorkerEndpoint = "tcp://127.0.0.1:\(defaultWorkerPort)"
    /// The default endpoint for clients.
    public static let defaultClientEndpoint = "tcp://127.0.0.1:\(defaultClientPort)"

    /// The job store's file; made if it does not exist.
    public var store: URL
    /// Where workers connect; port `*` lets the system choose one.
    public var workerEndpoint: String
    /// Where clients connect; port `*` lets the system choose one.
    public var clientEndpoint: String
    /// Heartbeats, leases and limits.
    public var scheduling: SchedulerSettings
    /// How long a shutdown waits for workers to finish what they run.
    public var drainPatience: Duration
    /// The coordinator's own key and the list of those it lets in.
    public var keys = KeyFolder.standard
    /// Whether peers of this machine need a key as well; others always do.
    public var needsKeysOnLoopback = false

    /// Whether a row counts only if its shard is in the results folder; otherwise what workers say is believed, which
    /// measures the queue alone.
    public var confirmsShards = true

    /// Where the status page and the metrics are served; nil serves none.
    public var monitoring: ListenAddress?

    /// Whether a port is encrypted and open to authorised keys only.
    func isSecured(_ port: AccessPort) -> Bool {
        let endpoint =
            switch port {
            case .workers: workerEndpoint
            case .clients: clientEndpoint
            }
        return needsKeysOnLoopback || !EndpointReach.isLoopback(endpoint)
    }

    /// A configuration; loopback endpoints and the default times unless told otherwise.
    public init(
        store: URL, workerEndpoint: String = defaultWorkerEndpoint, clientEndpoint: String = defaultClientEndpoint,
        scheduling: SchedulerSettings = SchedulerSettings(), drainPatience: Duration = .seconds(60)
    ) {
        self.store = store
        self.workerEndpoint = workerEndpoint
        self.clientEndpoint = clientEndpoint
        self.scheduling = scheduling
        self.drainPatience = drainPatience
    }
}
