// swift-tools-version: 6.2
import PackageDescription

/// Every Swift target is built with the same language settings; see CONTRIBUTING.md.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

func module(
    _ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = [], resources: [Resource]? = nil
) -> Target {
    .target(
        name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.byName(name: name), "TestSupport"] + dependencies, swiftSettings: settings
    )
}

let package = Package(
    name: "winnow",
    products: [.executable(name: "winnow", targets: ["winnow"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", exact: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    // Arrows only go down: a target may import targets of lower levels, nothing else (ops/check enforces it).
    targets: [
        // Level 0: C libraries behind shims, hot loops, and what needs nobody else.
        .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
        .systemLibrary(name: "CFileSystems"),
        .systemLibrary(name: "CHDF5", pkgConfig: "hdf5-serial", providers: [.apt(["libhdf5-dev"])]),
        .target(name: "COneDNN", linkerSettings: [.linkedLibrary("dnnl")]),
        .target(name: "CSentencePiece", linkerSettings: [.linkedLibrary("sentencepiece")]),
        .target(
            name: "CImageCodecs",
            linkerSettings: [
                .linkedLibrary("jpeg"), .linkedLibrary("png"), .linkedLibrary("webp"), .linkedLibrary("webpdemux"),
                .linkedLibrary("gif"),
            ]),
        .target(
            name: "CKernels", cSettings: [.unsafeFlags(["-O3"])], linkerSettings: [.linkedLibrary("gomp")]),
        module("Failpoints"),
        module("JobVocabulary"),
        module("MachineLimits"),
        module("SeededRandomness"),

        // Level 1: one library or one idea each.
        module("JobModel", ["JobVocabulary", crypto, yams]),
        module("FileLocks", ["CFileSystems"]),
        module("ZeroMQ", ["CZeroMQ"]),
        module("HDF5", ["CHDF5"]),
        module("Tensors", ["COneDNN", "CKernels"]),
        module("ImageDecoding", ["CImageCodecs", "JobVocabulary"]),
        module("Intervals", ["SeededRandomness"]),
        module("Tokenization", ["CSentencePiece"]),

        // Level 2: what the project exists for.
        module("WireProtocol", ["JobModel", protobuf], exclude: ["winnow.proto"]),
        module("Scheduling", ["JobModel", "SeededRandomness"]),
        module("TokenReduction", ["JobVocabulary", "SeededRandomness", "Tensors"]),
        module("ResultFiles", ["Failpoints", "FileLocks", "HDF5", "JobVocabulary", crypto]),
        module("JobStore", ["Failpoints", "FileLocks", "JobModel", grdb, sqlite]),

        module("AccessKeys", ["FileLocks", "ZeroMQ"]),
        module("Allocation", ["FileLocks", "JobVocabulary"]),
        module("Monitoring"),

        // Level 3–4: the model, and running it.
        module(
            "VisionLanguage",
            [
                "ImageDecoding", "JobModel", "JobVocabulary", "MachineLimits", "Tensors", "TokenReduction",
                "Tokenization", crypto,
            ]),
        module(
            "Generation",
            [
                "ImageDecoding", "JobModel", "JobVocabulary", "SeededRandomness", "Tensors", "TokenReduction",
                "Tokenization",
                "VisionLanguage",
            ]),

        // Level 5: the two services, what is done with their results, and what a method costs and keeps.
        module(
            "Analysis",
            [
                "FileLocks", "ImageDecoding", "Intervals", "JobModel", "JobVocabulary", "JobStore", "ResultFiles", grdb,
                mustache,
            ],
            resources: [.embedInCode("Resources")]),
        module(
            "Coordinator",
            [
                "AccessKeys", "JobModel", "JobVocabulary", "JobStore", "Monitoring", "ResultFiles", "Scheduling",
                "TokenReduction",
                "WireProtocol", "ZeroMQ", logging,
            ]),
        module(
            "Evaluation",
            [
                "FileLocks", "Generation", "Intervals", "JobModel", "JobVocabulary", "SeededRandomness", "Tensors",
                "TokenReduction", "Tokenization",
                "VisionLanguage", crypto,
            ]),
        module(
            "Worker",
            [
                "Failpoints", "Generation", "ImageDecoding", "JobModel", "JobVocabulary", "MachineLimits",
                "ResultFiles", "Tensors",
                "TokenReduction", "VisionLanguage", "WireProtocol", "ZeroMQ", logging,
            ]),

        // Level 6–7: the command line.
        module(
            "Commands",
            [
                "AccessKeys", "Allocation", "Analysis", "Coordinator", "Evaluation", "FileLocks", "Generation", "HDF5",
                "ImageDecoding", "Intervals", "JobModel", "JobVocabulary",
                "JobStore", "MachineLimits", "Monitoring", "ResultFiles", "Scheduling",
                "Tensors", "TokenReduction", "Tokenization", "VisionLanguage", "WireProtocol", "Worker", "ZeroMQ",
                arguments, logging,
            ]),
        .executableTarget(name: "winnow", dependencies: ["Commands"], swiftSettings: settings),

        // Tests: one target per module, and the system tests that start real processes.
        .target(
            name: "TestSupport", dependencies: ["ImageDecoding", "SeededRandomness"], path: "Tests/TestSupport",
            swiftSettings: settings),
        tests("JobModel", ["JobVocabulary"]),
        tests("Failpoints"),
        tests("FileLocks"),
        tests("MachineLimits"),
        tests("SeededRandomness"),
        tests("ZeroMQ"),
        tests("HDF5"),
        tests("Tensors"),
        tests("ImageDecoding", ["JobVocabulary"]),
        tests("Intervals"),
        tests("Tokenization", ["JobModel"]),
        tests("WireProtocol", ["JobModel"]),
        tests("Scheduling", ["JobModel"]),
        tests("TokenReduction", ["JobVocabulary", "Tensors", "HDF5"]),
        tests("ResultFiles", ["HDF5", "JobVocabulary"]),
        tests("JobStore", ["FileLocks", "JobModel"]),
        tests(
            "VisionLanguage",
            ["JobModel", "JobVocabulary", "Tensors", "TokenReduction", "Tokenization", "ImageDecoding", "HDF5"]),
        tests(
            "Generation",
            [
                "ImageDecoding", "JobModel", "JobVocabulary", "Tensors", "TokenReduction", "Tokenization",
                "VisionLanguage", "HDF5",
            ]),
        tests(
            "Evaluation",
            [
                "Generation", "ImageDecoding", "Intervals", "JobModel", "JobVocabulary", "Tensors", "TokenReduction",
                "Tokenization", "VisionLanguage",
            ]),
        tests(
            "Analysis", ["HDF5", "ImageDecoding", "Intervals", "JobModel", "JobVocabulary", "JobStore", "ResultFiles"]),
        tests("AccessKeys", ["ZeroMQ"]),
        tests("Allocation", ["FileLocks"]),
        tests("Monitoring"),
        tests("Coordinator", ["AccessKeys", "JobModel", "JobStore", "Scheduling", "WireProtocol", "ZeroMQ"]),
        tests("Worker", ["JobModel", "JobVocabulary", "ResultFiles", "WireProtocol", "ZeroMQ"]),
        .testTarget(
            name: "SystemTests",
            dependencies: ["AccessKeys", "TestSupport", "HDF5", "ImageDecoding", "JobModel", "WireProtocol", "ZeroMQ"],
            exclude: ["README.md", "Chaos/check_run.py"],
            swiftSettings: settings),
    ],
    cxxLanguageStandard: .cxx17
)
