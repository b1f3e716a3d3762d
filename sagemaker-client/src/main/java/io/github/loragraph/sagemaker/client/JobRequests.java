package io.github.loragraph.sagemaker.client;

import io.github.loragraph.sagemaker.MetricDefinition;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.sagemaker.model.Channel;
import software.amazon.awssdk.services.sagemaker.model.CheckpointConfig;
import software.amazon.awssdk.services.sagemaker.model.CreateHyperParameterTuningJobRequest;
import software.amazon.awssdk.services.sagemaker.model.CreateTrainingJobRequest;
import software.amazon.awssdk.services.sagemaker.model.HyperParameterTuningJobConfig;
import software.amazon.awssdk.services.sagemaker.model.OutputDataConfig;
import software.amazon.awssdk.services.sagemaker.model.ResourceConfig;
import software.amazon.awssdk.services.sagemaker.model.S3DataDistribution;
import software.amazon.awssdk.services.sagemaker.model.S3DataType;
import software.amazon.awssdk.services.sagemaker.model.StoppingCondition;
import software.amazon.awssdk.services.sagemaker.model.Tag;
import software.amazon.awssdk.services.sagemaker.model.VpcConfig;

/**
 * Writes the requests that create jobs, with what one file says of all of them.
 *
 * @param settings what the file says
 */
record JobRequests(SageMakerSettings settings) {
  /** A training job of one run. */
  CreateTrainingJobRequest training(
      String name, Map<String, String> hyperparameters, Map<String, S3Location> channels) {
    return CreateTrainingJobRequest.builder()
        .trainingJobName(name)
        .roleArn(settings.role())
        .algorithmSpecification(
            algorithm ->
                algorithm
                    .trainingImage(settings.image())
                    .trainingInputMode(settings.inputMode())
                    .metricDefinitions(metrics()))
        .hyperParameters(hyperparameters)
        .inputDataConfig(channels(channels))
        .outputDataConfig(output())
        .resourceConfig(resources())
        .stoppingCondition(stopping())
        .enableManagedSpotTraining(settings.spot() ? true : null)
        .checkpointConfig(checkpoints(name))
        .environment(settings.environment().isEmpty() ? null : settings.environment())
        .vpcConfig(vpc())
        .enableNetworkIsolation(settings.networkIsolation() ? true : null)
        .tags(tags())
        .build();
  }

  /** A tuning job, all of whose trainings have some hyperparameters and channels. */
  CreateHyperParameterTuningJobRequest tuning(
      String name,
      HyperParameterTuningJobConfig config,
      Map<String, String> hyperparameters,
      Map<String, S3Location> channels) {
    return CreateHyperParameterTuningJobRequest.builder()
        .hyperParameterTuningJobName(name)
        .hyperParameterTuningJobConfig(config)
        .trainingJobDefinition(
            training ->
                training
                    .roleArn(settings.role())
                    .algorithmSpecification(
                        algorithm ->
                            algorithm
                                .trainingImage(settings.image())
                                .trainingInputMode(settings.inputMode())
                                .metricDefinitions(metrics()))
                    .staticHyperParameters(hyperparameters)
                    .inputDataConfig(channels(channels))
                    .outputDataConfig(output())
                    .resourceConfig(resources())
                    .stoppingCondition(stopping())
                    .enableManagedSpotTraining(settings.spot() ? true : null)
                    .checkpointConfig(checkpoints(name))
                    .environment(settings.environment().isEmpty() ? null : settings.environment())
                    .vpcConfig(vpc())
                    .enableNetworkIsolation(settings.networkIsolation() ? true : null))
        .tags(tags())
        .build();
  }

  private static List<software.amazon.awssdk.services.sagemaker.model.MetricDefinition> metrics() {
    return MetricDefinition.all().stream()
        .map(
            metric ->
                software.amazon.awssdk.services.sagemaker.model.MetricDefinition.builder()
                    .name(metric.name())
                    .regex(metric.regex())
                    .build())
        .toList();
  }

  private static List<Channel> channels(Map<String, S3Location> locations) {
    List<Channel> channels = new ArrayList<>();
    locations.forEach(
        (name, location) ->
            channels.add(
                Channel.builder()
                    .channelName(name)
                    .dataSource(
                        source ->
                            source.s3DataSource(
                                s3 ->
                                    s3.s3DataType(S3DataType.S3_PREFIX)
                                        .s3Uri(location.toString())
                                        .s3DataDistributionType(
                                            S3DataDistribution.FULLY_REPLICATED)))
                    .build()));
    return channels;
  }

  private OutputDataConfig output() {
    return OutputDataConfig.builder()
        .s3OutputPath(settings.output().toString())
        .kmsKeyId(settings.kmsKey().orElse(null))
        .build();
  }

  private ResourceConfig resources() {
    return ResourceConfig.builder()
        .instanceType(settings.instanceType())
        .instanceCount(1)
        .volumeSizeInGB(settings.volumeSize())
        .build();
  }

  private StoppingCondition stopping() {
    return StoppingCondition.builder()
        .maxRuntimeInSeconds(Math.toIntExact(settings.maxRun().toSeconds()))
        .maxWaitTimeInSeconds(
            settings.maxWait().map(wait -> Math.toIntExact(wait.toSeconds())).orElse(null))
        .build();
  }

  /** A prefix of its own: a job that finds the checkpoints of another would go on with them. */
  private @Nullable CheckpointConfig checkpoints(String job) {
    return settings
        .checkpoints()
        .map(place -> CheckpointConfig.builder().s3Uri(place.resolve(job).toString()).build())
        .orElse(null);
  }

  private @Nullable VpcConfig vpc() {
    return settings.subnets().isEmpty()
        ? null
        : VpcConfig.builder()
            .subnets(settings.subnets())
            .securityGroupIds(settings.securityGroups())
            .build();
  }

  private @Nullable List<Tag> tags() {
    return settings.tags().isEmpty()
        ? null
        : settings.tags().entrySet().stream()
            .map(tag -> Tag.builder().key(tag.getKey()).value(tag.getValue()).build())
            .toList();
  }
}
