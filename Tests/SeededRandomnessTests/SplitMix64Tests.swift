import SeededRandomness
import Testing

struct SplitMix64Tests {
    /// Published test vectors of 64-bit FNV-1a.
    @Test(arguments: [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)])
    func aNameIsASeed(name: String, seed: UInt64) {
        var (named, seeded) = (SplitMix64(named: name), SplitMix64(seed: seed))
        #expect(named.next() == seeded.next())
    }

    /// The first numbers of the seed that other implementations publish theirs of, as on Rosetta Code.
    @Test func publishedNumbersAreDrawn() {
        var random = SplitMix64(seed: 1_234_567)
        let published: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
        ]
        let drawn = published.map { _ in random.next() }
        #expect(drawn == published)
    }
}
