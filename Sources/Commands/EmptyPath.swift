import ArgumentParser

/// Refuses options for paths that are given and empty, as by a shell variable that is not set: an empty path would be the current
/// folder.
func refuseEmptyPaths(_ options: [(name: String, path: String?)]) throws {
    for (name, path) in options where path?.isEmpty == true {
        throw ValidationError("\(name) is empty; name a path, or leave it out")
    }
}
