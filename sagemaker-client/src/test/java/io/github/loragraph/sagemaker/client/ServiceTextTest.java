package io.github.loragraph.sagemaker.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What the service's model does not take is refused before anything is sent, at its key. */
class ServiceTextTest {
  @TempDir private Path folder;

  /** Shapes of the API's version 2017-07-24, as its public description has them. */
  static JsonNode model() throws IOException {
    try (InputStream read =
        Objects.requireNonNull(ServiceTextTest.class.getResourceAsStream("/service-limits.json"))) {
      return FakeService.JSON.readTree(read);
    }
  }

  @ParameterizedTest
  @EnumSource
  void isWhatTheModelOfTheServiceSays(ServiceText text) throws IOException {
    JsonNode shape = model().path(text.shape());
    assertEquals(shape.path("min").intValue(), text.shortest());
    assertEquals(shape.path("max").intValue(), text.longest());
    assertEquals(shape.path("pattern").textValue(), text.pattern());
  }

  private String refusal(String file) throws IOException {
    Path config = Jobs.file(folder, "sst2.yaml", file);
    String said =
        assertThrows(LoraGraphException.class, () -> TrainingJobs.plan(config)).getMessage();
    assertEquals(1, said.lines().count(), said);
    assertTrue(said.startsWith(config + ": "), said);
    return said;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "image; ''; sagemaker.image: it is empty",
        "role; arn:aws:iam::12:role/x; sagemaker.role: 'arn:aws:iam::12:role/x' is not the ARN of a"
            + " role",
        "output; s3://bucket/*; sagemaker.output: 's3://bucket/*' is a pattern",
        "instance-type; ml.c7i; sagemaker.instance-type: 'ml.c7i' is none of SageMaker's",
        "region; ''; sagemaker.region: it is empty",
        "region; Frankfurt; sagemaker.region: 'Frankfurt' is no region",
        "kms-key; ''; sagemaker.kms-key: it is empty",
        "kms-key; my key; sagemaker.kms-key: 'my key' is not the id",
        "job-prefix; ''; sagemaker.job-prefix: it is empty",
        "checkpoints; ''; sagemaker.checkpoints: it is empty",
        "max-run; ''; sagemaker.max-run: it is empty",
        "channels; {model: ''}; sagemaker.channels.model: '' is no s3://BUCKET/KEY",
        "tags; {'': x}; sagemaker.tags.: it is empty",
        "tags; {team: 'a&b'}; sagemaker.tags.team: 'a&b' is not letters, digits",
        "tags; {'aws:x': a}; sagemaker.tags.aws:x: what begins with 'aws:'",
        "environment; {1ST: a}; sagemaker.environment.1ST: '1ST' is not the name of a variable",
        "subnets; [subnet_1]; sagemaker.subnets: 'subnet_1' is not the id of a subnet",
        "security-group-ids; ['']; sagemaker.security-group-ids: it is empty, and has to be the id",
        // What YAML makes of a text is another one.
        "kms-key; 00420; sagemaker.kms-key: YAML reads it as the number 272",
        "job-prefix; 1.10; sagemaker.job-prefix: YAML reads it as the number 1.1",
        "tags; {on: yes}; sagemaker.tags.on: YAML reads it as 'true'",
        "environment; {A: 0x10}; sagemaker.environment.A: YAML reads it as the number 16",
      })
  void whatTheServiceDoesNotTakeIsSaidAtItsKey(String key, String value, String said)
      throws IOException {
    String given = value.isEmpty() ? "''" : value;
    String file =
        Jobs.ARTICLE.replaceAll("(?m)^  " + key + ":.*\n", "") + "  " + key + ": " + given + "\n";
    assertTrue(refusal(file).contains(": " + said), refusal(file));
  }

  private static String many(int count) {
    return IntStream.range(0, count)
        .mapToObj(number -> "A" + number + ": x")
        .collect(Collectors.joining(", ", "{", "}"));
  }

  @Test
  void asManyAsTheServiceTakesAreTaken() throws IOException {
    Map<String, String> mosts = Map.of("tags", "TagList", "environment", "TrainingEnvironmentMap");
    for (Map.Entry<String, String> most : mosts.entrySet()) {
      int max = model().path(most.getValue()).path("max").intValue();
      String key = "  " + most.getKey() + ": ";
      TrainingJobs.plan(Jobs.file(folder, "sst2.yaml", Jobs.ARTICLE + key + many(max) + "\n"));
      assertTrue(
          refusal(Jobs.ARTICLE + key + many(max + 1) + "\n")
              .contains("there are %d, and the service takes %d".formatted(max + 1, max)));
    }
    int tuned = model().path("HyperParameterTrainingJobEnvironmentMap").path("max").intValue();
    TrainingJobs.plan(
        Jobs.file(folder, "search.yaml", Jobs.SEARCH + "  environment: " + many(tuned) + "\n"));
    assertTrue(
        refusal(Jobs.SEARCH + "  environment: " + many(tuned + 1) + "\n")
            .contains("and the service takes %d of a tuning job".formatted(tuned)));
    assertTrue(
        refusal(Jobs.ARTICLE + "  tags: {a: " + "x".repeat(257) + "}\n")
            .contains("sagemaker.tags.a: it has 257 characters, and the service takes 256"));
  }

  private static String list(int count) {
    return IntStream.range(0, count)
        .mapToObj(number -> "a-" + number)
        .collect(Collectors.joining(", ", "[", "]"));
  }

  @Test
  void listsAreAsLongAsTheServiceTakesThem() throws IOException {
    int subnets = model().path("Subnets").path("max").intValue();
    int groups = model().path("VpcSecurityGroupIds").path("max").intValue();
    String vpc = Jobs.ARTICLE + "  subnets: %s\n  security-group-ids: %s\n";
    TrainingJobs.plan(Jobs.file(folder, "sst2.yaml", vpc.formatted(list(subnets), list(groups))));
    assertTrue(
        refusal(vpc.formatted(list(subnets + 1), "[a]"))
            .contains("sagemaker.subnets: there are %d, and".formatted(subnets + 1)));
    assertTrue(
        refusal(vpc.formatted("[a]", list(groups + 1)))
            .contains("sagemaker.security-group-ids: there are %d, and".formatted(groups + 1)));
    int values = model().path("ParameterValues").path("max").intValue();
    String choice = Jobs.SEARCH.replace("[2, 4, 8]", "%s");
    String numbers =
        IntStream.rangeClosed(1, values + 1)
            .mapToObj(Integer::toString)
            .collect(Collectors.joining(", ", "[", "]"));
    assertTrue(
        refusal(choice.formatted(numbers))
            .contains("space.rank: the service takes up to %d values".formatted(values)));
  }

  @Test
  void oldBucketsHaveCapitalsAndUnderscores() throws IOException {
    Path config =
        Jobs.file(folder, "sst2.yaml", Jobs.ARTICLE.replace("s3://bucket/", "s3://My_Old.Bucket/"));
    Submission submission = TrainingJobs.plan(config);
    assertEquals("My_Old.Bucket", submission.uploads().get(0).target().bucket());
  }
}
