import Foundation
import ImageDecoding

/// How a checkpoint wants its pictures: `preprocessor_config.json`, or `image_processor` in `processor_config.json`.
enum PictureSettings {
    /// The settings of the first of some folders that has any; nil where none has.
    static func file(of directories: [String?]) throws(ModelError) -> ConfigurationFile? {
        for directory in directories.compactMap(\.self) {
            for (name, section) in [("preprocessor_config.json", nil), ("processor_config.json", "image_processor")] {
                let path = directory + "/" + name
                guard FileManager.default.fileExists(atPath: path) else { continue }
                let file = try ConfigurationFile(path: path)
                if let settings = section.map({ file.section($0) }) ?? file { return settings }
            }
        }
        return nil
    }

    /// How pictures become square, where the settings say so: LLaVA's image processor fills them up where `do_pad` says so,
    /// and cuts them otherwise; CLIP's knows no such key.
    static func framing(_ file: ConfigurationFile) throws(ModelError) -> LLaVAConfiguration.StatedFraming? {
        let pads = try file.flag("do_pad", default: false)
        for key in ["image_processor_type", "feature_extractor_type"] {
            let processor = try file.require(key, processors, default: "CLIPImageProcessor")
            guard processor.hasPrefix("Llava") else { continue }
            return LLaVAConfiguration.StatedFraming(
                framing: pads ? .pad : .crop, place: "\(file.path): \(key) is \(processor) and do_pad \(pads)")
        }
        return nil
    }

    private static let processors: Set<String> = [
        "CLIPFeatureExtractor", "CLIPImageProcessor", "CLIPImageProcessorFast", "LlavaImageProcessor",
        "LlavaImageProcessorFast",
    ]

    /// The numbers to prepare pictures by; where nobody says them, the defaults of CLIP.
    static func preprocessing(
        of directories: [String?], imageSize: Int
    ) throws -> PicturePreprocessing {
        guard let file = try file(of: directories) else {
            return PicturePreprocessing(shortestEdge: imageSize, cropSize: imageSize)
        }
        try CheckpointSettings.check(file, as: .pictures)
        let standard = PicturePreprocessing()
        if let size = file.section("size") {
            if size.has("height") || size.has("width") {
                throw file.wrong(
                    "size", "shortest_edge: height and width would squash pictures, which LLaVA-1.5 does not")
            }
            try size.allow(only: ["shortest_edge"])
        }
        let edge = try file.section("size")?.integer("shortest_edge", default: imageSize, in: 1...8192)
        let crop = try file.section("crop_size")?.integer("height", default: imageSize, in: 1...8192)
        if let sides = file.section("crop_size") {
            try sides.allow(only: ["height", "width"])
            guard try sides.integer("width", default: imageSize, in: 1...8192) == crop else {
                throw file.wrong("crop_size", "a square")
            }
        }
        let settings = try PicturePreprocessing(
            shortestEdge: edge ?? file.integer("size", default: imageSize, in: 1...8192),
            cropSize: crop ?? file.integer("crop_size", default: imageSize, in: 1...8192),
            rescaleFactor: file.positive("rescale_factor", default: standard.rescaleFactor),
            mean: file.numbers("image_mean", default: standard.mean),
            standardDeviation: file.numbers("image_std", default: standard.standardDeviation))
        do { try settings.check() } catch { throw error.naming(file.path) }
        _ = try file.integer("resample", default: 3, in: 3...3)  // bicubic
        for key in ["do_resize", "do_center_crop", "do_rescale", "do_normalize"]
        where try !file.flag(key, default: true) {
            throw file.wrong(key, "true, which LLaVA-1.5 needs")
        }
        guard settings.cropSize == imageSize else {
            throw ModelError(
                .malformedConfiguration,
                "\(file.path) crops pictures to \(settings.cropSize) pixels, the vision tower takes \(imageSize); "
                    + "do the files belong together?")
        }
        return settings
    }
}
