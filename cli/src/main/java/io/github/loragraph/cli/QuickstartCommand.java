package io.github.loragraph.cli;

import io.github.loragraph.RuntimeBuild;
import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-graph quickstart}: each step is what the command of the same name does. */
@Command(
    name = "quickstart",
    header = "Goes the whole way on a real model, in about a minute.",
    description = {
      "",
      "Takes the bundled all-MiniLM-L6-v2 and data that come along, puts adapters on the model, and"
          + " a head where the job wants one, trains it, merges the adapters and says what the"
          + " model did before and does after.",
      "",
      "classification tells six kinds of support messages apart, few-shot the same from 8 examples"
          + " of each; embedding finds the passages of a manual that answer questions; rerank puts"
          + " such passages into order; entities finds vessels, people, ports and cargo in"
          + " sentences.",
      ""
    },
    footer = {"", "Example:", "  lora-graph quickstart -o quickstart"},
    mixinStandardHelpOptions = true)
final class QuickstartCommand implements Callable<Integer> {
  @Mixin private ResultOutput output;
  @Mixin private ThreadsOption threads;

  @Option(
      names = "--job",
      paramLabel = "JOB",
      defaultValue = "classification",
      converter = QuickstartJobConverter.class,
      completionCandidates = QuickstartJobConverter.class,
      description =
          "What the model is tuned for: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private QuickstartJob job;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FOLDER",
      description = "A new folder for all files (default: quickstart, quickstart-2, ...).")
  private @Nullable Path target;

  @Override
  public Integer call() {
    Path folder = target == null ? free(Path.of("quickstart")) : target;
    if (Files.exists(folder)) {
      throw new LoraGraphException(folder + " exists already: name a new folder with -o");
    }
    RuntimeBuild.STOCK.load(); // Of GPUs nothing is needed.
    job.run(new QuickstartPlace(folder, output, threads.count()));
    return 0;
  }

  private static Path free(Path stem) {
    Path path = stem;
    for (int number = 2; Files.exists(path); number++) {
      path = Path.of(stem + "-" + number);
    }
    return path;
  }
}
