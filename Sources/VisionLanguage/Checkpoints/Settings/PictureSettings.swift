import Foundation
import ImageDecoding
internal import JobVocabulary

/// How a checkpoint wants its pictures: `preprocessor_config.json`, or `image_processor` in `processor_config.json`.
enum PictureSettings {
    /// The settings of the first of some folders that has any; nil if none has.
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
                framing: pads ? .pad : .crop, place: "\(key) is \(processor) and do_pad \(pads) in \(file.path)")
        }
        return nil
    }

    /// Which canvases of tiles LLaVA-NeXT lays pictures on: what `config.json` says, which is what the image processor of the
    /// checkpoint must say as well.
    static func anyResolution(
        _ file: ConfigurationFile, of directories: [String?], imageSize: Int
    ) throws(ModelError) -> AnyResolution {
        let canvases = try canvases(file, imageSize: imageSize)
        guard let own = try Self.file(of: directories) else { return canvases }
        let theirs = try Self.canvases(own, imageSize: imageSize)
        guard theirs == canvases else {
            throw own.wrong(
                pinpoints,
                "the same as in \(file.path), \(canvases.canvases.map { [$0.height, $0.width] })"
                    + (own.has(pinpoints) ? "" : " (without the key it is that of the released checkpoints)"))
        }
        for key in ["image_processor_type", "feature_extractor_type"] {
            _ = try own.require(key, nextProcessors, default: "LlavaNextImageProcessor")
        }
        return canvases
    }

    private static func canvases(_ file: ConfigurationFile, imageSize: Int) throws(ModelError)
        -> AnyResolution
    {
        let given = try file.pairs(pinpoints, in: 1...65536).map { pairs in
            AnyResolution(canvases: pairs.map { TileCanvas.Size(height: $0[0], width: $0[1]) })
        }
        let canvases = given ?? .released
        try check(canvases.canvases, file, imageSize: imageSize)
        return canvases
    }

    /// Throws if a canvas is not made of whole tiles.
    static func check(
        _ canvases: [TileCanvas.Size], _ file: ConfigurationFile, imageSize: Int
    ) throws(ModelError) {
        for canvas in canvases {
            guard canvas.height.isMultiple(of: imageSize), canvas.width.isMultiple(of: imageSize) else {
                throw file.wrong(pinpoints, "pairs of multiples of the tower's image_size, \(imageSize)")
            }
        }
    }

    private static let pinpoints = "image_grid_pinpoints"
    private static let nextProcessors: Set<String> = [
        "LlavaNextImageProcessor", "LlavaNextImageProcessorFast",
    ]

    private static let processors: Set<String> = [
        "CLIPFeatureExtractor", "CLIPImageProcessor", "CLIPImageProcessorFast", "LlavaImageProcessor",
        "LlavaImageProcessorFast",
    ]

    /// The numbers to prepare pictures by; where nobody says them, the defaults of CLIP.
    static func preprocessing(
        of directories: [String?], imageSize: Int, isTiled: Bool
    ) throws -> PicturePreprocessing {
        guard let file = try file(of: directories) else {
            return PicturePreprocessing(shortestEdge: imageSize, cropSize: imageSize)
        }
        if isTiled {
            try CheckpointSettings.check(file, as: .tiles, .pictures)
        } else {
            try CheckpointSettings.check(file, as: .pictures)
        }
        let standard = PicturePreprocessing()
        if let size = file.section("size") {
            if size.has("height") || size.has("width") {
                throw file.wrong(
                    "size", "shortest_edge: height and width would squash pictures, which LLaVA does not")
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
            throw file.wrong(key, "true, which LLaVA needs")
        }
        guard !isTiled || settings.shortestEdge == imageSize else {
            throw file.wrong("size", "a shortest_edge of \(imageSize), the side of a tile")
        }
        guard settings.cropSize == imageSize else {
            throw ModelError(
                .malformedConfiguration,
                "pictures are cropped to \(settings.cropSize) pixels, the vision tower takes \(imageSize); "
                    + "do the files belong together?", at: file.path)
        }
        return settings
    }
}
