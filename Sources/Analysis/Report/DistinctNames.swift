internal import Foundation

/// Names under which several results are told apart in one report.
///
/// A name that is there once stays as it is. Several of one name get their methods behind it if those differ, else as many
/// of the last parts of their paths as it takes.
struct DistinctNames {
    /// The names, in the order of what they name.
    let names: [String]

    init(_ named: [(name: String, method: String, path: String)]) {
        var names = named.map(\.name)
        for same in Dictionary(grouping: named.indices, by: { named[$0].name }).values where same.count > 1 {
            let methods = same.map { named[$0].method }
            let paths = same.map { named[$0].path.split(separator: "/").map(String.init) }
            func ends(_ count: Int) -> [String] { paths.map { $0.suffix(count).joined(separator: "/") } }
            let deepest = max(1, paths.map(\.count).max() ?? 1)
            let count = (1...deepest).first { Set(ends($0)).count == same.count } ?? deepest
            let tellApart = Set(methods).count == same.count
            for (place, index) in same.enumerated() {
                names[index] += tellApart ? " · \(methods[place])" : " (\(ends(count)[place]))"
            }
        }
        self.names = names
    }
}
