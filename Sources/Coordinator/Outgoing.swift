internal import JobModel
internal import WireProtocol

/// A message that is sent once all changes that it depends on are durable.
struct Outgoing {
    enum Port { case workers, clients }

    var port: Port
    /// The routing id of the connection.
    var peer: [UInt8]
    var frames: [[UInt8]]
    /// The request of a client that this answers.
    var request: UInt64 = 0
    /// Jobs that go back in line if the message cannot be delivered.
    var assigned: (worker: WorkerName, leases: [Lease])?
}
