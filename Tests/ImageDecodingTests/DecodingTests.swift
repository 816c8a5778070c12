import ImageDecoding
import Testing

@Suite struct DecodingTests {
    @Test func theFixturesAreThere() {
        #expect(GoldenPictures.all.count >= 50)
    }

    @Test(arguments: GoldenPictures.all)
    func decodesAsPillowDoes(_ golden: GoldenPicture) throws {
        let picture = try Picture(contentsOf: golden.url)
        #expect(picture.mode.rawValue == golden.mode)
        try golden.rgb.expectEqual(picture.pixels, width: picture.width, height: picture.height)
    }

    @Test(arguments: GoldenPictures.all)
    func turnsUprightOnlyWhenAsked(_ golden: GoldenPicture) throws {
        let picture = try Picture(contentsOf: golden.url, options: DecodingOptions(appliesOrientation: true))
        let upright = golden.upright ?? golden.rgb
        try upright.expectEqual(picture.pixels, width: picture.width, height: picture.height)
    }

    @Test func everyOrientationIsCovered() {
        #expect(GoldenPictures.all.count { $0.upright != nil } == 9)
    }
}
