package io.github.loragraph.sagemaker.client;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.sagemaker.PlatformNames;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The key {@code sagemaker} of an experiment's or a search's file: where and how its trainings are
 * made.
 *
 * @param image the training image, as a registry names it
 * @param role ARN of the role that the jobs have
 * @param output what models and uploaded inputs are put under
 * @param volumeSize of each job, in GB
 * @param maxRun after which a job is stopped
 * @param maxWait of a spot job, its waiting for a machine included; empty for others
 * @param checkpoints what each job's folder of checkpoints is put under; empty where none are kept
 * @param channels by {@code train}, {@code validation}, {@code model}
 * @param inputMode {@code File} or {@code FastFile}
 * @param region empty where the machine's settings say it
 * @param jobPrefix what names of jobs begin with
 * @param subnets of the VPC that jobs are in; empty for none
 */
public record SageMakerSettings(
    String image,
    String role,
    S3Location output,
    String instanceType,
    int volumeSize,
    Duration maxRun,
    boolean spot,
    Optional<Duration> maxWait,
    Optional<S3Location> checkpoints,
    Map<String, S3Location> channels,
    String inputMode,
    Optional<String> region,
    String jobPrefix,
    Map<String, String> tags,
    List<String> subnets,
    List<String> securityGroups,
    Map<String, String> environment,
    Optional<String> kmsKey,
    boolean networkIsolation) {
  /** What the service takes of a tuning job. */
  private static final int MOST_VARIABLES_TUNED = 48;

  public SageMakerSettings {
    channels = Collections.unmodifiableMap(new LinkedHashMap<>(channels));
    tags = Collections.unmodifiableMap(new LinkedHashMap<>(tags));
    subnets = List.copyOf(subnets);
    securityGroups = List.copyOf(securityGroups);
    environment = Collections.unmodifiableMap(new LinkedHashMap<>(environment));
  }

  /**
   * Reads the value of the key.
   *
   * @param file what messages begin with
   * @param name of the file, which jobs are called by unless {@code job-prefix} is there
   * @param value null where the file has no such key
   * @throws LoraGraphException if something is missing, unknown or not possible
   */
  static SageMakerSettings of(String file, String name, @Nullable Object value) {
    if (value == null) {
      throw new LoraGraphException(
          "%s has no key 'sagemaker', a map that says how its runs are trained there: %s at least"
              .formatted(file, String.join(", ", SageMakerReader.NEEDED)));
    }
    SageMakerSettings settings = SageMakerReader.of(file, value).read(name);
    if (settings.environment.containsKey(PlatformNames.BASE_FOLDER)) {
      throw new LoraGraphException(
          "%s: sagemaker.environment.%s: the platform's folders are in /opt/ml, and a job would look for them elsewhere: leave it out"
              .formatted(file, PlatformNames.BASE_FOLDER));
    }
    return settings;
  }

  /**
   * Refuses what a tuning job's trainings do not take.
   *
   * @throws LoraGraphException if it has something like it
   */
  void requireOfTuning(String file) {
    if (environment.size() > MOST_VARIABLES_TUNED) {
      throw new LoraGraphException(
          "%s: sagemaker.environment: there are %,d, and the service takes %,d of a tuning job"
              .formatted(file, environment.size(), MOST_VARIABLES_TUNED));
    }
  }
}
