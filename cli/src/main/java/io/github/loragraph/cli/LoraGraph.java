package io.github.loragraph.cli;

import io.github.loragraph.TrainingListener;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.error.Spelling;
import io.github.loragraph.experiment.RunProgram;
import io.github.loragraph.trainer.RunFolder;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.function.Predicate;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The command {@code lora-graph}: the list of its subcommands, and how failures are told. */
@Command(
    name = "lora-graph",
    header = "Fine-tunes transformer models as ONNX files, with LoRA, without Python.",
    description = {
      "",
      "A MODEL is an .onnx file, a folder in Hugging Face's layout, a run folder that 'train'"
          + " wrote, or the name of a bundled model (all-MiniLM-L6-v2).",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  lora-graph quickstart",
      "  lora-graph inspect model.onnx --match 'query|output'",
      "  lora-graph inject model.onnx --match 'query|output' --rank 8",
      "  lora-graph train model.lora.onnx --data train.tsv --eval dev.tsv -o run",
      "  lora-graph merge run -o merged.onnx",
      "",
      "Exit codes: 0 done; 1 failed (one line says what and what to do); 2 wrong usage;"
          + " 3 the run folder has a run that is not over;"
          + " 130, 143 and 129 ended by Ctrl-C, SIGTERM and SIGHUP (a training with a checkpoint).",
      "",
      "'lora-graph sagemaker' has runs made on Amazon SageMaker; it is a module of its own:"
          + " docs/sagemaker.md",
      "'lora-graph COMMAND --help' explains a command; recipes, formats and the rest are in docs/,"
          + " and at",
      "https://github.com/lora-graph/lora-graph/tree/main/docs"
    },
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    synopsisSubcommandLabel = "COMMAND")
public final class LoraGraph implements Runnable {
  /** The classes of the commands, in the order of help. */
  private static final List<Class<?>> COMMANDS =
      List.of(
          QuickstartCommand.class,
          InspectCommand.class,
          AddHeadCommand.class,
          InjectCommand.class,
          TrainCommand.class,
          SearchCommand.class,
          EvalCommand.class,
          ReportCommand.class,
          DataCommand.class,
          PredictCommand.class,
          EmbedCommand.class,
          MineNegativesCommand.class,
          MergeCommand.class,
          ExperimentCommand.class,
          RemoveCommand.class,
          AdapterCommand.class,
          ArtifactsCommand.class,
          DoctorCommand.class,
          BenchmarkCommand.class,
          ReferenceCommand.class,
          CompletionCommand.class,
          HelpCommand.class);

  private static final String TRAIN = "train";

  /** Of this one all others are needed, with all their options. */
  private static final String OF_ALL = "completion";

  /** What a plugin adds, where its module is. */
  private static final String SAGEMAKER = "sagemaker";

  private static final String[] LESS_MEMORY = {
    "--micro-batch", "--batch-size", "--max-length", "--sequence"
  };

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Option(
      names = "--stacktrace",
      scope = ScopeType.INHERIT,
      description = "Print the stack trace of a failure.")
  private boolean stacktrace;

  @Override
  public void run() {
    throw new CommandLine.ParameterException(
        spec.commandLine(), "a COMMAND is missing; 'lora-graph --help' lists them");
  }

  /**
   * The command line, ready to execute.
   *
   * @param listeners are told of its trainings
   */
  public static CommandLine commandLine(TrainingListener... listeners) {
    CommandLine commandLine = commandLine(command -> true);
    TrainCommand train =
        Objects.requireNonNull(commandLine.getSubcommands().get(TRAIN)).getCommand();
    train.tell(listeners);
    return commandLine;
  }

  /**
   * The command line, ready to execute these words and no others: a command that none of them names
   * has its name and its headline alone, which is all that a list of the commands shows of it. To
   * read the options of all takes longer than many a command.
   */
  static CommandLine commandLine(ArgumentFiles words) {
    List<String> all = List.of(words.words());
    return commandLine(
        command ->
            all.contains(OF_ALL)
                || all.contains(command.name())
                || Arrays.stream(command.aliases()).anyMatch(all::contains));
  }

  private static CommandLine commandLine(Predicate<Command> needed) {
    LoraGraph root = new LoraGraph();
    CommandLine commandLine = new CommandLine(root);
    for (Class<?> type : COMMANDS) {
      add(type, type, needed, commandLine);
    }
    addPlugins(commandLine, needed);
    commandLine.setCaseInsensitiveEnumValuesAllowed(true);
    commandLine.setUsageHelpAutoWidth(true);
    // They are read before: see execute.
    commandLine.setExpandAtFiles(false);
    HelpLayout.applyTo(commandLine);
    commandLine.setParameterExceptionHandler((e, args) -> onWrongUsage(e, List.of()));
    commandLine.setExecutionExceptionHandler(
        (failure, at, parsed) -> onFailure(failure, at, root.stacktrace));
    return commandLine;
  }

  /**
   * @param command the class of a command, or an object of it
   */
  private static void add(
      Class<?> type, Object command, Predicate<Command> needed, CommandLine parent) {
    Command described = Objects.requireNonNull(type.getAnnotation(Command.class));
    if (needed.test(described)) {
      parent.addSubcommand(command);
      return;
    }
    CommandLine.Model.CommandSpec headline =
        CommandLine.Model.CommandSpec.create().name(described.name()).aliases(described.aliases());
    headline.usageMessage().header(described.header()).hidden(described.hidden());
    parent.addSubcommand(headline);
  }

  private static void addPlugins(CommandLine commandLine, Predicate<Command> needed) {
    ServiceLoader.load(CommandPlugin.class, CommandPlugin.class.getClassLoader()).stream()
        .map(ServiceLoader.Provider::get)
        .sorted(Comparator.comparing(CommandPlugin::parent))
        .forEach(
            plugin -> {
              Object command = plugin.command();
              CommandLine parent =
                  plugin.parent().isEmpty()
                      ? commandLine
                      : Objects.requireNonNull(commandLine.getSubcommands().get(plugin.parent()));
              add(command.getClass(), command, needed, parent);
            });
  }

  /**
   * Runs a command line and returns its exit code.
   *
   * @param words the arguments, files of arguments ({@code @FILE}) among them
   */
  public static int execute(CommandLine commandLine, String... words) {
    ArgumentFiles files;
    try {
      files = new ArgumentFiles(words);
    } catch (LoraGraphException e) {
      return onFailure(e, commandLine, false);
    }
    return execute(commandLine, files);
  }

  /**
   * Runs a command line and returns its exit code.
   *
   * @param commandLine one of all commands, or that of these words
   */
  static int execute(CommandLine commandLine, ArgumentFiles words) {
    String[] args = words.words();
    try {
      commandLine.setParameterExceptionHandler((e, given) -> onWrongUsage(e, words.empty()));
      if (List.of(args).contains(TRAIN)) {
        ConfigFile.apply(Objects.requireNonNull(commandLine.getSubcommands().get(TRAIN)), args);
      }
      return commandLine.execute(args);
    } catch (LoraGraphException e) {
      return onFailure(e, commandLine, false);
    } catch (OutOfMemoryError | LinkageError | StackOverflowError e) {
      // The library of the command line lets them through.
      LoraGraph root = commandLine.getCommand();
      return onFailure(e, commandLine, root.stacktrace);
    }
  }

  /**
   * @param empty files of arguments without any
   */
  private static int onWrongUsage(CommandLine.ParameterException e, List<String> empty) {
    CommandLine at = e.getCommandLine();
    PrintWriter err = new PrintWriter(new PlainTextWriter(at.getErr()), true);
    Optional<Path> file = ConfigFile.origin(at, e.getArgSpec(), e.getValue());
    String place = file.map(f -> f + ": ").orElse("");
    err.println(
        "lora-graph: "
            + PlainText.message(
                place + withFirstNames(e) + withoutWords(e, empty),
                LoraGraphException.LONGEST_MESSAGE));
    if (file.isPresent()) {
      return CommandLine.ExitCode.SOFTWARE;
    }
    if (!suggestOptions(e) && !CommandLine.UnmatchedArgumentException.printSuggestions(e, err)) {
      err.printf("Try '%s --help'.%n", at.getCommandSpec().qualifiedName(" "));
    }
    return CommandLine.ExitCode.USAGE;
  }

  /** Why something is missing where a file of arguments, {@code @FILE}, has none. */
  private static String withoutWords(CommandLine.ParameterException e, List<String> empty) {
    return e instanceof CommandLine.MissingParameterException && !empty.isEmpty()
        ? "; there are no words in " + empty.get(0)
        : "";
  }

  /** The library's messages call an option by its longest name, which may be a further one. */
  static String withFirstNames(CommandLine.ParameterException e) {
    String message = String.valueOf(e.getMessage());
    for (CommandLine.Model.OptionSpec option : e.getCommandLine().getCommandSpec().options()) {
      String name = "'" + ConfigFile.firstLongName(option);
      for (String end : List.of("'", "=")) {
        message = message.replace("'" + option.longestName() + end, name + end);
      }
    }
    return message
        .replaceAll(" is not a double$", " is no number")
        .replaceAll(" is not an? (int|long)$", " is no whole number");
  }

  /** Options that are written much like an unknown one. */
  private static boolean suggestOptions(CommandLine.ParameterException e) {
    if (!(e instanceof CommandLine.UnmatchedArgumentException unmatched)) {
      return false;
    }
    CommandLine at = e.getCommandLine();
    if (at.getParent() == null
        && unmatched.getUnmatched().get(0).equals(SAGEMAKER)
        && !at.getSubcommands().containsKey(SAGEMAKER)) {
      at.getErr().println(SAGEMAKER + " is a module of its own: docs/sagemaker.md");
      return true;
    }
    List<String> known =
        at.getCommandSpec().options().stream()
            .flatMap(option -> Arrays.stream(option.names()))
            .filter(name -> name.startsWith("--"))
            .toList();
    for (String argument : unmatched.getUnmatched()) {
      if (argument.startsWith("--")) {
        String name = argument.contains("=") ? argument.split("=", 2)[0] : argument;
        List<String> near = Spelling.nearest(name, known);
        if (!near.isEmpty()) {
          at.getErr().println("Did you mean: " + String.join(", ", near) + "?");
          return true;
        }
      }
    }
    return false;
  }

  private static int onFailure(Throwable failure, CommandLine at, boolean stacktrace) {
    PrintWriter err = at.getErr();
    err.println("lora-graph: " + Failures.inOneLine(failure, smaller(at)));
    if (stacktrace) {
      failure.printStackTrace(new PrintWriter(new PlainTextWriter(err), true));
    }
    return failure instanceof LoraGraphException refusal && RunFolder.isTaken(refusal)
        ? RunProgram.TAKEN
        : CommandLine.ExitCode.SOFTWARE;
  }

  /** The options of the command that was given by which it needs less memory. */
  private static String[] smaller(CommandLine at) {
    CommandLine command = at;
    for (CommandLine.ParseResult parsed = at.getParseResult();
        parsed != null && parsed.hasSubcommand();
        parsed = parsed.subcommand()) {
      command = parsed.subcommand().commandSpec().commandLine();
    }
    CommandLine.Model.CommandSpec given = command.getCommandSpec();
    return Arrays.stream(LESS_MEMORY)
        .filter(name -> given.findOption(name) != null)
        .toArray(String[]::new);
  }
}
