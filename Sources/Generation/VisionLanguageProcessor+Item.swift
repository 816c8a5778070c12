public import JobModel
public import VisionLanguage

extension VisionLanguageProcessor {
    /// The prompt of an item under its batch's template, with a place for each of its pictures.
    public func prompt(of item: Item, in batch: BatchDescription) throws -> MultimodalPrompt {
        try prompt(item.prompt, template: batch.template, tag: batch.imageTag, pictures: item.images.count)
    }

    /// A picture of a batch, turned and framed as the batch says; a model that takes pictures as they are frames none. What a
    /// link points to counts: items may come from somebody else.
    ///
    /// - Parameter name: what errors call the file; its path below the image folder unless told otherwise.
    public func picture(_ image: String, in batch: BatchDescription, name: String? = nil) throws -> PictureInput {
        let file = try ConfinedImage(image, under: batch.images)
        return try prepare(
            path: file.path, name: name ?? "\(batch.images)/\(image)",
            framing: batch.imageMode, orientation: batch.orientation)
    }
}
