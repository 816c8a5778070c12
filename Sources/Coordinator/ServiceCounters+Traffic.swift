internal import Monitoring

extension ServiceCounters {
    /// Counts a message that came in.
    mutating func noteReceived(_ frames: [[UInt8]], at port: AccessPort) {
        traffic[port.rawValue, default: Traffic()].received.messages += 1
        traffic[port.rawValue, default: Traffic()].received.bytes += UInt64(frames.reduce(0) { $0 + $1.count })
    }

    /// Counts a message that was handed to libzmq.
    mutating func noteSent(_ frames: [[UInt8]], at port: Outgoing.Port) {
        let name = port == .workers ? AccessPort.workers.rawValue : AccessPort.clients.rawValue
        traffic[name, default: Traffic()].sent.messages += 1
        traffic[name, default: Traffic()].sent.bytes += UInt64(frames.reduce(0) { $0 + $1.count })
    }

    /// Adds what those at the door have counted.
    mutating func add(_ gatekeeper: Gatekeeper, _ admission: Admission) {
        for port in AccessPort.allCases {
            let seen = gatekeeper.connections(of: port)
            traffic[port.rawValue, default: Traffic()].connections = (seen.accepted, seen.ended, seen.refused)
        }
        unauthorised = UInt64(admission.refused)
    }
}
