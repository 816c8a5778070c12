import Monitoring
import Testing

@Suite struct HistogramTests {
    @Test func valuesFallIntoTheFirstBucketThatHoldsThem() {
        var histogram = Histogram(bounds: [0.1, 1, 10])
        for value in [0, 0.1, 0.10001, 1, 5, 10, 11, 1e9] { histogram.observe(value) }
        #expect(histogram.counts == [2, 2, 2, 2])
        #expect(histogram.total == 8)
    }

    @Test func whatIsNoNumberIsLeftOut() {
        var histogram = Histogram(bounds: [1])
        for value in [Double.nan, .infinity, -.infinity] { histogram.observe(value) }
        #expect(histogram.total == 0 && histogram.sum == 0)
    }
}
