import Analysis
public import ArgumentParser
import Evaluation
import Foundation
import HDF5
import ImageDecoding
import ResultFiles
import Tensors
import TokenReduction
import Tokenization
import VisionLanguage

/// The command line: one file for each subcommand.
public struct Winnow: ParsableCommand {
    /// Name, description and subcommands.
    public static let configuration = CommandConfiguration(
        commandName: "winnow",
        abstract:
            "Runs batches of image–instruction jobs through LLaVA-1.5 and LLaVA-NeXT with visual token reduction.",
        discussion: """
            Exit codes: 0 all jobs succeeded, 1 something around the jobs failed, 2 wrong usage or input, \
            3 some jobs failed, 4 cancelled.
            """,
        version: "winnow 0.1.0",
        subcommands: [
            InitCommand.self, RunCommand.self, CoordinatorCommand.self, WorkerCommand.self, SubmitCommand.self,
            JobsCommand.self,
            StatusCommand.self, WatchCommand.self, WaitCommand.self, CancelCommand.self, ForgetCommand.self,
            RetryCommand.self,
            PauseCommand.self, ResumeCommand.self, DrainCommand.self, ExplainCommand.self, WorkersCommand.self,
            DoctorCommand.self, KeysCommand.self, AllocCommand.self, AnswerCommand.self, ReduceCommand.self,
            MethodsCommand.self,
            FLOPsCommand.self, ModelCommand.self, ResultsCommand.self, ReportCommand.self, EvalCommand.self,
            BenchCommand.self, ExamineCommand.self,
        ])

    /// As the parser makes it.
    public init() {}

    /// Parses the arguments and runs the command they name; returns the exit code.
    public static func start() -> Int32 {
        StandardStreams.openMissing()
        ThreadWaiting.beShort()
        // Peers and readers of our output may go away at any time: an error, not a signal.
        signal(SIGPIPE, SIG_IGN)
        // A file that may not grow any more is like a full disk.
        signal(SIGXFSZ, SIG_IGN)
        HDF5Library.explainCrashes()
        FileExamination.begin(by: ExamineCommand.program, [ExamineCommand.name])
        do {
            let arguments = CommandLine.arguments.dropFirst()
            try UnknownCommand.refuse(arguments, of: self)
            var command: any ParsableCommand
            do {
                command = try parseAsRoot()
            } catch {
                if exitCode(for: error) == .validationFailure { try UnknownOption.refuse(arguments, of: self) }
                throw error
            }
            try command.run()
            return ExitCodes.success
        } catch let failure as CommandFailure {
            if !failure.message.isEmpty { printError("winnow: \(failure.message)") }
            return failure.exitCode
        } catch let error as ReductionError {
            printError("winnow: \(error)")
            return ExitCodes.usage
        } catch let error as ModelError where error.code != .notFinite {
            printError("winnow: \(error)")
            return ExitCodes.usage
        } catch let error as TokenizerError {
            printError("winnow: \(error)")
            return ExitCodes.usage
        } catch let error as TensorError where error.code != .engineFailure {
            printError("winnow: \(error)")
            return ExitCodes.usage
        } catch let error as ImageError where error.code != .outOfMemory {
            printError("winnow: \(error)")
            return ExitCodes.usage
        } catch let error as AnalysisError where error.code == .badRequest {
            printError("winnow: \(error)")
            return ExitCodes.usage
        } catch let error as ResultFileError where error.code == .notFound {
            printError("winnow: \(error)")
            return ExitCodes.usage
        } catch let error as EvaluationError {
            printError("winnow: \(error)")
            return ExitCodes.usage
        } catch let error as CoordinatorClientError where error.isUsage {
            printError("winnow: \(error)")
            return ExitCodes.usage
        } catch {
            let isHelp = exitCode(for: error) == .success
            if isHelp {
                print(fullMessage(for: error).withUsageWrapped)
                return ExitCodes.success
            }
            let isUsage = exitCode(for: error) == .validationFailure
            printError(isUsage ? fullMessage(for: error).withUsageWrapped : "winnow: \(error)")
            return isUsage ? ExitCodes.usage : ExitCodes.infrastructure
        }
    }
}
