package io.github.loragraph.sagemaker.client;

import io.github.loragraph.cli.ResultOutput;
import io.github.loragraph.error.LoraGraphException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How jobs are waited for, and what the end of a command is then. */
final class PatienceOptions {
  /** Ends of a command beside those of all commands. */
  static final int STOPPED = 4;

  static final int OUT_OF_PATIENCE = 5;

  private static final Duration POLL = Duration.ofSeconds(30);
  private static final Duration PATIENCE = Duration.ofDays(1);

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--poll",
      paramLabel = "TIME",
      converter = TimeSpan.class,
      description = "How often the service is asked: 90, 90s, 5m (default: 30s).")
  private @Nullable Duration poll;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      converter = TimeSpan.class,
      description =
          "How long jobs are waited for, at most: 2h, 1d (default: 1d); 0 asks once for each, which"
              + " takes 10 s at most. They go on after it.")
  private @Nullable Duration timeout;

  /** Whether one of the options is given. */
  boolean isGiven() {
    return poll != null || timeout != null;
  }

  /**
   * Waits for jobs.
   *
   * @throws ParameterException if the service would be asked without a pause
   */
  List<JobDescription> await(TrainingJobs jobs, List<String> names, ResultOutput output) {
    try {
      return jobs.await(names, poll(), timeout == null ? PATIENCE : timeout, output::say);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LoraGraphException("the waiting was interrupted; the jobs go on", e);
    }
  }

  /**
   * From one question to the next.
   *
   * @throws ParameterException if there is no pause
   */
  Duration poll() {
    if (poll != null && poll.isZero()) {
      throw new ParameterException(spec.commandLine(), "--poll is 1 second or more");
    }
    return poll == null ? POLL : poll;
  }

  /**
   * What a command ends with: the first of failed, stopped and still at work that one of them is.
   */
  static int exitCode(List<JobDescription> jobs) {
    return has(jobs, JobStatus.FAILED)
        ? 1
        : has(jobs, JobStatus.STOPPED)
            ? STOPPED
            : jobs.stream().allMatch(job -> job.status().isOver()) ? 0 : OUT_OF_PATIENCE;
  }

  private static boolean has(List<JobDescription> jobs, JobStatus status) {
    return jobs.stream().anyMatch(job -> job.status() == status);
  }
}
