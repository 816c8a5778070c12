/// The prefixes under which a checkpoint stores the parts of the model; the rest of every name is the same everywhere.
struct WeightNames {
    let decoder: String
    let head: String
    /// nil if the tower is a checkpoint of its own.
    let vision: String?
    let projector: (first: String, second: String)
    /// The learned row that ends a line of a picture in LLaVA-NeXT.
    let newline: String

    /// The names of the released files.
    static let released = WeightNames(
        decoder: "language_model.model.", head: "language_model.lm_head",
        vision: "vision_tower.vision_model.",
        projector: ("multi_modal_projector.linear_1", "multi_modal_projector.linear_2"),
        newline: "image_newline")

    /// The layouts in use: files as released and as transformers saves what it loaded from them; as transformers 5 saves a
    /// model that it made; names of 4.52 and later; names of 5.6 and later; the authors' own, with a fine-tuned tower and
    /// without.
    private static let layouts = [
        released,
        WeightNames(
            decoder: released.decoder, head: released.head, vision: "vision_tower.",
            projector: released.projector,
            newline: released.newline),
        WeightNames(
            decoder: "model.language_model.", head: "lm_head", vision: "model.vision_tower.vision_model.",
            projector: ("model.multi_modal_projector.linear_1", "model.multi_modal_projector.linear_2"),
            newline: "model.image_newline"),
        WeightNames(
            decoder: "model.language_model.", head: "lm_head", vision: "model.vision_tower.",
            projector: ("model.multi_modal_projector.linear_1", "model.multi_modal_projector.linear_2"),
            newline: "model.image_newline"),
        WeightNames(
            decoder: "model.", head: "lm_head", vision: "model.vision_tower.vision_tower.vision_model.",
            projector: ("model.mm_projector.0", "model.mm_projector.2"), newline: "model.image_newline"),
        WeightNames(
            decoder: "model.", head: "lm_head", vision: nil,
            projector: ("model.mm_projector.0", "model.mm_projector.2"), newline: "model.image_newline"),
    ]

    /// The layout whose landmarks `names` holds.
    init(recognising names: Set<String>, at path: String) throws(ModelError) {
        for layout in Self.layouts
        where names.contains(layout.decoder + "embed_tokens.weight")
            && names.contains(layout.projector.first + ".weight")
            && layout.vision.map({ names.contains($0 + "embeddings.class_embedding") }) ?? true
        {
            self = layout
            return
        }
        throw ModelError(
            .missingTensor,
            "there are no LLaVA weights under any known name; expected, for instance, "
                + "language_model.model.embed_tokens.weight together with multi_modal_projector.linear_1.weight "
                + "and vision_tower.vision_model.embeddings.class_embedding", at: path)
    }

    private init(
        decoder: String, head: String, vision: String?, projector: (String, String), newline: String
    ) {
        self.decoder = decoder
        self.head = head
        self.vision = vision
        self.projector = projector
        self.newline = newline
    }
}
