package io.github.loragraph.sagemaker.client;

import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.services.sagemaker.model.CreateHyperParameterTuningJobRequest;
import software.amazon.awssdk.services.sagemaker.model.CreateTrainingJobRequest;

/**
 * A job that can be submitted.
 *
 * @param name that it will have in the service
 * @param run of the file that it is made for, with its seed; of a tuning job the file's name
 * @param training the request of a training job; empty for a tuning job
 * @param tuning the request of a tuning job; empty for a training job
 */
public record PlannedJob(
    String name,
    String run,
    Optional<CreateTrainingJobRequest> training,
    Optional<CreateHyperParameterTuningJobRequest> tuning) {
  /** The request as {@code aws sagemaker create-...-job --cli-input-json} takes it, in one line. */
  public String json() {
    return RequestJson.line(pojo());
  }

  /** The same as maps, lists, texts, numbers and booleans. */
  Map<String, Object> request() {
    return RequestJson.of(pojo());
  }

  private SdkPojo pojo() {
    return training.<SdkPojo>map(request -> request).or(() -> tuning).orElseThrow();
  }
}
