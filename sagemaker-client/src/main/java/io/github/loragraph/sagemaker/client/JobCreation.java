package io.github.loragraph.sagemaker.client;

import io.github.loragraph.error.LoraGraphException;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.sagemaker.SageMakerClient;
import software.amazon.awssdk.services.sagemaker.model.Channel;
import software.amazon.awssdk.services.sagemaker.model.CreateHyperParameterTuningJobRequest;
import software.amazon.awssdk.services.sagemaker.model.CreateTrainingJobRequest;
import software.amazon.awssdk.services.sagemaker.model.DescribeTrainingJobResponse;
import software.amazon.awssdk.services.sagemaker.model.HyperParameterTrainingJobDefinition;
import software.amazon.awssdk.services.sagemaker.model.ResourceInUseException;

/**
 * Creates jobs, each once. An answer can be lost when the job is made already: the SDK then calls
 * again, and is told that there is a job of that name. So the job itself tells whose it is.
 *
 * @param notes takes a line where an answer was lost
 */
record JobCreation(SageMakerClient sagemaker, Consumer<String> notes) {
  /** What tells one training from another. */
  private record Training(
      Map<String, String> hyperparameters,
      String image,
      String role,
      Map<String, String> channels) {
    static Training of(
        Map<String, String> hyperparameters, String image, String role, List<Channel> channels) {
      return new Training(
          hyperparameters,
          image,
          role,
          channels.stream()
              .collect(
                  Collectors.toMap(
                      Channel::channelName, c -> c.dataSource().s3DataSource().s3Uri())));
    }

    static Training of(HyperParameterTrainingJobDefinition definition) {
      return of(
          definition.staticHyperParameters(),
          definition.algorithmSpecification().trainingImage(),
          definition.roleArn(),
          definition.inputDataConfig());
    }

    /** Whether it is the other one; the platform adds hyperparameters of its own. */
    boolean is(Training other) {
      return hyperparameters.entrySet().containsAll(other.hyperparameters.entrySet())
          && image.equals(other.image)
          && role.equals(other.role)
          && channels.equals(other.channels);
    }
  }

  /**
   * Creates a job, or finds that a call whose answer was lost has created it.
   *
   * @param doing what a message begins with
   * @throws LoraGraphException if the service refuses it
   */
  void create(PlannedJob job, String doing) {
    try {
      job.training().ifPresent(sagemaker::createTrainingJob);
      job.tuning().ifPresent(sagemaker::createHyperParameterTuningJob);
    } catch (SdkException e) {
      boolean isNamed = e instanceof ResourceInUseException;
      if (!isNamed && (!ServiceFailure.isTransient(e) || ServiceFailure.isThrottling(e))) {
        throw ServiceFailure.of(doing, e);
      }
      boolean isOurs;
      try {
        isOurs = isOurs(job);
      } catch (SdkException unknown) {
        throw isNamed
            ? ServiceFailure.of(
                doing + ": there is a job of that name; asking whether it is this one", unknown)
            : ServiceFailure.of(
                "%s (it may be at work all the same: 'lora-graph sagemaker compare %s' tells)"
                    .formatted(doing, job.name()),
                e);
      }
      if (!isOurs) {
        throw ServiceFailure.of(doing, e);
      }
      notes.accept(job.name() + " was created by a call whose answer was lost");
    }
  }

  /** Whether the service has the job as it was asked for. */
  private boolean isOurs(PlannedJob job) {
    try {
      return job.training().map(this::isThere).orElse(true)
          && job.tuning().map(this::isThere).orElse(true);
    } catch (SdkException e) {
      if (ServiceFailure.isNotFound(e)) {
        return false;
      }
      throw e;
    }
  }

  private boolean isThere(CreateTrainingJobRequest asked) {
    DescribeTrainingJobResponse there =
        sagemaker.describeTrainingJob(ask -> ask.trainingJobName(asked.trainingJobName()));
    return Training.of(
            there.hyperParameters(),
            there.algorithmSpecification().trainingImage(),
            there.roleArn(),
            there.inputDataConfig())
        .is(
            Training.of(
                asked.hyperParameters(),
                asked.algorithmSpecification().trainingImage(),
                asked.roleArn(),
                asked.inputDataConfig()));
  }

  private boolean isThere(CreateHyperParameterTuningJobRequest asked) {
    return Training.of(
            sagemaker
                .describeHyperParameterTuningJob(
                    ask -> ask.hyperParameterTuningJobName(asked.hyperParameterTuningJobName()))
                .trainingJobDefinition())
        .is(Training.of(asked.trainingJobDefinition()));
  }
}
