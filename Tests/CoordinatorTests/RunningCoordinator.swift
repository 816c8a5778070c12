import Coordinator
import Foundation
import Logging
import Scheduling
import Synchronization
import Testing
import ZeroMQ

/// A coordinator on its own thread; its patience with silent workers is a minute, unless a test is about just that.
final class RunningCoordinator: Sendable {
    private let service: CoordinatorService
    private let ended = DispatchSemaphore(value: 0)
    private let failure = Mutex<(any Error)?>(nil)
    private let found = Mutex<CoordinatorService.Endpoints?>(nil)

    /// Starts over a store and returns once it listens.
    init(
        store: URL, heartbeat: Duration = .seconds(20), configure: (inout CoordinatorConfiguration) -> Void = { _ in }
    ) throws {
        var logger = Logger(label: "coordinator")
        logger.logLevel = .critical
        var configuration = CoordinatorConfiguration(
            store: store, workerEndpoint: "tcp://127.0.0.1:*", clientEndpoint: "tcp://127.0.0.1:*",
            scheduling: SchedulerSettings(heartbeat: heartbeat, missedHeartbeats: 3, lease: .seconds(120)))
        // The workers of these tests write no shards, except where a test is about just that.
        configuration.confirmsShards = false
        configure(&configuration)
        service = try CoordinatorService(configuration, logger: logger)
        let ready = DispatchSemaphore(value: 0)
        let thread = Thread { [self] in
            do {
                try service.run { endpoints in
                    found.withLock { $0 = endpoints }
                    ready.signal()
                }
            } catch {
                failure.withLock { $0 = error }
                ready.signal()
            }
            ended.signal()
        }
        thread.start()
        ready.wait()
        if let error = failure.withLock({ $0 }) { throw error }
    }

    /// Where it listens.
    var endpoints: CoordinatorService.Endpoints {
        get throws { try #require(found.withLock { $0 }) }
    }

    /// Stops it and waits for its end.
    func stop() throws {
        service.stop()
        try waitForEnd()
    }

    /// Waits until it ends by itself.
    func waitForEnd() throws {
        #expect(ended.wait(timeout: .now() + 30) == .success)
        if let error = failure.withLock({ $0 }) { throw error }
    }
}
