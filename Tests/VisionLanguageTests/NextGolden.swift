import Foundation
import HDF5
import JobModel
import Tensors
import TestSupport
import TokenReduction
import VisionLanguage

/// The tiny LLaVA-NeXT checkpoint and what transformers makes of it (Tests/Fixtures/README.md).
enum NextGolden {
    static let checkpoint = Golden(name: "next", numbersName: "next_golden")
    /// One with a decoder and a tokenizer as of Llama 3, which was shown the same pictures.
    static let llama3 = Golden(name: "next_llama3", numbersName: "next_llama3_golden")

    struct Picture: Decodable, Sendable {
        let name: String
        let width: Int
        let height: Int
        /// Rows that enter the language model.
        let rows: Int

        var path: String { NextGolden.path(name) }
    }

    struct Prompt: Decodable, Sendable {
        let name: String
        let prompt: String
        let pictures: [String]
        let prompt_token_ids: [Int]
        let rows: Int
        let token_ids: [Int]
    }

    struct File: Decodable, Sendable {
        let pictures: [Picture]
        let prompts: [Prompt]
    }

    static func file() throws -> File {
        try JSONDecoder().decode(File.self, from: Data(contentsOf: Repository.fixture("model/next_golden.json")))
    }

    static func prompts(of golden: Golden) throws -> [Prompt] {
        struct File: Decodable { let prompts: [Prompt] }
        let url = Repository.fixture("model/\(golden.numbersName).json")
        return try JSONDecoder().decode(File.self, from: Data(contentsOf: url)).prompts
    }

    static func path(_ picture: String) -> String { Repository.fixture("model/next_images/\(picture).png").path }

    /// The samples of a picture's tiles, one tile after another.
    static func samples(_ picture: String) throws -> [UInt8] {
        try HDF5.File.reading(Repository.fixture("model/next_golden.h5").path) { file in
            try file.root.dataset("tiles/\(picture)").read(UInt8.self)
        }
    }
}

extension GreedyModel {
    /// A prompt of the LLaVA-NeXT goldens, whose pictures have been encoded.
    func input(_ golden: NextGolden.Prompt, _ plan: ReductionPlan) throws -> DecoderInput {
        try input(golden.prompt, pictures: golden.pictures, plan)
    }

    func input(_ text: String, pictures: [String], _ plan: ReductionPlan) throws -> DecoderInput {
        let prompt = try processor.prompt(text, template: .none, pictures: pictures.count)
        let encoded = try pictures.map { name in
            let picture = try processor.prepare(path: NextGolden.path(name), framing: nil)
            let tiles = try model.encode(
                picture.tiles.map {
                    TileRequest(patches: $0.patches, plan: plan)
                })
            return EncodedPicture(tiles, picture.tiling)
        }
        return DecoderInput(prompt, encoded, plan: plan)
    }
}
