private import Glibc

/// Goes through the items once and finds everything that is wrong with them. Pictures that stand in requests become files.
struct ItemsCheck {
    /// How many usable items there are, how many of them are about a picture, and how many pictures they name.
    struct Count {
        var items = 0, pictured = 0, pictures = 0
        /// The most pictures that an item is about, and its line.
        var most: (pictures: Int, line: Int?) = (0, nil)
        var unreadable = UnreadablePictures()
        /// Pictures that are not here, where that may be.
        var absent = 0
    }

    /// A picture that an item named.
    private struct Seen {
        var isThere: Bool
        /// Why the picture cannot be read; nil if it was not examined or can be read.
        var trouble: String?
    }

    let source: ItemSource
    let tags: ImageTags
    /// Whether pictures that are not here may be on other machines.
    let trustsPaths: Bool
    /// Why a file that is there cannot be read as a picture; nil if nothing speaks against it.
    let trouble: ((String) -> String?)?

    private var file: String { source.path }
    private var images: String { source.images }

    /// Counts the usable items; problems are added.
    func run(_ problems: inout ManifestProblems) -> Count {
        var lines: ItemLines
        do {
            lines = try ItemLines(source, unpacking: true)
        } catch {
            problems.add(error)
            return Count()
        }
        // Hashes instead of the ids, so that millions of them fit: two that are equal by chance are one in 10^7 batches.
        var firstLine: [Int: Int32] = [:]
        var seen: [String: Seen] = [:]
        var usable = Count()
        do {
            while let line = try lines.next() {
                guard let text = line.text else {
                    problems.add(file, line.number, line.problem ?? "the item cannot be read")
                    continue
                }
                let fields = ItemFields(json: text)
                for message in fields.problems { problems.add(file, line.number, message) }
                if let id = fields.id {
                    if let first = firstLine.updateValue(Int32(clamping: line.number ?? 0), forKey: id.hashValue) {
                        // Texts that differ in how letters and accents are put together are equal.
                        let place = first > 0 ? " in line \(first)" : ", by a name that looks the same"
                        problems.add(file, line.number, "id '\(id)' is already used\(place)")
                    }
                }
                if look(at: fields.images ?? [], line.number, &seen, &usable, &problems) {
                    usable.unreadable.items += 1
                }
                guard let item = fields.item else { continue }
                if let problem = tags.problem(of: item.prompt, pictures: item.images.count) {
                    problems.add(file, line.number, problem)
                }
                usable.items += 1
                if !item.images.isEmpty { usable.pictured += 1 }
                usable.pictures += item.images.count
                if item.images.count > usable.most.pictures { usable.most = (item.images.count, line.number) }
            }
        } catch {
            problems.add(error)
        }
        usable.unreadable.isPartial = trouble != nil && seen.count > UnreadablePictures.mostExamined
        if firstLine.isEmpty, usable.items == 0, problems.isEmpty {
            problems.add(file, nil, "there is no item in the file")
        }
        return usable
    }

    /// Looks for the pictures of an item; whether one of them cannot be read, as far as anybody looked.
    private func look(
        at pictures: [String], _ line: Int?, _ seen: inout [String: Seen], _ count: inout Count,
        _ problems: inout ManifestProblems
    ) -> Bool {
        var hasTrouble = false
        for image in pictures {
            guard !ImagePath.isURL(image), let path = ImagePath.resolve(image, under: images) else { continue }
            let isNew = seen[image] == nil
            let picture = seen[image] ?? Seen(isThere: isFile(path))
            seen[image] = picture
            if !picture.isThere {
                let isHidden = access(path, F_OK) != 0 && errno == EACCES
                if trustsPaths, !isHidden {
                    if isNew { count.absent += 1 }
                    continue
                }
                problems.add(
                    file, line,
                    isHidden
                        ? "image '\(image)' in \(images) cannot be reached: permission denied"
                        : "there is no image '\(image)' in \(images)"
                            + (seen.count == 1 ? "; --images or 'images' names another folder" : ""))
            } else if isNew, ConfinedImage.leadsOut(image, of: images) {
                problems.add(file, line, "image '\(image)' is a link that leads out of \(images)")
            } else if isNew, seen.count <= UnreadablePictures.mostExamined, let reason = trouble?(path) {
                seen[image]?.trouble = reason
                count.unreadable.add(image, reason)
            }
            hasTrouble = hasTrouble || seen[image]?.trouble != nil
        }
        return hasTrouble
    }
}
