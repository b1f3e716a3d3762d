package io.github.loragraph.sagemaker.client;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which service is asked. */
final class ServiceOptions {
  /**
   * What the SDK says by itself, of files of its own that are not there, is of no use to a user.
   */
  private static final String LOG_LEVEL = "org.slf4j.simpleLogger.log.software.amazon.awssdk";

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--region",
      paramLabel = "REGION",
      description =
          "The region of the jobs and of their bucket (default: that of AWS_REGION or ~/.aws/config).")
  private @Nullable String region;

  /**
   * Asks the service of that region; whoever opens it closes it.
   *
   * @param usual where the option is not given; empty for the machine's settings
   * @throws ParameterException if the option is empty
   */
  TrainingJobs open(Optional<String> usual) {
    silence();
    if (region != null && region.isBlank()) {
      throw new ParameterException(
          spec.commandLine(), "--region is empty: name one, as eu-central-1, or leave it out");
    }
    return TrainingJobs.open(region != null ? region : usual.orElse(null));
  }

  /** Has the SDK say nothing by itself; what it throws is said. */
  static void silence() {
    if (System.getProperty(LOG_LEVEL) == null) {
      System.setProperty(LOG_LEVEL, "off");
    }
  }
}
