extension ServiceSnapshot {
    /// Everything a Prometheus server is told; `ops/monitoring.md` lists the names.
    ///
    /// - Parameter age: seconds since the coordinator made this snapshot.
    func metrics(age: Double, process: ProcessUsage) -> String {
        var text = MetricText()
        text.gauge("winnow_build_info", "Always 1; the label tells the version.", [([("version", software)], 1)])
        jobMetrics(&text)
        workerMetrics(&text)
        trafficMetrics(&text)
        text.histogram(
            "winnow_store_commit_seconds", "Time that each group of changes took to become durable.",
            counters.commitTime)
        text.gauge(
            "winnow_store_healthy", "1 while changes can be made durable, otherwise 0.", store == .healthy ? 1 : 0)
        text.gauge("winnow_store_bytes", "Size of the job store's files.", Double(storeBytes))
        text.gauge("winnow_snapshot_age_seconds", "Age of these numbers; large if the coordinator hangs.", age)
        process.write(to: &text, startedAt: startedAt)
        return text.text
    }

    private func jobMetrics(_ text: inout MetricText) {
        var jobs = ["waiting": 0.0, "running": 0, "succeeded": 0, "failed": 0, "cancelled": 0]
        var states = ["open": 0.0, "running": 0, "finished": 0, "cancelled": 0]
        for batch in batches {
            states[batch.state, default: 0] += 1
            for (state, count) in batch.jobs { jobs[state, default: 0] += Double(count) }
        }
        text.gauge("winnow_jobs", "Jobs of all batches by state.", Self.labelled("state", jobs))
        text.gauge("winnow_batches", "Batches by state.", Self.labelled("state", states))
        text.counter("winnow_attempts_total", "Attempts that have started.", counters.attempts)
        text.counter(
            "winnow_jobs_ended_total", "Jobs that ended, by outcome.",
            counters.ended.sorted { $0.key < $1.key }.map { ([("outcome", $0.key)], $0.value) })
        text.counter(
            "winnow_retries_total", "Attempts that ended without a result; the job waits again.",
            counters.requeued)
        text.counter(
            "winnow_lease_expiries_total", "Leases that ran out without progress.", counters.leaseExpiries)
        text.counter("winnow_stale_rows_total", "Reported rows whose attempt no longer counted.", counters.staleRows)
        text.counter("winnow_result_bytes_total", "Bytes of reported result files.", counters.resultBytes)
        text.histogram(
            "winnow_queue_wait_seconds", "From the acceptance of a batch to each assignment.", counters.queueWait)
        text.histogram("winnow_job_seconds", "Work on each job, as its worker measured it.", counters.jobTime)
    }

    private func workerMetrics(_ text: inout MetricText) {
        var states = ["idle": 0.0, "busy": 0, "draining": 0, "resting": 0, "unable": 0, "lost": 0]
        for worker in workers { states[worker.state, default: 0] += 1 }
        text.gauge("winnow_workers", "Workers by state.", Self.labelled("state", states))
        text.gauge(
            "winnow_worker_slots", "Jobs that all connected workers together work on at once.",
            workers.filter { $0.state != "lost" }.reduce(0) { $0 + Double($1.capacity) })
        text.counter(
            "winnow_workers_joined_total", "Workers that joined, each return included.", counters.workersJoined)
        text.counter("winnow_workers_lost_total", "Workers that fell silent.", counters.workersLost)
    }

    private func trafficMetrics(_ text: inout MetricText) {
        let ports = counters.traffic.sorted { $0.key < $1.key }.map { (labels: [("port", $0.key)], traffic: $0.value) }
        func counter(_ name: String, _ help: String, _ value: (ServiceCounters.Traffic) -> UInt64) {
            text.counter(name, help, ports.map { ($0.labels, value($0.traffic)) })
        }
        counter("winnow_messages_received_total", "Messages that came in, by port.") { $0.received.messages }
        counter("winnow_messages_sent_total", "Messages that went out, by port.") { $0.sent.messages }
        counter("winnow_received_bytes_total", "Bytes of messages that came in, by port.") { $0.received.bytes }
        counter("winnow_sent_bytes_total", "Bytes of messages that went out, by port.") { $0.sent.bytes }
        counter("winnow_connections_accepted_total", "Connections taken, by port.") {
            UInt64(clamping: $0.connections.accepted)
        }
        counter("winnow_connections_refused_total", "Connections refused: no valid key, or another protocol.") {
            UInt64(clamping: $0.connections.refused)
        }
        text.gauge(
            "winnow_connections", "Open connections, by port.",
            ports.map { ($0.labels, Double($0.traffic.connections.accepted - $0.traffic.connections.ended)) })
        text.counter(
            "winnow_messages_dropped_total", "Messages thrown away, by reason.",
            [([("reason", "malformed")], counters.malformed), ([("reason", "unauthorised")], counters.unauthorised)])
    }

    private static func labelled(_ name: String, _ values: [String: Double]) -> [(MetricText.Labels, Double)] {
        values.sorted { $0.key < $1.key }.map { ([(name, $0.key)], $0.value) }
    }
}
