package io.github.loragraph.sagemaker.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.sagemaker.TrainingContainer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is submitted is what a container takes. */
class PlannedJobTest {
  @TempDir private Path folder;

  private static String json(Object value) throws IOException {
    return FakeService.JSON.writeValueAsString(value);
  }

  /**
   * Fills the folders of a container as the platform does for a request: by all objects whose keys
   * begin with the address of a channel.
   */
  private static Path platform(Path base, Map<String, Path> objects, JsonNode request)
      throws IOException {
    Path input = base.resolve("input");
    Files.createDirectories(input.resolve("config"));
    Files.writeString(
        input.resolve("config/hyperparameters.json"), json(request.path("HyperParameters")));
    Map<String, Object> channels = new LinkedHashMap<>();
    for (JsonNode channel : request.path("InputDataConfig")) {
      String name = channel.path("ChannelName").textValue();
      channels.put(name, Map.of("TrainingInputMode", "File", "RecordWrapperType", "None"));
      String place = channel.path("DataSource").path("S3DataSource").path("S3Uri").textValue();
      int folder = place.lastIndexOf('/') + 1;
      for (Map.Entry<String, Path> object : objects.entrySet()) {
        if (object.getKey().startsWith(place)) {
          Path file =
              input.resolve("data").resolve(name).resolve(object.getKey().substring(folder));
          Files.createDirectories(file.getParent());
          Files.copy(object.getValue(), file);
        }
      }
    }
    Files.writeString(input.resolve("config/inputdataconfig.json"), json(channels));
    return base;
  }

  @Test
  void aContainerTrainsByTheRequestAndItsMetricsAreFound() throws IOException {
    Path config =
        Jobs.file(
            folder,
            "sst2.yaml",
            Jobs.ARTICLE
                .replace("epochs: 2", "steps: 1, batch-size: 2, max-length: 8")
                .replace("data: train.tsv", "data: 's3://bucket/x/train.tsv'")
                .replace("match: 'query|output'", "match: ''"));
    Submission submission = TrainingJobs.plan(config);
    Map<String, Path> objects = new LinkedHashMap<>();
    objects.put("s3://bucket/x/train.tsv", folder.resolve("train.tsv"));
    // It begins with the same name, and is nothing that could be read.
    objects.put("s3://bucket/x/train.tsv.gz", folder.resolve("train.tsv"));
    submission.uploads().forEach(u -> objects.put(u.target().toString(), u.file()));
    JsonNode request = FakeService.JSON.readTree(submission.jobs().get(1).json());
    Path base = platform(folder.resolve("opt-ml"), objects, request);
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int code =
        new TrainingContainer(base, new PrintWriter(out, true), new PrintWriter(err, true)).run();
    assertEquals(0, code, err.toString());
    assertTrue(Files.exists(base.resolve("model/model.onnx")));
    assertTrue(Files.exists(base.resolve("model/adapter/adapter_config.json")));
    for (JsonNode metric : request.path("AlgorithmSpecification").path("MetricDefinitions")) {
      if (metric.path("Name").textValue().equals("validation:accuracy")) {
        Matcher found = Pattern.compile(metric.path("Regex").textValue()).matcher(out.toString());
        assertTrue(found.find(), out.toString());
        assertTrue(Double.parseDouble(found.group(1)) >= 0);
      }
    }
  }
}
