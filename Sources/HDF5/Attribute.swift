private import CHDF5

/// The value of an attribute: a remark on a file, group or dataset.
public enum Attribute: Sendable, Hashable {
    /// One text.
    case string(String)
    /// Several texts.
    case strings([String])
    /// True or false, stored like h5py does: an enumeration of FALSE and TRUE.
    case boolean(Bool)
    /// One integer; the code of an enumeration counts.
    case integer(Int64)
    /// Several integers, in row-major order.
    case integers([Int64])
    /// One number with a fraction.
    case float(Double)
    /// Several numbers with a fraction, in row-major order.
    case floats([Double])
}

extension Attribute: ExpressibleByStringLiteral {
    /// One text.
    public init(stringLiteral value: String) { self = .string(value) }
}

extension Attribute {
    /// Writes it to the object `id`.
    func write(_ attribute: String, to id: Int64, name: String) throws(HDF5Error) {
        switch self {
        case .string(let value):
            try Self.write([value], shape: [], attribute, to: id, name: name)
        case .strings(let values):
            try Self.write(values, shape: [values.count], attribute, to: id, name: name)
        case .boolean(let value):
            try Self.write(value, attribute, to: id, name: name)
        case .integer(let value):
            try Self.write([value], shape: [], attribute, to: id, name: name)
        case .integers(let values):
            try Self.write(values, shape: [values.count], attribute, to: id, name: name)
        case .float(let value):
            try Self.write([value], shape: [], attribute, to: id, name: name)
        case .floats(let values):
            try Self.write(values, shape: [values.count], attribute, to: id, name: name)
        }
    }

    private static func write<Value: Element>(
        _ values: [Value], shape: [Int], _ attribute: String, to id: Int64, name: String
    ) throws(HDF5Error) {
        let type = Value.elementType.identifier
        try create(attribute, type: type, shape: shape, on: id, name: name) { handle in
            values.withUnsafeBufferPointer { H5Awrite(handle, type, $0.baseAddress) }
        }
    }

    private static func write(
        _ values: [String], shape: [Int], _ attribute: String, to id: Int64, name: String
    ) throws(HDF5Error) {
        let type = ElementType.string.identifier
        try CStrings(values).withPointers { pointers throws(HDF5Error) in
            try create(attribute, type: type, shape: shape, on: id, name: name) { H5Awrite($0, type, pointers) }
        }
    }

    private static func write(
        _ value: Bool, _ attribute: String, to id: Int64, name: String
    ) throws(HDF5Error) {
        let type = try Handle("create attribute", name, release: H5Tclose) { H5Tenum_create(ch5_int8()) }
        for (code, text) in [(0, "FALSE"), (1, "TRUE")] {
            var code = Int8(code)
            try check("create attribute", name) { H5Tenum_insert(type.id, text, &code) }
        }
        let typeID = type.id
        try create(attribute, type: typeID, shape: [], on: id, name: name) { handle in
            var code: Int8 = value ? 1 : 0
            return H5Awrite(handle, typeID, &code)
        }
        try type.close("create attribute", name)
    }

    private static func create(
        _ attribute: String, type: Int64, shape: [Int], on id: Int64, name: String, write: (Int64) -> Int32
    ) throws(HDF5Error) {
        let name = "\(name)@\(attribute)"
        let space = try Extent.space(shape, for: name)
        let handle = try Handle("create attribute", name, release: H5Aclose) {
            H5Acreate2(id, attribute, type, space.id, ch5_default(), ch5_default())
        }
        if !shape.contains(0) { try check("write attribute", name) { write(handle.id) } }
        try handle.close("close", name)
    }
}

extension Attribute {
    /// Reads an attribute of the object `id`; nil if it has none of that name.
    init?(_ attribute: String, of id: Int64, name: String, ceiling: Int) throws(HDF5Error) {
        let name = "\(name)@\(attribute)"
        let isThere = try check("look up attribute", name, otherwise: .corrupt) { H5Aexists(id, attribute) }
        guard isThere > 0 else { return nil }
        let handle = try Handle("open attribute", name, otherwise: .corrupt, release: H5Aclose) {
            H5Aopen(id, attribute, ch5_default())
        }
        let type = try StoredType(of: name) { H5Aget_type(handle.id) }
        let space = try Handle("read the shape of", name, otherwise: .corrupt, release: H5Sclose) {
            H5Aget_space(handle.id)
        }
        let shape = try Extent.shape(of: space, named: name)
        guard let bytes = Extent.byteCount(of: shape, each: max(8, type.text?.slotBytes ?? 8)), bytes <= ceiling else {
            throw HDF5Error(code: .refused, message: "\(name) claims \(shape) values, more than the limit")
        }
        let count = shape.reduce(1, *)
        if let text = type.text {
            let values = try text.decode(count: count, type: type.handle.id, name: name, ceiling: ceiling) {
                (type, _, buffer) in
                H5Aread(handle.id, type, buffer)
            } reclaim: { (type, _, buffer) in
                H5Dvlen_reclaim(type, space.id, ch5_default(), buffer)
            }
            self = shape.isEmpty && values.count == 1 ? .string(values[0]) : .strings(values)
        } else if type.element.isFloat {
            let values = try Self.numbers(Double.self, handle, count: count, name: name)
            self = shape.isEmpty && values.count == 1 ? .float(values[0]) : .floats(values)
        } else if type.element.isReadable(as: .int64) {
            let values = try Self.numbers(Int64.self, handle, count: count, name: name)
            if shape.isEmpty, values.count == 1 {
                let isBoolean = try type.enumerationNames(of: name) == [0: "FALSE", 1: "TRUE"]
                self = isBoolean ? .boolean(values[0] == 1) : .integer(values[0])
            } else {
                self = .integers(values)
            }
        } else {
            throw HDF5Error(code: .typeMismatch, message: "\(name) is an unsigned 64-bit integer; store it as signed")
        }
    }

    private static func numbers<Value: Element & Numeric>(
        _: Value.Type, _ handle: borrowing Handle, count: Int, name: String
    ) throws(HDF5Error) -> [Value] {
        var values = [Value](repeating: 0, count: count)
        if count > 0 {
            try check("read", name, otherwise: .corrupt) {
                H5Aread(handle.id, Value.elementType.identifier, &values)
            }
        }
        return values
    }
}

extension Group {
    /// Adds an attribute to the group; it must not exist yet.
    public func set(_ attribute: String, to value: Attribute) throws(HDF5Error) {
        try value.write(attribute, to: handle.id, name: name)
    }

    /// An attribute of the group, or nil if it has none of that name.
    public func attribute(_ attribute: String) throws(HDF5Error) -> Attribute? {
        try Attribute(attribute, of: handle.id, name: name, ceiling: ceiling)
    }
}

extension Dataset {
    /// Adds an attribute to the dataset; it must not exist yet.
    public func set(_ attribute: String, to value: Attribute) throws(HDF5Error) {
        try value.write(attribute, to: handle.id, name: name)
    }

    /// An attribute of the dataset, or nil if it has none of that name.
    public func attribute(_ attribute: String) throws(HDF5Error) -> Attribute? {
        try Attribute(attribute, of: handle.id, name: name, ceiling: ceiling)
    }
}
