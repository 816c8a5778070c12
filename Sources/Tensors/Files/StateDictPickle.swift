/// A state dict as PyTorch pickles it, read without running anything.
///
/// A pickle is a program for a stack machine that may call any function. This one knows the opcodes of protocol 2 that a state dict
/// takes (Python's Lib/pickletools.py) and four names: `OrderedDict`, the two functions that rebuild tensors and parameters, and
/// PyTorch's storages. They only make records of where numbers lie; everything else is refused by name.
struct StateDictPickle {
    /// Where a tensor's numbers lie.
    struct Entry {
        /// The storage's type.
        let type: TorchStorage
        /// The record `data/KEY` of the archive.
        let key: String
        /// Numbers in the storage.
        let stored: Int
        /// The first number of the tensor.
        let offset: Int
        let shape, strides: [Int]
    }

    /// Every tensor by its name, in the order of the file.
    private(set) var entries: [(name: String, entry: Entry)] = []

    /// Most bytes of a pickle, and most values on its stack, remembered, or in a dictionary: a state dict of a hundred thousand
    /// tensors stays below.
    private static let mostBytes = 1 << 24, mostValues = 1 << 20

    /// Reads a pickle; throws `malformedFile` for what is no state dict.
    init(_ bytes: UnsafeRawBufferPointer, path: String) throws(TensorError) {
        var machine = Machine(bytes, path)
        guard bytes.count <= Self.mostBytes else { throw machine.refusal("it is \(bytes.count) bytes long") }
        let dictionary = try machine.run()
        for (key, value) in dictionary.items {
            // State dicts hold numbers and the like beside tensors, which are nobody's weights.
            if case .tensor(let entry) = value { entries.append((key, entry)) }
        }
        guard !entries.isEmpty else { throw machine.refusal("it holds no tensors by name") }
    }

    /// A dictionary that is being filled.
    private final class Items {
        var items: [(key: String, value: Value)] = []
        var keys: Set<String> = []
    }

    private enum Callable { case orderedDictionary, tensor, parameter }

    private enum Value {
        case number(Int), truth, text(String), callable(Callable), storageType(TorchStorage)
        case storage(type: TorchStorage, key: String, count: Int)
        case tensor(Entry)
        case tuple([Value]), integers([Int])
        case dictionary(Items)
        /// A value that is not needed: a floating-point number, list, dictionary or tuple inside another.
        case other
    }

    private struct Machine {
        private let reader: ByteReader
        private let path: String
        private var at = 0
        private var stack: [Value] = []
        private var marks: [Int] = []
        private var memo: [Int: Value] = [:]

        init(_ bytes: UnsafeRawBufferPointer, _ path: String) {
            reader = ByteReader(bytes)
            self.path = path
        }

        func refusal(_ why: String) -> TensorError {
            TensorError(
                .malformedFile,
                "not the weights of a model as PyTorch saves them: \(why.brief); use a checkpoint in safetensors, or download it again",
                at: path)
        }

        /// Runs to the end; the result is the dictionary that is left.
        mutating func run() throws(TensorError) -> Items {
            guard try byte() == 0x80, try byte() == 2 else { throw refusal("it is no pickle of protocol 2") }
            while true {
                let place = at, code = try byte()
                switch UInt8(code) {
                case UInt8(ascii: "."):
                    guard at == reader.count else { throw refusal("there are bytes behind its end") }
                    guard marks.isEmpty, stack.count == 1, case .dictionary(let items)? = stack.last else {
                        throw refusal("it is no dictionary")
                    }
                    return items
                case UInt8(ascii: "("): marks.append(stack.count)
                case UInt8(ascii: "}"): stack.append(.dictionary(Items()))
                case UInt8(ascii: "]"), UInt8(ascii: "N"): stack.append(.other)
                case UInt8(ascii: "G"):
                    at += 8
                    stack.append(.other)
                case 0x88, 0x89: stack.append(.truth)
                case UInt8(ascii: "K"): stack.append(.number(try byte()))
                case UInt8(ascii: "M"): stack.append(.number(try take(2, reader.u16)))
                case UInt8(ascii: "J"): stack.append(.number(try take(4, reader.i32)))
                case 0x8A: stack.append(.number(try long()))
                case UInt8(ascii: "X"): stack.append(.text(try text(try take(4, reader.u32))))
                case UInt8(ascii: "q"): memo[try byte()] = try top()
                case UInt8(ascii: "r"): memo[try take(4, reader.u32)] = try top()
                case UInt8(ascii: "h"): stack.append(try remembered(try byte()))
                case UInt8(ascii: "j"): stack.append(try remembered(try take(4, reader.u32)))
                case UInt8(ascii: "c"): stack.append(try named())
                case UInt8(ascii: ")"): stack.append(.integers([]))
                case 0x85: try tuple(stack.count - 1)
                case 0x86: try tuple(stack.count - 2)
                case 0x87: try tuple(stack.count - 3)
                case UInt8(ascii: "t"): try tuple(try mark())
                case UInt8(ascii: "Q"): stack.append(try storage(try pop()))
                case UInt8(ascii: "R"):
                    let arguments = try pop()
                    stack.append(try call(try pop(), arguments))
                case UInt8(ascii: "s"): try fill(from: stack.count - 2)
                case UInt8(ascii: "u"): try fill(from: try mark())
                case UInt8(ascii: "a"): _ = try pop()
                case UInt8(ascii: "e"): stack.removeSubrange((try mark())...)
                case UInt8(ascii: "b"): try build(try pop())
                default: throw refusal("opcode \(code) at byte \(place) has no place in a state dict")
                }
                guard at <= reader.count else { throw refusal("it is cut") }
                guard max(stack.count, marks.count, memo.count) <= StateDictPickle.mostValues else {
                    throw refusal("it has more values than any state dict")
                }
            }
        }

        private mutating func take(_ count: Int, _ read: (Int) -> Int?) throws(TensorError) -> Int {
            guard let value = read(at) else { throw refusal("it is cut") }
            at += count
            return value
        }

        private mutating func byte() throws(TensorError) -> Int { try take(1, reader.u8) }

        private mutating func text(_ count: Int) throws(TensorError) -> String {
            guard let text = reader.text(at, count) else { throw refusal("it is cut, or a name is not UTF-8") }
            at += count
            return text
        }

        /// A number of up to 8 bytes, signed.
        private mutating func long() throws(TensorError) -> Int {
            let count = try byte()
            guard count <= 8 else { throw refusal("a number has \(count) bytes") }
            var value: UInt64 = 0
            for index in 0..<count { value |= UInt64(try byte()) << (8 * index) }
            let unused = 64 - 8 * count
            return count == 0 ? 0 : Int(Int64(bitPattern: value << unused) >> unused)
        }

        private mutating func line() throws(TensorError) -> String {
            var end = at
            while let next = reader.u8(end), next != 10 { end += 1 }
            let text = try text(end - at)
            at += 1
            return text
        }

        private func top() throws(TensorError) -> Value {
            guard let last = stack.last, stack.count > marks.last ?? 0 else { throw refusal("its stack is empty") }
            return last
        }

        private mutating func pop() throws(TensorError) -> Value {
            let last = try top()
            stack.removeLast()
            return last
        }

        private mutating func mark() throws(TensorError) -> Int {
            guard let mark = marks.popLast(), mark <= stack.count else { throw refusal("a mark is missing") }
            return mark
        }

        private func remembered(_ index: Int) throws(TensorError) -> Value {
            guard let value = memo[index] else { throw refusal("it recalls what it never stored") }
            return value
        }

        /// A tuple of the values from `first` on. What holds other values becomes nothing in it: no value is nested without bound,
        /// and no tensor needs one that is.
        private mutating func tuple(_ first: Int) throws(TensorError) {
            guard first >= marks.last ?? 0 else { throw refusal("its stack is empty") }
            let values = stack[first...].map { value -> Value in
                switch value {
                case .tuple, .dictionary: .other
                default: value
                }
            }
            let integers = values.compactMap { value -> Int? in
                if case .number(let number) = value { number } else { nil }
            }
            stack.removeSubrange(first...)
            stack.append(integers.count == values.count ? .integers(integers) : .tuple(values))
        }

        /// Pairs of keys and values from `first` on go into the dictionary below them.
        private mutating func fill(from first: Int) throws(TensorError) {
            let pairs = stack.count - first
            guard first >= 1, pairs >= 0, pairs.isMultiple(of: 2), first > marks.last ?? 0,
                case .dictionary(let dictionary) = stack[first - 1]
            else { throw refusal("items go into something else than a dictionary") }
            guard dictionary.items.count + pairs / 2 <= StateDictPickle.mostValues else {
                throw refusal("it has more values than any state dict")
            }
            for index in stride(from: first, to: stack.count, by: 2) {
                guard case .text(let key) = stack[index] else { throw refusal("a key is not a text") }
                guard dictionary.keys.insert(key).inserted else { throw refusal("\"\(key)\" is there twice") }
                // Dictionaries inside others hold nothing that is needed.
                if case .dictionary = stack[index + 1] {
                    dictionary.items.append((key, .other))
                } else {
                    dictionary.items.append((key, stack[index + 1]))
                }
            }
            stack.removeSubrange(first...)
        }

        /// An object's state: that of a module's state dict holds versions of its parts and nothing else.
        private mutating func build(_ state: Value) throws(TensorError) {
            guard case .dictionary = try top(), case .dictionary(let attributes) = state,
                attributes.keys.isSubset(of: ["_metadata"])
            else { throw refusal("it sets attributes of objects") }
        }

        private mutating func named() throws(TensorError) -> Value {
            let module = try line(), name = try line()
            switch (module, name) {
            case ("collections", "OrderedDict"): return .callable(.orderedDictionary)
            case ("torch._utils", "_rebuild_tensor_v2"): return .callable(.tensor)
            case ("torch._utils", "_rebuild_parameter"): return .callable(.parameter)
            case ("torch", let storage):
                guard let type = TorchStorage(rawValue: storage) else { fallthrough }
                return .storageType(type)
            default: throw refusal("it asks for \(module).\(name), which is none of a state dict's names")
            }
        }

        private func storage(_ id: Value) throws(TensorError) -> Value {
            guard case .tuple(let parts) = id, parts.count == 5, case .text("storage") = parts[0],
                case .storageType(let type) = parts[1], case .text(let key) = parts[2], case .text = parts[3],
                case .number(let count) = parts[4], count >= 0
            else { throw refusal("it names a storage in a way that is not PyTorch's") }
            return .storage(type: type, key: key, count: count)
        }

        private func call(_ callable: Value, _ arguments: Value) throws(TensorError) -> Value {
            switch (callable, arguments) {
            case (.callable(.orderedDictionary), .integers([])): return .dictionary(Items())
            case (.callable(.parameter), .tuple(let parts)):
                guard parts.count == 3, case .tensor = parts[0] else { break }
                return parts[0]
            case (.callable(.tensor), .tuple(let parts)):
                guard parts.count == 6 || parts.count == 7, case .storage(let type, let key, let count) = parts[0],
                    case .number(let offset) = parts[1], case .integers(let shape) = parts[2],
                    case .integers(let strides) = parts[3]
                else { break }
                // What PyTorch notes last is that the numbers are those of the storage negated, or conjugated.
                if parts.count == 7 {
                    guard case .dictionary(let notes) = parts[6], notes.items.isEmpty else {
                        throw refusal(
                            "a tensor in it is a negated or conjugated view, which is not supported; save copies")
                    }
                }
                return .tensor(
                    Entry(type: type, key: key, stored: count, offset: offset, shape: shape, strides: strides))
            default: break
            }
            throw refusal("it calls something in a way that a state dict does not")
        }
    }
}

/// The storages that PyTorch has classes for.
enum TorchStorage: String {
    case half = "HalfStorage", bfloat16 = "BFloat16Storage", float = "FloatStorage", double = "DoubleStorage"
    case long = "LongStorage", int = "IntStorage", short = "ShortStorage", char = "CharStorage", byte = "ByteStorage"
    case bool = "BoolStorage"

    /// Bytes of one number.
    var size: Int {
        switch self {
        case .double, .long: 8
        case .float, .int: 4
        case .half, .bfloat16, .short: 2
        case .char, .byte, .bool: 1
        }
    }

    /// The type of tensors with such numbers; nil for integers.
    var elementType: ElementType? {
        switch self {
        case .half: .float16
        case .bfloat16: .bfloat16
        case .float: .float32
        case .double: .float64
        case .long, .int, .short, .char, .byte, .bool: nil
        }
    }
}
