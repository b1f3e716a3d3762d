package io.github.loragraph.sagemaker.client;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Files that are submitted, and what the service says of jobs. */
final class Jobs {
  static final String SAGEMAKER =
      """
      sagemaker:
        image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/lora-graph:1
        role: arn:aws:iam::123456789012:role/training
        output: s3://bucket/sst2
        instance-type: ml.c7i.2xlarge
      """;

  static final String ARTICLE =
      """
      model: all-MiniLM-L6-v2
      head: {}
      base: {data: train.tsv, eval: dev.tsv, epochs: 2}
      runs:
        full: {method: full, lr: 5e-5}
        lora-r2: {match: 'query|output', rank: 2, lr: 4e-4}
      """
          + SAGEMAKER;

  static final String SEARCH =
      """
      model: all-MiniLM-L6-v2
      head: {}
      base: {data: train.tsv, eval: dev.tsv, epochs: 2, match: 'query|output'}
      space:
        lr: {log-uniform: [1e-4, 5e-3]}
        rank: {choice: [2, 4, 8]}
        loraDropout: {uniform: [0, 0.3]}
        warmup-steps: {integer: [0, 10]}
      trials: 12
      parallel: 3
      objective: accuracy
      pruning: asha
      seed: 7
      """
          + SAGEMAKER;

  private Jobs() {}

  /** A file beside the data that it names. */
  static Path file(Path folder, String name, String text) throws IOException {
    Files.writeString(folder.resolve("train.tsv"), rows(8));
    Files.writeString(folder.resolve("dev.tsv"), rows(4));
    return Files.writeString(folder.resolve(name), text);
  }

  private static String rows(int count) {
    StringBuilder rows = new StringBuilder("text\tlabel\n");
    for (int i = 0; i < count; i++) {
      rows.append("sentence number ").append(i).append('\t').append(i % 2 == 0 ? "good" : "bad");
      rows.append('\n');
    }
    return rows.toString();
  }

  /** The addresses of a request's channels, by their names. */
  static Map<String, String> channels(JsonNode request) {
    Map<String, String> channels = new TreeMap<>();
    request
        .path("InputDataConfig")
        .forEach(
            channel ->
                channels.put(
                    channel.path("ChannelName").textValue(),
                    channel.path("DataSource").path("S3DataSource").path("S3Uri").textValue()));
    return channels;
  }

  /**
   * A tuning job that is at work.
   *
   * @param key of what else is said of it
   */
  static Map<String, Object> tuning(String name, String key, Object more) {
    return Map.of(
        "HyperParameterTuningJobName",
        name,
        "HyperParameterTuningJobStatus",
        "InProgress",
        key,
        more);
  }

  /** A job that is at work. */
  static Map<String, Object> inProgress(String name, String phase) {
    Map<String, Object> said = job(name, "InProgress", phase);
    said.put(
        "SecondaryStatusTransitions",
        List.of(
            Map.of("Status", "Starting", "StartTime", 1.7e9, "StatusMessage", "Preparing"),
            Map.of("Status", phase, "StartTime", 1.7e9, "StatusMessage", phase + " the image")));
    return said;
  }

  static Map<String, Object> completed(
      String name, Map<String, String> hyperparameters, Map<String, Double> metrics) {
    Map<String, Object> said = job(name, "Completed", "Completed");
    said.put("HyperParameters", hyperparameters);
    List<Object> list = new ArrayList<>();
    metrics.forEach(
        (metric, value) ->
            list.add(Map.of("MetricName", metric, "Value", value, "Timestamp", 1.7e9)));
    said.put("FinalMetricDataList", list);
    said.put("TrainingTimeInSeconds", 1234);
    said.put("BillableTimeInSeconds", 456);
    said.put(
        "ModelArtifacts",
        Map.of("S3ModelArtifacts", "s3://bucket/sst2/" + name + "/output/model.tar.gz"));
    said.put("OutputDataConfig", Map.of("S3OutputPath", "s3://bucket/sst2"));
    return said;
  }

  static Map<String, Object> failed(String name, String reason) {
    Map<String, Object> said = job(name, "Failed", "Failed");
    said.put("FailureReason", reason);
    return said;
  }

  static Map<String, Object> stopped(String name, String phase) {
    return job(name, "Stopped", phase);
  }

  static Map<String, Object> stopping(String name) {
    return job(name, "Stopping", "Stopping");
  }

  private static Map<String, Object> job(String name, String status, String phase) {
    Map<String, Object> said = new LinkedHashMap<>();
    said.put("TrainingJobName", name);
    said.put("TrainingJobStatus", status);
    said.put("SecondaryStatus", phase);
    return said;
  }
}
