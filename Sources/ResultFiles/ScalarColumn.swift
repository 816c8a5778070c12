/// One value of a job as catalogues and tables hold it.
public enum Scalar: Sendable, Hashable {
    /// A whole number.
    case integer(Int64)
    /// A number with a fraction.
    case real(Double)
    /// A text; codes such as the status stand under their names.
    case text(String)
}

/// A column of catalogues and tables: one of `/jobs`, or what a table says of the job's pictures.
public struct ScalarColumn: Sendable {
    /// What kind of values a column holds.
    public enum Kind: Sendable, Hashable { case integer, real, text }

    /// The name; that of the dataset where it is a column of `/jobs`.
    public let name: String
    /// What the values mean.
    public let longName: String
    /// Their units; `1` for plain numbers and text.
    public let units: String
    /// What kind of values they are.
    public let kind: Kind
    private let read: @Sendable (ResultRow) -> Scalar

    /// The value of a row.
    public func value(of row: ResultRow) -> Scalar { read(row) }

    /// Every column: the id, what is said of pictures, and the rest of `/jobs` in the order of the file.
    public static let all: [ScalarColumn] = {
        let jobs = ShardLayout.jobs(methods: []).map { ScalarColumn($0) }
        return jobs.prefix(1) + pictures + jobs.dropFirst()
    }()

    private static let pictures = [
        ScalarColumn(
            name: "image", longName: "pictures as the item names them, one a line; empty if there is none", kind: .text
        ) { .text($0.pictures.names) },
        ScalarColumn(name: "pictures", longName: "number of pictures", kind: .integer) {
            .integer(Int64($0.pictures.count))
        },
        ScalarColumn(name: "image_sha256", longName: "SHA-256 of each picture file, one a line", kind: .text) {
            .text(lines($0.pictures.sha256))
        },
        ScalarColumn(
            name: "picture_notes",
            longName: "what was let pass in each picture file, every pixel being there, one a line; empty if nothing",
            kind: .text
        ) { row in
            .text(lines(row.pictures.notes))
        },
    ]

    /// One text a line; empty if all are, as in jobs whose pictures could not be read.
    private static func lines(_ texts: [String]) -> String {
        texts.contains { !$0.isEmpty } ? texts.joined(separator: "\n") : ""
    }

    private init(_ column: any JobColumn) {
        self.init(name: column.name, longName: column.longName, units: column.units, kind: column.kind) {
            column.value(of: $0)
        }
    }

    private init(
        name: String, longName: String, units: String = "1", kind: Kind, read: @escaping @Sendable (ResultRow) -> Scalar
    ) {
        self.name = name
        self.longName = longName
        self.units = units
        self.kind = kind
        self.read = read
    }
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
