private import CHDF5

/// The type of a dataset or attribute as its file declares it.
///
/// Only plain numbers, enumerations and text are known; anything else is refused before it is read.
struct StoredType: ~Copyable {
    /// How the text lies in the file.
    enum Text {
        case variable(utf8: Bool)
        case fixed(bytes: Int)
    }

    let handle: Handle
    let element: ElementType
    /// How texts are stored; nil for numbers.
    let text: Text?
    let isEnumeration: Bool

    /// Takes over the type that `open` returns.
    init(of name: String, open: () -> Int64) throws(HDF5Error) {
        let handle = try Handle(
            "read the type of", name, otherwise: .corrupt, release: H5Tclose, open)
        let kind = H5Tget_class(handle.id)
        let bytes = H5Tget_size(handle.id)
        var text: Text?
        var element: ElementType?
        switch kind {
        case H5T_INTEGER: element = Self.integer(handle.id, bytes)
        case H5T_ENUM:
            let base = try Handle("read the type of", name, otherwise: .corrupt, release: H5Tclose) {
                H5Tget_super(handle.id)
            }
            element = Self.integer(base.id, H5Tget_size(base.id))
        case H5T_FLOAT:
            switch bytes {
            case 2: element = .float16
            case 4: element = .float32
            case 8: element = .float64
            default: break
            }
        case H5T_STRING:
            let isVariable = H5Tis_variable_str(handle.id) > 0
            text = isVariable ? .variable(utf8: H5Tget_cset(handle.id) == H5T_CSET_UTF8) : .fixed(bytes: bytes)
            element = isVariable || bytes > 0 ? .string : nil
        default: break
        }
        guard let element else {
            throw HDF5Error(
                code: .typeMismatch,
                message: "\(name) is neither a plain number of at most 8 bytes nor text; store it as one of these")
        }
        self.handle = handle
        self.element = element
        self.text = text
        isEnumeration = kind == H5T_ENUM
    }

    /// The names of an enumeration's codes; empty for other types.
    func enumerationNames(of name: String) throws(HDF5Error) -> [Int64: String] {
        guard isEnumeration, element.isReadable(as: .int64) else { return [:] }
        var names: [Int64: String] = [:]
        let count = try check("read the type of", name, otherwise: .corrupt) { H5Tget_nmembers(handle.id) }
        let base = try Handle("read the type of", name, otherwise: .corrupt, release: H5Tclose) {
            H5Tget_super(handle.id)
        }
        for index in 0..<UInt32(count) {
            // Members are stored with the enumeration's own width and byte order.
            var code: Int64 = 0
            try check("read the type of", name, otherwise: .corrupt) { H5Tget_member_value(handle.id, index, &code) }
            try check("read the type of", name, otherwise: .corrupt) {
                H5Tconvert(base.id, ch5_int64(), 1, &code, nil, ch5_default())
            }
            guard let text = H5Tget_member_name(handle.id, index) else { continue }
            names[code] = String(cString: text)
            H5free_memory(text)
        }
        return names
    }

    private static func integer(_ id: Int64, _ bytes: Int) -> ElementType? {
        let isSigned = H5Tget_sign(id) == H5T_SGN_2
        return switch bytes {
        case 1: isSigned ? .int8 : .uint8
        case 2: isSigned ? .int16 : .uint16
        case 4: isSigned ? .int32 : .uint32
        case 8: isSigned ? .int64 : .uint64
        default: nil
        }
    }
}
