/// The batch script of an allocation: it starts workers, passes the engine's announcement of the end on, and waits for them.
public struct BatchScript: Sendable, Hashable {
    /// The script, for any POSIX shell.
    public let text: String

    /// The script of an allocation of a queue.
    ///
    /// Slurm signals the end to the batch shell alone (`--signal=B:USR1@…`), so the shell passes it on; what ends a job,
    /// `scancel` or the time limit, is signalled to every process, so the shell only has to survive that and wait.
    public init(_ settings: QueueSettings, name: String) {
        let grace = max(1, settings.notice - 10)
        func seconds(_ value: Double) -> String { "\(Int(value.rounded(.up)))s" }
        let command =
            [settings.program, "worker", "--connect", settings.endpoint]
            + ["--idle-timeout", seconds(settings.idleTimeout), "--lifetime", seconds(settings.lifetime)]
            + ["--grace", seconds(grace), "--no-coordinator-timeout", seconds(max(300, settings.idleTimeout))]
            + settings.workerOptions
        let numbers = (1...settings.workersPerAllocation).map(String.init).joined(separator: " ")
        text = """
            #!/bin/sh
            # Workers of winnow's allocation queue '\(settings.name)'.
            spool=$(mktemp -d) || exit 1
            pids=
            for number in \(numbers); do
                \(command.map(Self.quoted).joined(separator: " ")) \\
                    --name "\(name)-$number" --spool "$spool/$number" &
                pids="$pids $!"
            done
            trap 'kill -USR1 $pids' USR1
            trap : TERM INT HUP
            status=0
            for pid in $pids; do
                # A signal ends the waiting, not the worker.
                wait "$pid"; code=$?
                while kill -0 "$pid" 2>/dev/null; do wait "$pid"; code=$?; done
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
