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

    @Test func aRowKeepsItsTensorAlive() {
        func last() -> Tensor { Tensor((0..<9000).map(Double.init), shape: [3, 3000]).rows(2..<3) }
        #expect(last().doubles == (6000..<9000).map(Double.init))
    }
}
