package io.github.loragraph.sagemaker.client;

import static com.github.tomakehurst.wiremock.client.WireMock.aResponse;
import static com.github.tomakehurst.wiremock.client.WireMock.containing;
import static com.github.tomakehurst.wiremock.client.WireMock.head;
import static com.github.tomakehurst.wiremock.client.WireMock.matching;
import static com.github.tomakehurst.wiremock.client.WireMock.put;
import static com.github.tomakehurst.wiremock.client.WireMock.putRequestedFor;
import static com.github.tomakehurst.wiremock.client.WireMock.urlPathMatching;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.Experiment;
import io.github.loragraph.HyperparameterSearch;
import io.github.loragraph.PlannedRun;
import io.github.loragraph.fixtures.Fixtures;
import io.github.loragraph.sagemaker.MetricDefinition;
import io.github.loragraph.sagemaker.client.FakeService.Ended;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awssdk.services.sagemaker.model.CreateHyperParameterTuningJobRequest;
import software.amazon.awssdk.services.sagemaker.model.CreateTrainingJobRequest;

class SubmitTest {
  /** As a search of {@link Jobs} has it. */
  private static final String RANK = "rank: {choice: [2, 4, 8]}";

  @TempDir private Path folder;

  private static JsonNode json(String text) throws IOException {
    return FakeService.JSON.readTree(text);
  }

  private static List<String> lines(String text) {
    return text.lines().toList();
  }

  @Test
  void eachRunBecomesAJobWithItsSettingsAndTheFilesThatItNames() throws IOException {
    Path config = Jobs.file(folder, "sst2.yaml", Jobs.ARTICLE);
    try (FakeService service = new FakeService()) {
      service.answer("CreateTrainingJob", Map.of("TrainingJobArn", "arn"));
      Ended ended = FakeService.run("submit", config.toString());
      assertEquals(0, ended.code(), ended.err());
      List<JsonNode> sent = service.requests("CreateTrainingJob");
      assertEquals(2, sent.size());
      assertEquals(
          lines(ended.out()),
          sent.stream().map(request -> request.path("TrainingJobName").textValue()).toList());
      // Also on standard error, which is there where standard output takes nothing.
      lines(ended.out())
          .forEach(name -> assertTrue(lines(ended.err()).contains("submitted: " + name), name));
      JsonNode lora = sent.get(1);
      assertTrue(
          lora.path("TrainingJobName")
              .textValue()
              .matches("sst2-lora-r2-seed0-\\d{6}-\\d{6}-\\d{3}"),
          lora.toString());
      assertEquals(
          json(
              """
              {"model": "all-MiniLM-L6-v2", "head": "{}", "match": "query|output", "rank": "2",
               "lr": "4e-4", "epochs": "2", "data": "train/train.tsv",
               "eval": "validation/dev.tsv", "seed": "0"}
              """),
          lora.path("HyperParameters"));
      assertEquals(
          MetricDefinition.all().stream().map(MetricDefinition::name).toList(),
          StreamSupport.stream(
                  lora.path("AlgorithmSpecification").path("MetricDefinitions").spliterator(),
                  false)
              .map(metric -> metric.path("Name").textValue())
              .toList());
      // Each file once, signed, into a folder by its content.
      service
          .server()
          .verify(
              1,
              putRequestedFor(urlPathMatching("/bucket/sst2/input/[0-9a-f]{16}/train.tsv"))
                  .withHeader("Authorization", matching("AWS4-HMAC-SHA256 .*/s3/aws4_request.*"))
                  .withRequestBody(containing("sentence number 7")));
      service.server().verify(2, putRequestedFor(urlPathMatching("/bucket/.*")));
      assertTrue(ended.err().contains("uploaded " + folder.resolve("train.tsv")), ended.err());
    }
  }

  @Test
  void whatIsInS3AlreadyIsNotUploadedAgain() throws IOException {
    Path config = Jobs.file(folder, "sst2.yaml", Jobs.ARTICLE);
    try (FakeService service = new FakeService()) {
      service.answer("CreateTrainingJob", Map.of("TrainingJobArn", "arn"));
      TrainingJobs.plan(config)
          .uploads()
          .forEach(
              upload ->
                  service.object(
                      "/%s/%s".formatted(upload.target().bucket(), upload.target().key()),
                      new byte[1]));
      Ended ended = FakeService.run("submit", config.toString(), "--json");
      assertEquals(0, ended.code(), ended.err());
      service.server().verify(0, putRequestedFor(urlPathMatching("/.*")));
      assertEquals(2, json(ended.out()).path("jobs").size());
      assertEquals("full-seed0", json(ended.out()).path("jobs").path(0).path("run").textValue());
    }
  }

  @Test
  void aDryRunPrintsWhatTheServiceWouldGetAndCallsNothing() throws IOException {
    String more =
        """
          max-run: 2h
          spot: true
          tags: {team: nlp}
          subnets: [subnet-1]
          security-group-ids: [sg-1]
          environment: {JDK_JAVA_OPTIONS: -Xmx4g}
          kms-key: key-1
          network-isolation: true
          input-mode: fastfile
        """;
    Path config = Jobs.file(folder, "sst2.yaml", Jobs.ARTICLE + more);
    try (FakeService service = new FakeService()) {
      Ended ended = FakeService.run("submit", config.toString(), "--dry-run");
      assertEquals(0, ended.code(), ended.err());
      assertEquals(List.of(), service.server().getAllServeEvents());
      assertEquals(2, lines(ended.out()).size());
      Submission planned = TrainingJobs.plan(config);
      for (int i = 0; i < 2; i++) {
        JsonNode printed = json(lines(ended.out()).get(i));
        CreateTrainingJobRequest read =
            (CreateTrainingJobRequest)
                ServiceModel.read(CreateTrainingJobRequest.builder(), printed);
        CreateTrainingJobRequest sent = planned.jobs().get(i).training().orElseThrow();
        // Names have the time in them, and so have the folders of checkpoints.
        assertEquals(
            sent,
            read.toBuilder()
                .trainingJobName(sent.trainingJobName())
                .checkpointConfig(sent.checkpointConfig())
                .build());
        assertEquals(
            "s3://bucket/sst2/checkpoints/" + read.trainingJobName(),
            read.checkpointConfig().s3Uri());
        assertEquals(7_200, read.stoppingCondition().maxRuntimeInSeconds());
        assertEquals(14_400, read.stoppingCondition().maxWaitTimeInSeconds());
        assertEquals("FastFile", read.algorithmSpecification().trainingInputModeAsString());
      }
      assertTrue(ended.err().contains("would be uploaded: "), ended.err());
    }
  }

  @Test
  void whatIsSentIsWhatTheServiceModelHas() throws IOException {
    Path config = Jobs.file(folder, "search.yaml", Jobs.SEARCH + "  spot: true\n");
    try (FakeService service = new FakeService()) {
      service.answer("CreateHyperParameterTuningJob", Map.of("HyperParameterTuningJobArn", "arn"));
      Ended ended = FakeService.run("submit", config.toString());
      assertEquals(0, ended.code(), ended.err());
      JsonNode sent = service.requests("CreateHyperParameterTuningJob").get(0);
      ServiceModel.read(CreateHyperParameterTuningJobRequest.builder(), sent);
      assertEquals(
          "s3://bucket/sst2/checkpoints/" + sent.path("HyperParameterTuningJobName").textValue(),
          sent.path("TrainingJobDefinition").path("CheckpointConfig").path("S3Uri").textValue());
      assertTrue(
          sent.path("HyperParameterTuningJobName")
              .textValue()
              .matches("search-\\d{6}-\\d{6}-\\d{3}"));
      assertEquals(
          json(
              """
              {"Strategy": "Bayesian",
               "HyperParameterTuningJobObjective":
                 {"Type": "Maximize", "MetricName": "validation:accuracy"},
               "ResourceLimits": {"MaxNumberOfTrainingJobs": 12, "MaxParallelTrainingJobs": 3},
               "ParameterRanges": {
                 "ContinuousParameterRanges": [
                   {"Name": "lr", "MinValue": "1e-4", "MaxValue": "5e-3",
                    "ScalingType": "Logarithmic"},
                   {"Name": "lora-dropout", "MinValue": "0.0", "MaxValue": "0.3",
                    "ScalingType": "Linear"}],
                 "IntegerParameterRanges": [
                   {"Name": "warmup-steps", "MinValue": "0", "MaxValue": "10",
                    "ScalingType": "Linear"}],
                 "CategoricalParameterRanges": [{"Name": "rank", "Values": ["2", "4", "8"]}]},
               "TrainingJobEarlyStoppingType": "Auto",
               "RandomSeed": 7}
              """),
          sent.path("HyperParameterTuningJobConfig"));
      assertEquals(
          json(
              """
              {"model": "all-MiniLM-L6-v2", "head": "{}", "match": "query|output", "epochs": "2",
               "data": "train/train.tsv", "eval": "validation/dev.tsv", "seed": "7"}
              """),
          sent.path("TrainingJobDefinition").path("StaticHyperParameters"));
      assertTrue(ended.err().contains("pruning: "), ended.err());
    }
  }

  @Test
  void aModelFolderIsAChannelAndPlacesInS3AreTakenAsTheyAre() throws IOException {
    Path model = Files.createDirectory(folder.resolve("model"));
    for (String name : List.of("model.onnx", "config.json")) {
      Files.copy(Fixtures.file("tiny-bert/" + name), model.resolve(name));
    }
    Path config =
        Jobs.file(
            folder,
            "s3.yaml",
            """
            model: model
            base: {lr: 1e-3}
            runs:
              labelled: {method: full, head: {labels-from: dev.tsv, label-column: label}}
            """
                + Jobs.SAGEMAKER
                + "  channels: {validation: s3://bucket/dev/}\n");
    // The file of labels and the data come through one channel.
    Files.writeString(
        config, Files.readString(config).replace("{lr: 1e-3}", "{lr: 1e-3, data: train.tsv}"));
    JsonNode request = json(TrainingJobs.plan(config).jobs().get(0).json());
    JsonNode hyperparameters = request.path("HyperParameters");
    assertEquals("model/model.onnx", hyperparameters.path("model").textValue());
    assertEquals("train/train.tsv", hyperparameters.path("data").textValue());
    assertFalse(hyperparameters.has("eval"), request.toString());
    assertEquals(
        json("{\"labels-from\": \"train/dev.tsv\", \"label-column\": \"label\"}"),
        json(hyperparameters.path("head").textValue()));
    Map<String, String> channels = Jobs.channels(request);
    assertEquals("s3://bucket/dev/", channels.get("validation"));
    assertTrue(channels.get("model").startsWith("s3://bucket/sst2/input/"), channels.toString());
    assertEquals(
        List.of("config.json", "model.onnx", "dev.tsv", "train.tsv"),
        TrainingJobs.plan(config).uploads().stream()
            .map(upload -> upload.target().name())
            .toList());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "  imgae: x; sagemaker.imgae: there is no such key: image?",
        "  max-wait: 3h; sagemaker.max-wait: only a job with 'spot: true'",
        "  instance-count: 2; sagemaker.instance-count: each job has one instance: leave it out",
        "  spot: 7; sagemaker.spot: '7' is neither true nor false",
        "  input-mode: Pipe; sagemaker.input-mode: Pipe is none of: File, FastFile",
        "  subnets: [a]; a VPC needs both",
        "  channels: {tarin: s3://bucket/x}; sagemaker.channels.tarin: there is no such key:"
            + " train?",
        "  channels: {train: s3://bucket/x}; base.data and sagemaker.channels.train",
        "  checkpoints: folder; sagemaker.checkpoints: 'folder' is no s3://BUCKET/KEY",
        "  max-run: 3 weeks; sagemaker.max-run: '3 weeks' is no time",
      })
  void whatIsWrongInTheFileIsSaidBeforeAnythingIsSent(String line, String said) throws IOException {
    Path config = Jobs.file(folder, "sst2.yaml", Jobs.ARTICLE + "  " + line + "\n");
    try (FakeService service = new FakeService()) {
      requireRefusal(FakeService.run("submit", config.toString()), said);
      assertEquals(List.of(), service.server().getAllServeEvents());
    }
  }

  private static void requireRefusal(Ended ended, String said) {
    assertEquals(1, ended.code(), ended.err());
    assertEquals("", ended.out());
    assertEquals(1, lines(ended.err()).size(), ended.err());
    assertTrue(ended.err().contains(said), ended.err());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "base: {; base: {sst2-learning-rate: 4e-4, ; base.sst2-learning-rate; lr: 4e-4",
        "rank: 2; sst2_lora_r: 2; runs.lora-r2.sst2_lora_r; rank: 2",
        "method: full; sst2-lora-config: none; runs.full.sst2-lora-config; method: full",
        "rank: 2; grid: {sst2-lora-r: [2, 4]}; runs.lora-r2.grid.sst2-lora-r; rank",
      })
  void namesOfTheArticleAreSaidAsTheyAreHere(String own, String given, String place, String here)
      throws IOException {
    Path config = Jobs.file(folder, "sst2.yaml", Jobs.ARTICLE.replace(own, given));
    requireRefusal(
        FakeService.run("submit", config.toString(), "--dry-run"),
        "%s: %s is a name of the article's: write '%s' here".formatted(config, place, here));
  }

  @Test
  void whatAJobCannotBeIsRefusedByItsName() throws IOException {
    Map<String, String> refusals =
        Map.of(
            Jobs.ARTICLE.replace("runs:", "runs:\n  before: {method: none}"),
            "runs.before: a run of method none trains nothing",
            Jobs.ARTICLE.replace(Jobs.SAGEMAKER, ""),
            "has no key 'sagemaker'",
            Jobs.ARTICLE.replaceAll("  (role|instance-type):.*\n", ""),
            "sagemaker: the keys 'role', 'instance-type' are missing: 'role: arn:aws:iam::ACCOUNT:role/NAME', 'instance-type: ml.c7i.2xlarge'",
            Jobs.ARTICLE.replaceAll("  image:.*\n", ""),
            "sagemaker: the key 'image' is missing: 'image: ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG'",
            Jobs.SEARCH
                .replace("choice: [2, 4, 8]", "choice: [2, 4, 8], when: {method: lora}")
                .replace("space:", "space:\n  method: {choice: [lora, full]}"),
            "space.rank: 'when' is nothing that the service can do",
            Jobs.SEARCH
                .replace("space:", "space:\n  data: {choice: [train.tsv, dev.tsv]}")
                .replace("data: train.tsv, ", ""),
            "space.data: files come through channels",
            Jobs.SEARCH
                .replace("pruning: asha", "method: grid")
                .replaceAll("(uniform|integer): \\[([^]]*)\\]", "$1: [$2], points: 2"),
            "space.lr: the grid of the service has choices alone",
            Jobs.ARTICLE + "  spot: true\n  max-run: 2h\n  max-wait: 1h\n",
            "sagemaker.max-wait: it is 3,600 seconds, and has to be at least max-run, 7,200 seconds",
            Jobs.SEARCH.replace("seed: 7", "seeds: [7, 8]"),
            "seeds: all trainings of a search have its 'seed': several need an experiment",
            Jobs.SEARCH.replace("seed: 7", "seed: 3000000000"),
            "seed: the service takes 0 to");
    refuseEach(refusals);
  }

  @Test
  void whatTrainingsOfATuningJobWouldFailByIsRefused() throws IOException {
    refuseEach(
        Map.of(
            Jobs.SEARCH.replace(RANK, "rank: {uniform: [1, 8]}"),
            "space.rank: it takes whole numbers alone, and a trial may get 3.59: write 'integer: [1, 8]'",
            Jobs.SEARCH.replace(RANK, "batchSize: {log-uniform: [2, 8]}"),
            "space.batchSize: it takes whole numbers alone, and a trial may get 3.34: write 'log-integer: [2, 8]'"));
  }

  @Test
  void anAddressBelowAnotherIsRefusedWhereItIsTooLong() throws IOException {
    String output = "output: s3://bucket/" + "o".repeat(990);
    String longest = "checkpoints: s3://bucket/" + "c".repeat(990);
    String most = "and the service takes 1,024: take a shorter one";
    String file = Jobs.ARTICLE.replaceFirst("output: .*", output);
    Path config = Jobs.file(folder, "file.yaml", file);
    for (String text :
        List.of(
            file,
            file + "  spot: true\n",
            Jobs.ARTICLE + "  " + longest + "\n",
            Jobs.SEARCH + "  " + longest + "\n")) {
      Files.writeString(config, text);
      requireRefusal(FakeService.run("submit", config.toString(), "--dry-run"), most);
    }
  }

  @Test
  void whatIsSaidTwiceOrTogetherIsRefused() throws IOException {
    refuseEach(
        Map.of(
            Jobs.SEARCH.replace(RANK, "rank: {choice: [2, 4, 2.0]}"),
            "space.rank.choice: a choice has 2 twice",
            Jobs.SEARCH.replace(RANK, "rslora: {choice: [true, 'true']}"),
            "space.rslora.choice: a choice has true twice",
            Jobs.ARTICLE.replace(
                "data: train.tsv", "data: 's3://bucket/d/a.tsv,s3://bucket/d/b.tsv'"),
            "'s3://bucket/d/a.tsv,s3://bucket/d/b.tsv' is several addresses in one text",
            Jobs.ARTICLE + "  environment: {SAGEMAKER_BASE_DIR: /opt/else}\n",
            "sagemaker.environment.SAGEMAKER_BASE_DIR: the platform's folders are in /opt/ml"));
  }

  private void refuseEach(Map<String, String> refusals) throws IOException {
    for (Map.Entry<String, String> refusal : refusals.entrySet()) {
      Path config = Jobs.file(folder, "file.yaml", refusal.getKey());
      requireRefusal(FakeService.run("submit", config.toString(), "--dry-run"), refusal.getValue());
    }
  }

  @Test
  void aRefusedJobLeavesThoseBeforeItAndIsSaidInOneLine() throws IOException {
    Path config = Jobs.file(folder, "sst2.yaml", Jobs.ARTICLE);
    try (FakeService service = new FakeService()) {
      service.answer("CreateTrainingJob", Map.of("TrainingJobArn", "arn"));
      service
          .server()
          .stubFor(
              com.github.tomakehurst.wiremock.client.WireMock.post("/")
                  .withRequestBody(containing("sst2-lora-r2"))
                  .willReturn(
                      FakeService.refusal(
                          400,
                          "ResourceLimitExceeded",
                          "The account-level service limit is 1 Instances.")));
      Ended ended = FakeService.run("submit", config.toString());
      assertEquals(1, ended.code());
      assertEquals(1, lines(ended.out()).size(), ended.out());
      String last = lines(ended.err()).get(lines(ended.err()).size() - 1);
      assertTrue(
          last.startsWith("lora-graph: 1 of 2 jobs are submitted; sst2-lora-r2-seed0-"), last);
      assertTrue(last.contains("a limit of the account is reached, The account-level"), last);
      assertFalse(last.contains("11111111-2222"), last);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "404, NoSuchBucket, there is no such bucket: make it",
    "400, ExpiredToken, the credentials have expired: sign in again",
    "403, AccessDenied, 'access is denied, said at length: docs/sagemaker.md lists'",
    "301, PermanentRedirect, the bucket is in another region"
  })
  void whatABucketDoesNotTakeIsSaidInOneLine(int status, String code, String said)
      throws IOException {
    Path config = Jobs.file(folder, "sst2.yaml", Jobs.ARTICLE);
    try (FakeService service = new FakeService()) {
      service
          .server()
          .stubFor(head(urlPathMatching("/bucket/.*")).willReturn(aResponse().withStatus(status)));
      service
          .server()
          .stubFor(
              put(urlPathMatching("/bucket/.*"))
                  .willReturn(
                      aResponse()
                          .withStatus(status)
                          .withBody(
                              ("<Error><Code>%s</Code><Message>said at length</Message>"
                                      + "<RequestId>4442587FB7D0A2F9</RequestId></Error>")
                                  .formatted(code))));
      Ended ended = FakeService.run("submit", config.toString());
      requireRefusal(ended, said);
      assertFalse(ended.err().contains("4442587FB7D0A2F9"), ended.err());
    }
  }

  @Test
  void theSameFilesAreAnExperimentAndASearchOfThisMachine() throws IOException {
    Path experiment = Jobs.file(folder, "sst2.yaml", Jobs.ARTICLE);
    assertEquals(
        List.of("full", "lora-r2"),
        Experiment.of(experiment).plan(folder.resolve("results")).stream()
            .map(PlannedRun::name)
            .toList());
    Path search = Jobs.file(folder, "search.yaml", Jobs.SEARCH);
    assertEquals(12, HyperparameterSearch.fromFile(search).trials());
  }

  @Test
  void optionsThatDoNotGoTogetherAreWrongUsage() {
    assertEquals(2, FakeService.run("submit", "x.yaml", "--poll", "5s").code());
    assertEquals(2, FakeService.run("submit", "x.yaml", "--wait", "--dry-run").code());
    assertEquals(2, FakeService.run("wait", "job", "--poll", "0").code());
    assertEquals(2, FakeService.run("wait").code());
  }
}
