/// Byte-pair encoding: which two neighbouring tokens become one, the most frequent pair of the training text first
/// (Sennrich, Haddow and Birch 2016).
struct PairMerges: Sendable {
    private struct Merge {
        let rank: Int32
        let id: Int32
    }

    private var merges: [UInt64: Merge] = [:]
    /// The token that each rank makes.
    private var results: [Int32] = []

    /// Makes room for `count` merges.
    mutating func reserveCapacity(_ count: Int) {
        merges.reserveCapacity(count)
        results.reserveCapacity(count)
    }

    /// Adds the next merge in the order of rank; of a pair that comes twice the last one counts.
    mutating func append(_ left: Int, _ right: Int, to id: Int) {
        merges[Self.key(Int32(left), Int32(right))] = Merge(rank: Int32(results.count), id: Int32(id))
        results.append(Int32(id))
    }

    /// Merges neighbours until no merge applies, lowest rank first and of equal ones the leftmost.
    ///
    /// n tokens take a time of n log n: the candidates are in a heap, and the tokens in a linked list.
    func merge(_ tokens: [Int32]) -> [Int] {
        guard tokens.count > 1 else { return tokens.map(Int.init) }
        var tokens = tokens
        var next = (1...tokens.count).map(Int32.init)
        var previous = (0..<tokens.count).map { Int32($0) - 1 }
        let end = Int32(tokens.count)
        var heap = CandidateHeap()
        func push(_ left: Int32, _ right: Int32) {
            if let merge = merges[Self.key(tokens[Int(left)], tokens[Int(right)])] {
                heap.push(UInt64(merge.rank) << 32 | UInt64(left))
            }
        }
        for place in 0..<end - 1 { push(place, place + 1) }
        while let candidate = heap.pop() {
            let place = Int32(candidate & 0xffff_ffff), id = results[Int(candidate >> 32)]
            let right = next[Int(place)]
            // Either token may have become part of another since.
            guard tokens[Int(place)] >= 0, right < end,
                merges[Self.key(tokens[Int(place)], tokens[Int(right)])]?.id == id
            else { continue }
            tokens[Int(place)] = id
            tokens[Int(right)] = -1
            let after = next[Int(right)]
            next[Int(place)] = after
            if previous[Int(place)] >= 0 { push(previous[Int(place)], place) }
            if after < end {
                previous[Int(after)] = place
                push(place, after)
            }
        }
        return tokens.compactMap { $0 < 0 ? nil : Int($0) }
    }

    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }
}

/// A binary heap of rank and place, the smallest first.
private struct CandidateHeap {
    private var entries: [UInt64] = []

    mutating func push(_ entry: UInt64) {
        entries.append(entry)
        var child = entries.count - 1
        while child > 0, entries[(child - 1) / 2] > entries[child] {
            entries.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop() -> UInt64? {
        guard let last = entries.popLast() else { return nil }
        guard let first = entries.first else { return last }
        entries[0] = last
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < entries.count else { break }
            if child + 1 < entries.count, entries[child + 1] < entries[child] { child += 1 }
            guard entries[child] < entries[parent] else { break }
            entries.swapAt(child, parent)
            parent = child
        }
        return first
    }
}
