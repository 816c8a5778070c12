import Tensors
import Testing

/// Tensors share memory on purpose, and freed memory comes back.
@Suite struct StorageTests {
    private func address(_ tensor: Tensor) -> UInt { tensor.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) } }

    // A size that no other test uses: they run at the same time and share the pool.
    private let odd = 3_333_333

    @Test func freedBlocksAreUsedAgain() {
        let first = address(Tensor(shape: [odd], type: .float64))
        let second = Tensor(shape: [odd], type: .float64)
        #expect(address(second) == first)
        let third = Tensor(shape: [odd], type: .float64)
        #expect(address(third) != first, "memory in use is not handed out twice")
    }

    @Test func memoryIsAligned() {
        for count in [0, 1, 17, 5000, 100_001] { #expect(address(Tensor(shape: [count], type: .bfloat16)) % 64 == 0) }
    }

    @Test func rowsAndShapesShareMemory() {
        let tensor = Tensor((0..<24).map(Float.init), shape: [4, 2, 3])
        #expect((tensor.rows, tensor.width, tensor.count, tensor.byteCount) == (4, 6, 24, 96))
        let middle = tensor.rows(1..<3)
        #expect(middle.shape == [2, 2, 3])
        #expect(middle.floats == (6..<18).map(Float.init))
        #expect(address(middle) == address(tensor) + 24)
        #expect(address(tensor.reshaped([6, 4])) == address(tensor))
        #expect(tensor.rows(2..<2).count == 0)
    }

    /// What a backend on a device would keep its numbers in: none of them can be reached but by a copy.
    private final class FarStorage: Storage, @unchecked Sendable {
        private(set) var bytes: [UInt8]
        private(set) var reads = 0, writes = 0

        init(_ values: [Float]) {
            bytes = values.withUnsafeBytes { Array($0) }
            super.init(byteCount: bytes.count)
        }

        override func copyToHost(_ target: UnsafeMutableRawBufferPointer, from offset: Int) {
            reads += 1
            bytes.withUnsafeBytes {
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + target.count]))
            }
        }

        override func copyFromHost(_ source: UnsafeRawBufferPointer, to offset: Int) {
            writes += 1
            bytes.replaceSubrange(offset..<offset + source.count, with: source)
        }
    }

    @Test func bytesNeedNotBeInTheHostsMemory() throws {
        let values = (0..<24).map(Float.init), far = FarStorage(values)
        let tensor = Tensor(shape: [4, 6], type: .float32, storage: far, offset: 0)
        #expect(tensor.rows(1..<3).floats == Array(values[6..<18]))
        #expect(far.reads == 1 && far.writes == 0)
        tensor.rows(3..<4).copy(from: Tensor([Float](repeating: 7, count: 6), shape: [1, 6]))
        #expect(far.writes == 1)
        #expect(tensor.floats == Array(values[..<18]) + [Float](repeating: 7, count: 6))
        // A change that is given up in its middle is there as far as it went, as in the host's memory.
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try tensor.withUnsafeMutableBytes { bytes in
                bytes[0] = 0xFF
                throw Stop()
            }
        }
        #expect(far.bytes[0] == 0xFF)
        // A backend on the host takes it like any other tensor.
        let near = Tensor(tensor.floats, shape: [4, 6])
        for backend in [CPUBackend(precision: .float32, threads: 1) as any Backend, PortableBackend(type: .float64)] {
            #expect(backend.convert(tensor, to: .float64).doubles == backend.convert(near, to: .float64).doubles)
            #expect(
                backend.gather(tensor, rows: [2, 0], as: .float32).floats
                    == backend.gather(near, rows: [2, 0], as: .float32).floats)
            let weights = try backend.pack([near], bias: [])
            let product = { (x: Tensor) in backend.linear(x, weights, activation: .none, as: .float32).floats }
            #expect(product(tensor) == product(near))
        }
    }

    @Test func aRowKeepsItsTensorAlive() {
        func last() -> Tensor { Tensor((0..<9000).map(Double.init), shape: [3, 3000]).rows(2..<3) }
        #expect(last().doubles == (6000..<9000).map(Double.init))
    }
}
