package io.github.loragraph.sagemaker.client;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code lora-graph sagemaker logs}. */
@Command(
    name = "logs",
    header = "Prints what a training job has printed.",
    description = {
      "",
      "From CloudWatch Logs, group /aws/sagemaker/TrainingJobs: of a job that was interrupted, what"
          + " all of its containers have printed, one after the other.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  lora-graph sagemaker logs sst2-lora-r2-seed0-261127-041530-123 --follow",
      "",
      "Exit codes: 0 done; 1 failed, or the service refused; 2 wrong usage; 130, 143 and 129 ended by"
          + " Ctrl-C, SIGTERM and SIGHUP (the job goes on)."
    },
    mixinStandardHelpOptions = true)
final class LogsCommand implements Callable<Integer> {
  private static final Duration POLL = Duration.ofSeconds(5);

  @Spec private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "JOB", description = "The name of the job.")
  private String job;

  @Parameters(index = "1..*", arity = "0..*", hidden = true)
  private @Nullable List<String> others;

  @Option(names = "--follow", description = "Go on until the job is over.")
  private boolean follow;

  @Mixin private ServiceOptions service;

  @Override
  public Integer call() {
    if (others != null) {
      throw new ParameterException(
          spec.commandLine(),
          "the logs are those of one job at a time, and %d are named".formatted(1 + others.size()));
    }
    NamedJobs.requireName(job);
    PrintWriter out = spec.commandLine().getOut();
    AtomicBoolean any = new AtomicBoolean();
    try (TrainingJobs asked = service.open(Optional.empty())) {
      JobDescription read =
          asked.logs(
              job,
              follow,
              POLL,
              line -> {
                any.set(true);
                out.println(PlainText.of(line));
                if (out.checkError()) {
                  throw new OutputIsOver();
                }
              });
      if (!any.get()) {
        PrintWriter err = spec.commandLine().getErr();
        err.println(
            PlainText.line(
                "%s has printed nothing%s; the job is %s%s"
                    .formatted(
                        job,
                        read.status().isOver() ? "" : " yet",
                        read.state(),
                        read.failure().map(reason -> ": " + reason).orElse(""))));
        err.flush();
      }
    } catch (OutputIsOver e) {
      // Whether something is lost by that is said of all commands, where the program ends.
      return 0;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LoraGraphException("the reading was interrupted; the job goes on", e);
    }
    return 0;
  }

  /** Standard output takes no more: its reader has gone, or its disk is full. */
  private static final class OutputIsOver extends RuntimeException {
    private static final long serialVersionUID = 1L;

    OutputIsOver() {
      super("standard output takes no more");
    }
  }
}
