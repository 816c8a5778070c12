import Testing

/// The comparison with golden numbers itself.
@Suite struct RelativeErrorTests {
    @Test func noNumberIsNoSmallError() {
        #expect(relativeError([1, 2], [1, 2]) == 0 && relativeError([1, 3], [1, 2]) == 0.5)
        for odd in [Double.nan, .infinity, -.infinity] {
            for (found, expected) in [
                ([odd, 1], [1, 1]), ([1, odd], [1, 1]), ([1, 1], [odd, 1]), ([1, 1], [1, odd]),
            ] {
                #expect(!(relativeError(found, expected) < 1e9), "\(found) \(expected)")
            }
        }
    }
}
