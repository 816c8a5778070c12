/// One value of a job as catalogues and tables hold it.
public enum Scalar: Sendable, Hashable {
    /// A whole number.
    case integer(Int64)
    /// A number with a fraction.
    case real(Double)
    /// A text; codes such as the status stand under their names.
    case text(String)
}

/// A column of `/jobs` as catalogues and tables hold it.
public struct ScalarColumn: Sendable {
    /// What kind of values a column holds.
    public enum Kind: Sendable, Hashable { case integer, real, text }

    private let column: any JobColumn

    /// The name, as in a shard.
    public var name: String { column.name }
    /// What the values mean.
    public var longName: String { column.longName }
    /// Their units; `1` for plain numbers and text.
    public var units: String { column.units }
    /// What kind of values they are.
    public var kind: Kind { column.kind }

    /// The value of a row.
    public func value(of row: ResultRow) -> Scalar { column.value(of: row) }

    /// Every column of `/jobs`, in the order of the file.
    public static let all: [ScalarColumn] = ShardLayout.jobs(methods: []).map { ScalarColumn(column: $0) }
}

/// A number that a column of `/jobs` may hold.
protocol ScalarNumber {
    static var kind: ScalarColumn.Kind { get }
    var scalar: Scalar { get }
}

extension ScalarNumber where Self: BinaryInteger {
    static var kind: ScalarColumn.Kind { .integer }
    var scalar: Scalar { .integer(Int64(clamping: self)) }
}

extension Int: ScalarNumber {}
extension Int8: ScalarNumber {}
extension UInt8: ScalarNumber {}
extension UInt64: ScalarNumber {}

extension Double: ScalarNumber {
    static var kind: ScalarColumn.Kind { .real }
    var scalar: Scalar { .real(self) }
}
