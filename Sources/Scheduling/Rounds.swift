/// Batches with jobs to hand out: those of the highest priority first, and in turn among equals.
struct Rounds {
    private var levels: [(priority: Int32, line: Line<Int32>)] = []

    /// How many priorities there are; 0 is the highest.
    var levelCount: Int { levels.count }
    /// Whether there is none.
    var isEmpty: Bool { levels.allSatisfy { $0.line.count == 0 } }
    /// All batches.
    var batches: [Int32] { levels.flatMap { $0.line.elements } }

    /// How many batches are in turn at a level.
    func count(at level: Int) -> Int { levels[level].line.count }

    /// Takes the batch whose turn it is at a level.
    mutating func pop(at level: Int) -> Int32? { levels[level].line.pop() }

    /// Takes a batch out, wherever it is.
    mutating func remove(_ batch: Int32) {
        for level in levels.indices where levels[level].line.elements.contains(batch) {
            levels[level].line.remove(batch)
        }
    }

    /// Lets a batch join the end of its line.
    mutating func push(_ batch: Int32, priority: Int32) {
        if let level = levels.firstIndex(where: { $0.priority == priority }) {
            levels[level].line.push(batch)
            return
        }
        var line = Line<Int32>()
        line.push(batch)
        let level = levels.firstIndex { $0.priority < priority } ?? levels.count
        levels.insert((priority, line), at: level)
    }
}
