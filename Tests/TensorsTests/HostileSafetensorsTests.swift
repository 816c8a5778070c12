import Foundation
import Tensors
import TestSupport
import Testing

/// Files that are damaged or made to harm: a typed error that names the file, never a trap.
@Suite struct HostileSafetensorsTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let what: String
        let header: String
        var bytes = 8
        var length: UInt64?
        /// Part of the message.
        let says: String
        var testDescription: String { what }

        init(_ what: String, _ header: String, bytes: Int = 8, length: UInt64? = nil, says: String) {
            self.what = what
            self.header = header
            self.bytes = bytes
            self.length = length
            self.says = says
        }
    }

    private static func one(_ shape: String, _ offsets: String, _ dtype: String = "F32") -> String {
        #"{"x":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":\#(offsets)}}"#
    }

    private static func two(_ first: String, _ second: String, names: (String, String) = ("x", "y")) -> String {
        #"{"\#(names.0)":{"dtype":"F32","shape":[1],"data_offsets":\#(first)},"#
            + #""\#(names.1)":{"dtype":"F32","shape":[1],"data_offsets":\#(second)}}"#
    }

    static let cases = [
        Case("header longer than the file", "{}", bytes: 0, length: 3, says: "does not fit"),
        Case("header of 100 MB and one", "{}", length: 100_000_001, says: "100 MB"),
        Case("header of 2⁶³ bytes", "{}", length: 1 << 63, says: "100 MB"),
        Case("header of 2⁶⁴−1 bytes", "{}", length: .max, says: "100 MB"),
        Case("no header", "", says: "not JSON"),
        Case("not JSON", "{nonsense}", says: "cannot be read"),
        Case("JSON cut off", #"{"x":{"dtype":"F32","shape":[2]"#, says: "cannot be read"),
        Case("an array", "[]", says: "not JSON"),
        Case("UTF-16", "{\0\"\0x\0\"\0:\01\0}\0", says: "not JSON"),
        Case("nested without end", #"{"x":"# + String(repeating: "[", count: 100_000), says: "cannot be read"),
        Case("an entry that is a number", #"{"x":1}"#, says: "cannot be read"),
        Case("metadata that is a number", #"{"__metadata__":1}"#, bytes: 0, says: "cannot be read"),
        Case("no dtype", #"{"x":{"shape":[2],"data_offsets":[0,8]}}"#, says: "\"dtype\" is missing"),
        Case("no shape", #"{"x":{"dtype":"F32","data_offsets":[0,8]}}"#, says: "\"shape\" is missing"),
        Case("no offsets", #"{"x":{"dtype":"F32","shape":[2]}}"#, says: "\"data_offsets\" is missing"),
        Case("a shape that is text", one(#""2""#, "[0,8]"), says: "shape"),
        Case("an extent that is no integer", one("[2.5]", "[0,8]"), says: "cannot be read"),
        Case("an extent beyond 64 bits", one("[99999999999999999999]", "[0,8]"), says: "cannot be read"),
        Case("an extent of 1e400", one("[1e400]", "[0,8]"), says: "cannot be read"),
        Case("a negative extent", one("[-2]", "[0,8]"), says: "negative"),
        Case("two negative extents", one("[-1,-2]", "[0,8]"), says: "negative"),
        Case("a product beyond 64 bits", one("[4294967296,4294967296]", "[0,8]"), says: "impossible"),
        Case("bytes beyond 64 bits", one("[4611686018427387904]", "[0,8]"), says: "impossible"),
        Case("a product that wraps to the right size", one("[4611686018427387905,2]", "[0,8]"), says: "impossible"),
        Case("an impossible product hidden by zero", one("[0,4611686018427387904,16]", "[0,0]"), says: "impossible"),
        Case("the largest integer", one("[9223372036854775807]", "[0,8]", "I64"), says: "impossible"),
        Case("nine dimensions", one("[1,1,1,1,1,1,1,1,2]", "[0,8]"), says: "dimensions"),
        Case("too small for its shape", one("[3]", "[0,8]"), says: "needs 12"),
        Case("too large for its shape", one("[1]", "[0,8]"), says: "needs 4"),
        Case("one offset", one("[2]", "[0]"), says: "instead of 2"),
        Case("three offsets", one("[2]", "[0,8,8]"), says: "instead of 2"),
        Case("a negative offset", one("[2]", "[-8,0]"), says: "lies at"),
        Case("reversed offsets", one("[2]", "[8,0]"), says: "lies at"),
        Case("beyond the file", one("[2]", "[8,16]"), says: "lies at"),
        Case("the end of numbers", one("[2]", "[0,9223372036854775807]"), says: "lies at"),
        Case("cut off", one("[2]", "[0,8]"), bytes: 7, says: "lies at"),
        Case("bytes after the last", one("[2]", "[0,8]"), bytes: 9, says: "at the end"),
        Case("overlap", two("[0,4]", "[2,6]"), says: "overlaps"),
        Case("the same bytes twice", two("[0,4]", "[0,4]"), says: "overlaps"),
        Case("a hole", two("[0,4]", "[8,12]"), bytes: 12, says: "belong to no tensor"),
        Case("a hole in front", one("[1]", "[4,8]"), says: "belong to no tensor"),
        Case("a name twice", two("[0,4]", "[4,8]", names: ("x", "x")), says: "\"x\" twice"),
        Case("a name twice, written differently", two("[0,4]", "[4,8]", names: ("x", "\\u0078")), says: "twice"),
        Case("metadata twice", #"{"__metadata__":{},"__metadata__":{}}"#, bytes: 0, says: "twice"),
    ]

    @Test(arguments: cases)
    func refused(_ it: Case) throws {
        let folder = try TemporaryDirectory()
        let path = try hostile(it.header, [UInt8](repeating: 0, count: it.bytes), length: it.length, in: folder)
        let error = #expect(throws: TensorError.self) { try SafetensorsFile(path: path) }
        #expect(error?.code == .malformedFile)
        #expect(error?.message.contains(path) == true)
        #expect(error?.message.contains(it.says) == true, "\(error?.message ?? "")")
    }

    @Test func notFilesAtAll() throws {
        let folder = try TemporaryDirectory()
        for size in 0..<8 {
            try Data(count: size).write(to: folder.file("short"))
            let error = #expect(throws: TensorError.self) { try SafetensorsFile(path: folder.file("short").path) }
            #expect(error?.code == .malformedFile)
        }
        for path in [folder.url.path, folder.file("absent").path, "/dev/null", ""] {
            let error = #expect(throws: TensorError.self) { try SafetensorsFile(path: path) }
            #expect(error?.code == .cannotOpen)
            #expect(error?.message.hasSuffix(": \(path)") == true)
        }
    }

    /// Four thousand damaged copies of a good file: each is read whole or refused with a message.
    @Test func damageAtRandom() throws {
        var random = SeededGenerator(seed: 1)
        let folder = try TemporaryDirectory()
        let tensors = [("a", [3, 5]), ("b", [7]), ("c", [0, 2]), ("d", [2, 2])].map { name, shape in
            (name: name, tensor: random.tensor(shape))
        }
        let good = folder.file("good.safetensors"), bad = folder.file("bad.safetensors")
        try SafetensorsWriter.write(tensors, to: good.path)
        let bytes = try Array(Data(contentsOf: good))
        let header = 8 + Int(bytes[0]) + 256 * Int(bytes[1])
        let telling = Array("0123456789-.eE[]{}\",:\\ntF\0".utf8)
        var read = 0, refused = 0
        for _ in 0..<4_000 {
            var copy = bytes
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let at = Int.random(in: 0..<min(header, copy.count), using: &random)
                let new =
                    Bool.random(using: &random)
                    ? telling.randomElement(using: &random) ?? 0 : UInt8.random(in: 0...255, using: &random)
                switch Int.random(in: 0..<10, using: &random) {
                case 0: copy.insert(new, at: at)
                case 1: copy.remove(at: at)
                case 2: copy.swapAt(at, Int.random(in: 0..<copy.count, using: &random))
                case 3: copy.removeLast(min(copy.count - 1, Int.random(in: 0..<20, using: &random)))
                case 4: copy.replaceSubrange(8..<8, with: repeatElement(new, count: 2))
                default: copy[at] = new
                }
            }
            try Data(copy).write(to: bad)
            do throws(TensorError) {
                let file = try SafetensorsFile(path: bad.path)
                for name in file.names where file.type(of: name) != nil {
                    let tensor = try file.tensor(name)
                    #expect(tensor.floats.count == tensor.count)
                    file.release(name)
                }
                read += 1
            } catch {
                #expect(error.message.hasSuffix(": \(bad.path)"), "\(error)")
                refused += 1
            }
        }
        #expect(read > 20 && refused > 2_000, "\(read) read, \(refused) refused")
    }
}
