import ImageDecoding

extension ModelFamily {
    /// LLaVA-NeXT, or 1.6 (Liu et al. 2024), in the llava-hf layout: a picture is a tile that shows all of it and the tiles of a
    /// canvas.
    static let llavaNeXT = ModelFamily(
        name: "LLaVA-NeXT (llava_next)", recognises: { _, type in type == "llava_next" },
        configuration: { checkpoint throws(ModelError) in
            let file = checkpoint.file
            var configuration = try LLaVAConfiguration(huggingFace: file, as: [.next, .model])
            // The tokens of a tile must fill its grid.
            guard !configuration.keepsClassToken else {
                throw file.wrong("vision_feature_select_strategy", "default")
            }
            configuration.anyResolution = try PictureSettings.anyResolution(
                file, of: checkpoint.directories, imageSize: configuration.vision.imageSize)
            return configuration
        })

    /// LLaVA-NeXT as its authors publish it, whose code differs from transformers in two things: canvases are pairs of width and
    /// height, so that a small picture stands on another one, and padding is counted with a rounding of its own.
    static let originalLLaVANeXT = ModelFamily(
        name: "LLaVA-NeXT in its authors' layout (llava, llava_llama, llava_mistral with image_aspect_ratio anyres)",
        recognises: { file, type throws(ModelError) in
            if type == "llava_mistral" { return true }
            guard ["llava", "llava_llama"].contains(type), file.has("image_aspect_ratio") else { return false }
            return try file.text("image_aspect_ratio").hasPrefix("anyres")
        },
        configuration: { checkpoint throws(ModelError) in
            let file = checkpoint.file
            _ = try file.require("image_aspect_ratio", ["anyres"], default: "")
            // Without the key the authors' code leaves the padding in and ends no line.
            _ = try file.require("mm_patch_merge_type", ["spatial_unpad"], default: "flat")
            var configuration = try LLaVAConfiguration(
                original: checkpoint, as: [.originalNext, .original, .text])
            guard !configuration.keepsClassToken else { throw file.wrong("mm_vision_select_feature", "patch") }
            let pairs = try file.pairs("image_grid_pinpoints", in: 1...65536)
            guard let pairs, !pairs.isEmpty else {
                throw file.wrong("image_grid_pinpoints", "a list of pairs of width and height")
            }
            configuration.anyResolution = AnyResolution(
                canvases: pairs.map { TileCanvas.Size(height: $0[1], width: $0[0]) }, unpadding: .truncated)
            try PictureSettings.check(
                configuration.anyResolution?.canvases ?? [], file, imageSize: configuration.vision.imageSize)
            return configuration
        })
}
