/// Results that equal requests share: computed for the first, remembered for those that come soon after.
///
/// Questions about one picture come together; tower and prompt prefix cost far more than what is their own.
struct SharedResults<Value> {
    private var entries: [String: (value: Value, bytes: Int, lastUse: Int)] = [:]
    private var clock = 0
    private var bytes = 0
    /// Bytes of values that are remembered at most.
    let bound: Int
    private let size: (Value) -> Int

    /// Remembers at most `bound` bytes of values, each of `size`; those used longest ago make room.
    init(bound: Int, size: @escaping (Value) -> Int) {
        self.bound = bound
        self.size = size
    }

    /// Whether the value under `key` is remembered.
    func contains(_ key: String) -> Bool { entries[key] != nil }

    /// A value for each key: remembered, or computed once for all that have the same key; nil keys share with nobody.
    ///
    /// `compute` gets the places in `keys` to compute for and returns their values. `isNew` says which places those were.
    mutating func values(
        for keys: [String?], compute: ([Int]) throws -> [Value]
    ) rethrows -> (values: [Value], isNew: [Bool]) {
        var found = keys.map { $0.flatMap { recall($0) } }
        var firstPlace: [String: Int] = [:]
        let missing = keys.indices.filter { place in
            guard found[place] == nil else { return false }
            guard let key = keys[place] else { return true }
            if firstPlace[key] != nil { return false }
            firstPlace[key] = place
            return true
        }
        if !missing.isEmpty {
            for (place, value) in zip(missing, try compute(missing)) {
                found[place] = value
                if let key = keys[place] { remember(value, key) }
            }
        }
        for place in keys.indices where found[place] == nil {
            found[place] = keys[place].flatMap { firstPlace[$0] }.flatMap { found[$0] }
        }
        let values = found.compactMap(\.self)
        precondition(values.count == keys.count, "compute returns a value for each place")
        return (values, keys.indices.map { missing.contains($0) })
    }

    /// The value under `key`, where it is remembered.
    mutating func recall(_ key: String) -> Value? {
        guard let entry = entries[key] else { return nil }
        clock += 1
        entries[key]?.lastUse = clock
        return entry.value
    }

    /// Keeps a value for those who ask for `key`, where it is not too large.
    mutating func remember(_ value: Value, _ key: String) {
        let size = size(value)
        guard size <= bound, entries[key] == nil else { return }
        clock += 1
        entries[key] = (value, size, clock)
        bytes += size
        while bytes > bound, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            entries[oldest.key] = nil
            bytes -= oldest.value.bytes
        }
    }
}
