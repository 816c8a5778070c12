import MachineLimits
import Testing

@Suite struct ByteCountTests {
    private static let amounts: [(String, Int)] = [
        ("0", 0), ("1", 1), ("4096", 4096), ("4096B", 4096), ("4096 b", 4096), ("007", 7),
        ("24GiB", 24 << 30), ("9 GB", 9_000_000_000), ("512M", 512 << 20), ("1.5g", 3 << 29), ("9   gb", 9_000_000_000),
        ("3k", 3 << 10), ("3KiB", 3 << 10), ("3kb", 3000), ("3m", 3 << 20), ("3mIb", 3 << 20), ("3Mb", 3_000_000),
        ("3G", 3 << 30), ("3t", 3 << 40), ("3TiB", 3 << 40), ("3TB", 3_000_000_000_000), ("0.0K", 0),
        ("0.1GB", 100_000_000), ("0.29 KB", 290), ("1.001KB", 1001), ("0.3K", 307), ("0.9999999999999999999K", 1024),
        ("9223372036854775807", Int.max),
        ("8388607T", 8_388_607 << 40), ("8388607.5 T", 8_388_607 << 40 + 1 << 39),
    ]

    @Test(arguments: amounts)
    func amountsAreRead(text: String, bytes: Int) throws {
        #expect(try #require(ByteCount(text)).bytes == bytes)
    }

    @Test(arguments: [
        "", " ", "GB", "-1", "-1GB", "+1", "nan", "NaN GB", "inf", "infinity", "1e9", "0x10", "1,5G", ".", ".5G", "5.G",
        "1.2.3G", "1.5", "1.0B", "1 ", " 1", "1GB ", "1 G B", "1\tGB", "1\nGB", "1GiBs", "1PB", "1bb", "1i", "1ib",
        "1 GB/s", "9223372036854775808", "99999999999999999999", "8388608T", "8388608TiB", "9223373TB",
        "9223372036854775807K",
        "8388607.9999999999999999999T", "\u{661}G", "\u{BD}G", "1\u{301}G", "1.\u{661}G", "G1", "--1", "1-",
    ])
    func everythingElseIsRefused(text: String) {
        #expect(ByteCount(text) == nil)
    }

    private static let printed: [(Int, String)] = [
        (0, "0.0 MB"), (49_999, "0.0 MB"), (50_000, "0.1 MB"), (512_000_000, "512.0 MB"), (1 << 20, "1.0 MB"),
        (999_949_999, "999.9 MB"), (999_950_000, "1.0 GB"), (1_000_000_000, "1.0 GB"), (7_000_000_000, "7.0 GB"),
        (7_049_999_999, "7.0 GB"), (7_050_000_000, "7.1 GB"), (24 << 30, "25.8 GB"), (12_345_678_900_000, "12345.7 GB"),
        (Int.max, "9223372036.9 GB"),
    ]

    @Test(arguments: printed)
    func amountsArePrinted(bytes: Int, text: String) {
        #expect(ByteCount(bytes: bytes).description == text)
    }

    @Test func whatIsPrintedCanBeReadAndPrintsTheSame() throws {
        for bytes in [0, 1, 123_456, 999_950_000, 1 << 30, 7_050_000_000, 1 << 50] {
            let text = ByteCount(bytes: bytes).description
            #expect(try #require(ByteCount(text)).description == text)
        }
    }
}
