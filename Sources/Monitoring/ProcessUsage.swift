private import Glibc

/// What the process itself uses, under the names that Prometheus's own client libraries give it.
struct ProcessUsage {
    private var cpuSeconds = 0.0
    private var residentBytes = 0.0
    private var openFiles = 0.0
    private var maximumFiles = 0.0

    /// As it is now, from /proc.
    static func now() -> ProcessUsage {
        var usage = ProcessUsage()
        var resources = rusage()
        if getrusage(RUSAGE_SELF.rawValue, &resources) == 0 {
            usage.cpuSeconds = seconds(resources.ru_utime) + seconds(resources.ru_stime)
        }
        if let pages = firstNumbers(of: "/proc/self/statm"), pages.count > 1 {
            usage.residentBytes = Double(pages[1]) * Double(sysconf(Int32(_SC_PAGESIZE)))
        }
        if let folder = opendir("/proc/self/fd") {
            defer { closedir(folder) }
            // The entries . and .. and the folder that is being read do not count.
            var count = -3
            while readdir(folder) != nil { count += 1 }
            usage.openFiles = Double(max(0, count))
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            usage.maximumFiles = Double(limit.rlim_cur)
        }
        return usage
    }

    func write(to text: inout MetricText, startedAt: Double) {
        text.gauge("process_start_time_seconds", "When the process started, in seconds since 1970.", startedAt)
        text.gauge("process_resident_memory_bytes", "Memory in use.", residentBytes)
        text.gauge("process_open_fds", "Open file descriptors.", openFiles)
        text.gauge("process_max_fds", "Most file descriptors that may be open.", maximumFiles)
        text.secondsCounter("process_cpu_seconds_total", "Processor time used.", cpuSeconds)
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

    private static func firstNumbers(of path: String) -> [Int]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        guard fgets(&line, Int32(line.count), file) != nil else { return nil }
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return text.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    }
}
