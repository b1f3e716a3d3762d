package io.github.loragraph.sagemaker.client;

import io.github.loragraph.error.LoraGraphException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.sagemaker.SageMakerClient;
import software.amazon.awssdk.services.sagemaker.model.AlgorithmSpecification;
import software.amazon.awssdk.services.sagemaker.model.Channel;
import software.amazon.awssdk.services.sagemaker.model.DescribeTrainingJobResponse;
import software.amazon.awssdk.services.sagemaker.model.HyperParameterAlgorithmSpecification;
import software.amazon.awssdk.services.sagemaker.model.HyperParameterTrainingJobDefinition;
import software.amazon.awssdk.services.sagemaker.model.ResourceInUseException;

/**
 * Creates jobs, each once. An answer can be lost when the job is made already: the SDK then calls
 * again, and is told that there is a job of that name. So the job itself tells whose it is.
 *
 * @param notes takes a line where an answer was lost
 */
record JobCreation(SageMakerClient sagemaker, Consumer<String> notes) {
  /**
   * What tells one training from another.
   *
   * @param image null where it is not said
   * @param role likewise
   * @param channels those that come from S3
   */
  private record Training(
      Map<String, String> hyperparameters,
      @Nullable String image,
      @Nullable String role,
      Map<String, String> channels) {
    static Training of(
        Map<String, String> hyperparameters,
        @Nullable AlgorithmSpecification algorithm,
        @Nullable String role,
        List<Channel> channels) {
      return new Training(
          hyperparameters,
          algorithm == null ? null : algorithm.trainingImage(),
          role,
          JobDescription.channels(channels));
    }

    static Training of(HyperParameterTrainingJobDefinition definition) {
      HyperParameterAlgorithmSpecification algorithm = definition.algorithmSpecification();
      return new Training(
          definition.staticHyperParameters(),
          algorithm == null ? null : algorithm.trainingImage(),
          definition.roleArn(),
          JobDescription.channels(definition.inputDataConfig()));
    }

    /** Whether a service that has the job has said enough of it; each has both. */
    boolean isTold() {
      return image != null && role != null;
    }

    /** Whether it is the other one; the platform adds hyperparameters of its own. */
    boolean is(Training other) {
      return hyperparameters.entrySet().containsAll(other.hyperparameters.entrySet())
          && Objects.equals(image, other.image)
          && Objects.equals(role, other.role)
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
      if (!isNamed && !ServiceFailure.mayBeDone(e)) {
        throw ServiceFailure.of(doing, e);
      }
      Optional<Training> there;
      try {
        there = there(job);
      } catch (SdkException unknown) {
        throw isNamed
            ? ServiceFailure.of(
                doing + ": there is a job of that name; asking whether it is this one", unknown)
            : ServiceFailure.of(
                "%s (it may be at work all the same: %s)".formatted(doing, whoTells(job)), e);
      }
      if (there.isEmpty()) {
        throw ServiceFailure.of(doing, e);
      }
      if (!there.get().isTold()) {
        throw new LoraGraphException(
            "%s: there is a job of that name, and the service does not say whether it is this one: %s"
                .formatted(doing, whoTells(job)),
            e);
      }
      if (!there.get().is(asked(job))) {
        throw ServiceFailure.of(doing, e);
      }
      notes.accept(job.name() + " was created by a call whose answer was lost");
    }
  }

  private static String whoTells(PlannedJob job) {
    return "'lora-graph sagemaker compare %s' tells".formatted(job.name());
  }

  private static Training asked(PlannedJob job) {
    return job.training()
        .map(
            asked ->
                Training.of(
                    asked.hyperParameters(),
                    asked.algorithmSpecification(),
                    asked.roleArn(),
                    asked.inputDataConfig()))
        .or(() -> job.tuning().map(asked -> Training.of(asked.trainingJobDefinition())))
        .orElseThrow();
  }

  /** What the service has under the job's name; of what it does not say, nothing is known. */
  private Optional<Training> there(PlannedJob job) {
    try {
      return job.training().isPresent()
          ? Optional.of(training(job.name()))
          : Optional.of(tuning(job.name()));
    } catch (SdkException e) {
      if (ServiceFailure.isNotFound(e)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private Training training(String name) {
    DescribeTrainingJobResponse said =
        sagemaker.describeTrainingJob(ask -> ask.trainingJobName(name));
    return Training.of(
        said.hyperParameters(),
        said.algorithmSpecification(),
        said.roleArn(),
        said.inputDataConfig());
  }

  private Training tuning(String name) {
    HyperParameterTrainingJobDefinition said =
        sagemaker
            .describeHyperParameterTuningJob(ask -> ask.hyperParameterTuningJobName(name))
            .trainingJobDefinition();
    return Training.of(said == null ? HyperParameterTrainingJobDefinition.builder().build() : said);
  }
}
