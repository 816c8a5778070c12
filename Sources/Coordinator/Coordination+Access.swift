internal import Logging
internal import WireProtocol

extension Coordination {
    /// Disconnects a worker whose key no longer counts; its jobs wait for other workers.
    mutating func expel(_ peer: [UInt8]) throws {
        guard let worker = peers[peer]?.name else { return }
        logger.warning("sent a worker away, its key was revoked", metadata: [LogKey.worker: "\(worker)"])
        tell(peer: peer) {
            $0.refusal = WireRefusal(
                code: "key-revoked",
                message: "The key of this worker was revoked; ask the coordinator's operator for one.")
        }
        try depart(worker, peer)
    }
}
