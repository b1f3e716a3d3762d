package io.github.loragraph.sagemaker.client;

import io.github.loragraph.error.PlainText;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.sagemaker.model.Channel;
import software.amazon.awssdk.services.sagemaker.model.DescribeHyperParameterTuningJobResponse;
import software.amazon.awssdk.services.sagemaker.model.DescribeTrainingJobResponse;
import software.amazon.awssdk.services.sagemaker.model.HyperParameterTuningJobObjectiveType;
import software.amazon.awssdk.services.sagemaker.model.MetricData;
import software.amazon.awssdk.services.sagemaker.model.SecondaryStatusTransition;
import software.amazon.awssdk.services.sagemaker.model.TrainingJobStatusCounters;

/**
 * What the service says of a job.
 *
 * @param isTuning whether it is a tuning job, which has trainings and no metrics of its own
 * @param phase the service's word for what goes on, as {@code Downloading}; of a tuning job how
 *     many trainings stand where
 * @param message what the service says of the phase, or why it does not; may be empty
 * @param failure why it failed, in one line; empty where it did not
 * @param hyperparameters by their names; of a tuning job those that all trainings have
 * @param channels the addresses in S3 that a training's data come from, by the names of channels
 * @param metrics the last value of each, by the names of {@code MetricDefinitions}
 * @param billableSeconds that are paid for, where the service says so
 * @param trainingSeconds of the container
 * @param model archive of what the job has learned; empty where there is none yet
 * @param output archive of what else it has written, if it has written anything
 * @param objective of a tuning job
 * @param best the best training so far of a tuning job
 */
public record JobDescription(
    String name,
    boolean isTuning,
    JobStatus status,
    String phase,
    String message,
    Optional<String> failure,
    Map<String, String> hyperparameters,
    Map<String, String> channels,
    Map<String, Double> metrics,
    OptionalLong billableSeconds,
    OptionalLong trainingSeconds,
    Optional<S3Location> model,
    Optional<S3Location> output,
    Optional<Objective> objective,
    Optional<String> best) {
  /**
   * What trainings are judged by.
   *
   * @param metric by its name in {@code MetricDefinitions}
   */
  public record Objective(String metric, boolean isMaximized) {}

  public JobDescription {
    if (status == JobStatus.UNKNOWN && message.isEmpty()) {
      message = "the service has answered without a status";
    }
    hyperparameters = Collections.unmodifiableMap(new LinkedHashMap<>(hyperparameters));
    channels = Collections.unmodifiableMap(new LinkedHashMap<>(channels));
    metrics = Collections.unmodifiableMap(new LinkedHashMap<>(metrics));
  }

  /**
   * A job of which the service has not told.
   *
   * @param why in one line
   */
  static JobDescription unknown(String name, String why) {
    return new JobDescription(
        name,
        false,
        JobStatus.UNKNOWN,
        "",
        why,
        Optional.empty(),
        Map.of(),
        Map.of(),
        Map.of(),
        OptionalLong.empty(),
        OptionalLong.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }

  /**
   * @param name that was asked for: an answer may lack anything
   */
  static JobDescription of(String name, DescribeTrainingJobResponse said) {
    Map<String, Double> metrics = new LinkedHashMap<>();
    for (MetricData metric : said.finalMetricDataList()) {
      if (metric != null && metric.metricName() != null && metric.value() != null) {
        // The service's numbers have single precision: as a double 0.8532 would be 0.85320001...
        metrics.put(metric.metricName(), Double.parseDouble(Float.toString(metric.value())));
      }
    }
    return new JobDescription(
        name,
        false,
        JobStatus.of(said.trainingJobStatusAsString()),
        said.secondaryStatusAsString() == null ? "" : said.secondaryStatusAsString(),
        said.secondaryStatusTransitions().stream()
            .filter(Objects::nonNull)
            .reduce((first, second) -> second)
            .map(SecondaryStatusTransition::statusMessage)
            .orElse(""),
        text(said.failureReason()).map(JobDescription::oneLine),
        new TreeMap<>(said.hyperParameters()),
        channels(said.inputDataConfig()),
        metrics,
        seconds(said.billableTimeInSeconds()),
        seconds(said.trainingTimeInSeconds()),
        said.modelArtifacts() == null
            ? Optional.empty()
            : text(said.modelArtifacts().s3ModelArtifacts()).flatMap(S3Location::said),
        said.outputDataConfig() == null
            ? Optional.empty()
            : text(said.outputDataConfig().s3OutputPath())
                .flatMap(S3Location::said)
                .map(place -> place.resolve(name).resolve("output").resolve("output.tar.gz")),
        Optional.empty(),
        Optional.empty());
  }

  /**
   * @param name that was asked for
   */
  static JobDescription of(String name, DescribeHyperParameterTuningJobResponse said) {
    return new JobDescription(
        name,
        true,
        JobStatus.of(said.hyperParameterTuningJobStatusAsString()),
        said.trainingJobStatusCounters() == null ? "" : counted(said.trainingJobStatusCounters()),
        "",
        text(said.failureReason()).map(JobDescription::oneLine),
        said.trainingJobDefinition() == null
            ? Map.of()
            : new TreeMap<>(said.trainingJobDefinition().staticHyperParameters()),
        Map.of(),
        Map.of(),
        OptionalLong.empty(),
        OptionalLong.empty(),
        Optional.empty(),
        Optional.empty(),
        said.hyperParameterTuningJobConfig() == null
            ? Optional.empty()
            : Optional.ofNullable(
                    said.hyperParameterTuningJobConfig().hyperParameterTuningJobObjective())
                .filter(objective -> objective.metricName() != null)
                .map(
                    objective ->
                        new Objective(
                            objective.metricName(),
                            objective.type() == HyperParameterTuningJobObjectiveType.MAXIMIZE)),
        said.bestTrainingJob() == null
            ? Optional.empty()
            : text(said.bestTrainingJob().trainingJobName()));
  }

  /** The addresses of channels that come from S3, by their names: an answer may lack anything. */
  static Map<String, String> channels(List<Channel> said) {
    Map<String, String> channels = new TreeMap<>();
    for (Channel channel : said) {
      if (channel != null
          && channel.channelName() != null
          && channel.dataSource() != null
          && channel.dataSource().s3DataSource() != null) {
        text(channel.dataSource().s3DataSource().s3Uri())
            .ifPresent(address -> channels.put(channel.channelName(), address));
      }
    }
    return channels;
  }

  private static String counted(TrainingJobStatusCounters counters) {
    Map<String, Integer> counts = new LinkedHashMap<>();
    counts.put("completed", counters.completed());
    counts.put("in progress", counters.inProgress());
    counts.put("stopped", counters.stopped());
    counts.put("failed", counters.nonRetryableError());
    return String.join(
        ", ",
        counts.entrySet().stream()
            .filter(count -> count.getValue() != null && count.getValue() > 0)
            .map(count -> count.getValue() + " " + count.getKey())
            .toList());
  }

  private static Optional<String> text(@Nullable String said) {
    return Optional.ofNullable(said).filter(text -> !text.isBlank());
  }

  private static String oneLine(String text) {
    return PlainText.message(text, Integer.MAX_VALUE);
  }

  private static OptionalLong seconds(@Nullable Integer said) {
    return said == null ? OptionalLong.empty() : OptionalLong.of(said);
  }

  /** Where it stands, in one piece: {@code InProgress, Downloading}. */
  String state() {
    return status + (phase.isEmpty() || phase.equals(status.toString()) ? "" : ", " + phase);
  }
}
