import Foundation
import Generation
import ImageDecoding
import JobModel
import JobVocabulary
import TokenReduction
import VisionLanguage

/// Everything about a batch that can be known to be wrong before it runs.
enum BatchPreflight {
    /// Reads a batch file, or makes a batch without one, and checks it against the model's sizes and the methods' options; all
    /// problems end the command with exit code 2. Unreadable pictures cause only a warning: each fails its own items.
    ///
    /// - Parameters:
    ///   - path: The batch file; nil if the changes say everything.
    ///   - changes: Values that take the place of the file's.
    ///   - trustsPaths: Whether what is not on this machine is left to the workers to check.
    static func load(
        _ path: String?, changing changes: BatchChanges = BatchChanges(), trustsPaths: Bool = false
    ) throws -> BatchFile {
        let methods = MethodCatalogue.all.map(\.name)
        var file: BatchFile
        do {
            file =
                if let path {
                    try BatchFile.load(
                        URL(fileURLWithPath: path), methods: methods, changing: changes, trustsPaths: trustsPaths,
                        pictureTrouble: trouble)
                } else {
                    try BatchFile.make(
                        of: changes, in: URL(fileURLWithPath: FileManager.default.currentDirectoryPath),
                        methods: methods, trustsPaths: trustsPaths, pictureTrouble: trouble)
                }
        } catch {
            throw CommandFailure(ExitCodes.usage, "the batch cannot run:\n\(error)")
        }
        do {
            try file.description.checkLimits()
            if hasModel(file.description) { try check(&file) }
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(ExitCodes.usage, "the batch cannot run:\n\(path ?? "the command line"): \(error)")
        }
        tell(of: file.leftOut)
        tellOfTrust(file)
        warn(of: file.unreadablePictures, among: file.itemCount)
        return file
    }

    /// Whether a batch's model is on this machine.
    static func hasModel(_ batch: BatchDescription) -> Bool {
        [batch.model, batch.visionTower].compactMap(\.self).allSatisfy(JobModel.isFolder)
    }

    /// Says on standard error what is left to the workers to check.
    private static func tellOfTrust(_ file: BatchFile) {
        let wanted = file.description
        let named = [("the model", wanted.model)] + (wanted.visionTower.map { [("the vision tower", $0)] } ?? [])
        let folders = named.filter { !JobModel.isFolder($0.1) }.map { "\($0.0) \($0.1)" }
        let pictures =
            file.absentPictures == 0
            ? []
            : ["\(counted(file.absentPictures, "picture")) below \(wanted.images)"]
        guard !(folders + pictures).isEmpty else { return }
        printError(
            "not on this machine, so that only a worker can check it: " + (folders + pictures).joined(separator: ", "))
    }

    /// Checks a batch against its model, and notes how the model takes pictures.
    private static func check(_ file: inout BatchFile) throws {
        let wanted = file.description
        let configuration = try LLaVAConfiguration(directory: wanted.model, visionTower: wanted.visionTower)
        _ = try ModelLoader.processor(directory: wanted.model, visionTower: wanted.visionTower)
        if let asked = wanted.imageMode {
            if file.picturedItemCount > 0 { try configuration.check(asked) }
        } else if configuration.anyResolution == nil {
            file.description.imageMode = configuration.usualFraming
        }
        let plan = try ReductionPlan(
            method: wanted.method.name, keep: wanted.method.keep, fromLayer: wanted.method.fromLayer,
            options: wanted.method.options, model: configuration.depth)
        try checkPictures(file, plan, configuration)
        if plan.readsQuestion { _ = try CLIPFolder(of: wanted.model, visionTower: wanted.visionTower) }
    }

    /// Why the beginning of a file shows that it cannot be read as a picture; nil if nothing speaks against it.
    static func trouble(_ path: String) -> String? {
        do throws(ImageError) {
            try Picture.checkBeginning(of: URL(fileURLWithPath: path))
            return nil
        } catch {
            return error.message
        }
    }

    /// Says on standard error which files of a folder make no items.
    static func tell(of leftOut: LeftOutFiles) {
        func lines(_ kind: String, _ group: LeftOutFiles.Group) -> String {
            let more = group.count - group.examples.count
            return "  \(kind): " + group.examples.map(\.onOneLine).joined(separator: ", ")
                + (more > 0 ? " and \(more) more" : "")
        }
        let kinds = leftOut.pictureKinds
        let count = kinds.reduce(0) { $0 + $1.group.count }
        if count > 0 {
            printError(
                """
                warning: \(counted(count, "picture is", "pictures are")) of kinds that are not read, and left out; \
                convert to JPEG, PNG or WebP:
                \(kinds.map { lines("\($0.group.count) \($0.kind)", $0.group) }.joined(separator: "\n"))
                """)
        }
        if leftOut.others.count > 0 {
            printError(
                "files that are not pictures are skipped:\n"
                    + lines(counted(leftOut.others.count, "file"), leftOut.others))
        }
    }

    /// Refuses items whose pictures alone leave no room for a word, or have more tokens than a record can tell apart, whatever
    /// the pictures are.
    private static func checkPictures(
        _ file: BatchFile, _ plan: ReductionPlan, _ configuration: LLaVAConfiguration
    ) throws {
        let pictures = file.mostPictures, context = configuration.text.context
        guard pictures > 0 else { return }
        let rows = configuration.fewestRowsPerPicture(under: plan)
        let tokens = configuration.fewestTilesPerPicture * configuration.vision.patches
        let problem: String
        if pictures * rows + 1 >= context {
            let atLeast = configuration.anyResolution == nil && !plan.isOpen ? "" : "at least "
            problem =
                "\(pictures) pictures of \(atLeast)\(rows) visual tokens each do not fit into the \(context) that the model "
                + "takes with the answer; give fewer, or keep fewer tokens of each"
        } else if pictures * tokens > PatchGrid.mostTokens {
            problem =
                "\(pictures) pictures have at least \(pictures * tokens) visual tokens before any reduction, and a job's record "
                + "tells \(PatchGrid.mostTokens) apart; give fewer"
        } else {
            return
        }
        throw CommandFailure(
            ExitCodes.usage,
            "the batch cannot run:\n\(file.description.items)"
                + (file.lineOfMostPictures.map { ", line \($0)" } ?? "") + ": \(problem)")
    }

    private static func warn(of unreadable: UnreadablePictures, among items: Int) {
        guard unreadable.pictures > 0 else { return }
        let (amongThem, atLeast) =
            unreadable.isPartial ? (" of the first \(UnreadablePictures.mostExamined)", "at least ") : ("", "")
        let pictures = counted(unreadable.pictures, "picture")
        printError(
            """
            warning: \(pictures)\(amongThem) cannot be read, so that \(atLeast)\(unreadable.items) of \(counted(items, "item")) will fail:
            \(unreadable.reasons.map { "  " + $0.onOneLine }.joined(separator: "\n"))
            """)
    }

    /// The same batch with a results folder that holds nothing yet: `-2`, `-3`, … where the wanted one is taken.
    static func withFreshResults(_ file: BatchFile) -> BatchFile {
        var file = file
        file.description.results = BatchRuns(of: file.description.results, named: file.description.name).free
        return file
    }

    /// The same batch with the results folder of its last run, the one of the highest number.
    static func withLastResults(_ file: BatchFile) throws -> BatchFile {
        var file = file
        let wanted = file.description.results
        let last = BatchRuns(of: wanted, named: file.description.name).all.last {
            FileManager.default.fileExists(atPath: "\($0)/\(ResultsLayout.jobStore)")
        }
        guard let last else {
            throw CommandFailure(
                ExitCodes.usage, "there is no run of this batch in \(wanted) to go on with; start one without --resume")
        }
        file.description.results = last
        return file
    }
}
