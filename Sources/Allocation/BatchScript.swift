/// The batch script of an allocation: it starts workers, passes the engine's announcement of the end on, and waits for them.
public struct BatchScript: Sendable, Hashable {
    /// The script, for any POSIX shell.
    public let text: String

    /// The script of an allocation of a queue.
    ///
    /// Slurm signals the end to the batch shell alone (`--signal=B:USR1@…`), so the shell passes it on. What ends a job,
    /// `scancel` or the time limit, is signalled to every process and kills within half a minute (`KillWait`), so workers hear of it
    /// twice and hand back what they run.
    public init(_ settings: QueueSettings, name: String) {
        let grace = max(1, settings.notice - 10)
        let patience = min(max(300, settings.idleTimeout), max(30, settings.lifetime / 2))
        // One worker finds out by itself what it may use, memory and processors; several share processors, and the queue's
        // options give each its memory.
        let isShared =
            settings.workersPerAllocation > 1 && !settings.workerOptions.contains { $0.hasPrefix("--threads") }
        let share =
            "$(( (${SLURM_CPUS_ON_NODE:-1} + \(settings.workersPerAllocation - 1)) / \(settings.workersPerAllocation) ))"
        func seconds(_ value: Double) -> String { "\(Int(value.rounded(.up)))s" }
        let command =
            [settings.program, "worker", "--connect", settings.endpoint]
            + ["--idle-timeout", seconds(settings.idleTimeout), "--lifetime", seconds(settings.lifetime)]
            + ["--grace", seconds(grace), "--no-coordinator-timeout", seconds(patience)]
            + settings.workerOptions
        let numbers = (1...settings.workersPerAllocation).map(String.init).joined(separator: " ")
        text = """
            #!/bin/sh
            # Workers of winnow's allocation queue '\(settings.name)'.
            spool=$(mktemp -d 2>/dev/null || TMPDIR=/tmp mktemp -d) || exit 1
            pids=
            trap '[ -z "$pids" ] || kill -USR1 $pids' USR1
            # To workers that were signalled as well, as by scancel, this is the second signal: they hand back at once.
            trap '[ -z "$pids" ] || kill -TERM $pids' TERM INT HUP
            for number in \(numbers); do
                \(command.map(Self.quoted).joined(separator: " ")) \\
                    --name "\(name)-$number" --spool "$spool/$number"\(isShared ? " --threads \"\(share)\"" : "") &
                pids="$pids $!"
            done
            status=0
            for pid in $pids; do
                # A signal ends the waiting, not the worker.
                wait "$pid"; code=$?
                while kill -0 "$pid" 2>/dev/null; do wait "$pid"; code=$?; done
                # Some shells keep the status of a worker that ended while a signal came.
                if [ "$code" -gt 128 ]; then wait "$pid" 2>/dev/null; last=$?; [ "$last" -eq 127 ] || code=$last; fi
                [ "$code" -eq 0 ] || status=$code
            done
            rm -rf "$spool"
            exit "$status"

            """
    }

    /// A word as the shell takes it, whatever is in it.
    package static func quoted(_ word: String) -> String {
        let isPlain =
            !word.isEmpty && word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_./:=,@%+".contains($0)) }
        return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
    }
}
