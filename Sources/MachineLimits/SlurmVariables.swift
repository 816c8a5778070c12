/// What Slurm says in the environment of a job about the share of the machine that the job asked for (sbatch(1), "OUTPUT
/// ENVIRONMENT VARIABLES").
enum SlurmVariables {
    /// The processors of one task; nil if Slurm does not say.
    static func processors(_ environment: [String: String]) -> Int? {
        count("SLURM_CPUS_PER_TASK", environment)
    }

    /// The memory of the job on this machine, in bytes; nil if Slurm does not say, or the job has all memory of the machine.
    ///
    /// Slurm counts in MiB, and 0 stands for all memory. A step may have a limit of its own beside that of its job: the smaller
    /// one counts.
    static func memory(_ environment: [String: String]) -> Int? {
        var limits = [count("SLURM_MEM_PER_NODE", environment)]
        if let each = count("SLURM_MEM_PER_CPU", environment),
            let processors = count("SLURM_CPUS_ON_NODE", environment)
        {
            limits.append(product(each, processors))
        }
        return limits.compactMap { $0.flatMap { product($0, 1 << 20) } }.min()
    }

    /// A variable that is a positive integer; nil otherwise.
    private static func count(_ name: String, _ environment: [String: String]) -> Int? {
        environment[name].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    }

    /// The product of two counts; nil if no machine has so much.
    private static func product(_ first: Int, _ second: Int) -> Int? {
        let (product, overflows) = first.multipliedReportingOverflow(by: second)
        return overflows ? nil : product
    }
}
