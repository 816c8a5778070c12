/// A first-in, first-out line; both ends cost O(1) on average.
struct Line<Element> {
    fileprivate var storage: [Element] = []
    fileprivate var head = 0

    /// The element whose turn it is.
    var first: Element? { head < storage.count ? storage[head] : nil }
    /// How many are in line.
    var count: Int { storage.count - head }
    /// Everyone in line, first to last.
    var elements: ArraySlice<Element> { storage[head...] }

    /// Joins the line at its end.
    mutating func push(_ element: Element) { storage.append(element) }

    /// Takes the first out.
    mutating func pop() -> Element? {
        guard let element = first else { return nil }
        head += 1
        if head > 64, head > storage.count / 2 {
            storage.removeFirst(head)
            head = 0
        }
        return element
    }
}

extension Line where Element: Equatable {
    /// Leaves the line, in O(n).
    mutating func remove(_ element: Element) {
        storage = storage[head...].filter { $0 != element }
        head = 0
    }
}
