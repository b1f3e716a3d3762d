package io.github.loragraph.sagemaker.client;

import static com.github.tomakehurst.wiremock.client.WireMock.anyUrl;
import static com.github.tomakehurst.wiremock.client.WireMock.containing;
import static com.github.tomakehurst.wiremock.client.WireMock.equalTo;
import static com.github.tomakehurst.wiremock.client.WireMock.post;
import static com.github.tomakehurst.wiremock.client.WireMock.postRequestedFor;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.cli.LoraGraph;
import io.github.loragraph.sagemaker.client.FakeService.Ended;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** What becomes of jobs: waited for, compared, read. */
class JobsTest {
  private static final Duration SOON = Duration.ofMillis(2);
  private static final Duration LONG = Duration.ofMinutes(1);

  private FakeService service;

  @BeforeEach
  void startService() {
    service = new FakeService();
  }

  @AfterEach
  void stopService() {
    service.close();
  }

  private static List<String> lines(String text) {
    return text.lines().toList();
  }

  private static Map<String, Double> figures(double accuracy) {
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put("train:loss", 0.1);
    figures.put("validation:accuracy", accuracy);
    figures.put("sst2_valid_acc", accuracy);
    return figures;
  }

  @Test
  void twoJobsAreSubmittedWaitedForAndComparedAsInTheArticle(@TempDir Path folder)
      throws IOException {
    Path config = Jobs.file(folder, "sst2.yaml", Jobs.ARTICLE);
    service.answer("CreateTrainingJob", Map.of("TrainingJobArn", "arn"));
    Ended submitted = FakeService.run("submit", config.toString());
    Path names = Files.writeString(folder.resolve("jobs.txt"), submitted.out());
    List<String> jobs = lines(submitted.out());
    double[] accuracies = {0.9151, 0.9128};
    List<JsonNode> sent = service.requests("CreateTrainingJob");
    for (int i = 0; i < 2; i++) {
      Map<String, String> hyperparameters = new LinkedHashMap<>();
      sent.get(i)
          .path("HyperParameters")
          .properties()
          .forEach(e -> hyperparameters.put(e.getKey(), e.getValue().textValue()));
      service.describe(
          jobs.get(i), Jobs.completed(jobs.get(i), hyperparameters, figures(accuracies[i])));
    }
    Ended waited = FakeService.run("wait", "@" + names);
    assertEquals(0, waited.code(), waited.err());
    assertEquals(
        List.of(jobs.get(0) + ": Completed", jobs.get(1) + ": Completed"), lines(waited.err()));
    Ended compared = FakeService.run("compare", "@" + names);
    assertEquals(0, compared.code(), compared.err());
    assertEquals(
        """
        job                 lr    method  match         rank  status     validation:accuracy  sst2_valid_acc  training s  billable s
        sst2-full-seed0     5e-5  full    -             -     Completed               0.9151          0.9151       1,234         456
        sst2-lora-r2-seed0  4e-4  lora    query|output  2     Completed               0.9128          0.9128       1,234         456
        """,
        compared.out().replaceAll("-\\d{6}-\\d{6}-\\d{3}", "").replaceFirst("^job {18}", "job"));
    JsonNode json =
        FakeService.JSON.readTree(FakeService.run("compare", "@" + names, "--json").out());
    assertEquals(
        0.9128, json.path("jobs").path(1).path("metrics").path("sst2_valid_acc").doubleValue());
    assertEquals("2", json.path("jobs").path(1).path("hyperparameters").path("epochs").textValue());
  }

  @Test
  void eachChangeIsSaidOnceAndABusyServiceIsWaitedOver() throws InterruptedException {
    service.describe(
        "one",
        Jobs.inProgress("one", "Starting"),
        Jobs.inProgress("one", "Downloading"),
        FakeService.refusal(400, "ThrottlingException", "Rate exceeded"),
        Jobs.inProgress("one", "Downloading"),
        FakeService.refusal(503, "ServiceUnavailable", ""),
        Jobs.inProgress("one", "Training"),
        Jobs.completed("one", Map.of(), Map.of()));
    List<String> said = new ArrayList<>();
    try (TrainingJobs jobs = TrainingJobs.open(null)) {
      List<JobDescription> ends = jobs.await(List.of("one", "one"), SOON, LONG, said::add);
      assertEquals(1, ends.size());
      assertEquals(JobStatus.COMPLETED, ends.get(0).status());
    }
    assertEquals(6, said.size(), said.toString());
    assertEquals("one: InProgress, Starting: Starting the image", said.get(0));
    assertTrue(
        said.get(2)
            .startsWith("one: the service takes no more calls at the moment (ThrottlingException)"),
        said.toString());
    assertTrue(said.get(3).startsWith("one: the service has failed"), said.toString());
    assertEquals("one: Completed", said.get(5));
  }

  @Test
  void whatJobsEndWithIsTheExitCodeOfWait() {
    service.describe("good", Jobs.completed("good", Map.of(), Map.of()));
    service.describe("bad", Jobs.failed("bad", "AlgorithmError: data/train.tsv:3: no\nlabel"));
    service.describe("gone", Jobs.stopped("gone", "MaxWaitTimeExceeded"));
    service.describe("slow", Jobs.inProgress("slow", "Training"));
    assertEquals(0, FakeService.run("wait", "good").code());
    Ended failed = FakeService.run("wait", "good", "gone", "bad");
    assertEquals(1, failed.code());
    assertEquals(3, lines(failed.err()).size(), failed.err());
    assertTrue(failed.err().contains("bad: Failed: AlgorithmError: data/train.tsv:3: no label"));
    assertEquals(4, lines(failed.out()).size(), failed.out());
    Ended stopped = FakeService.run("wait", "good", "gone");
    assertEquals(4, stopped.code());
    assertTrue(stopped.out().contains("Stopped, MaxWaitTimeExceeded"), stopped.out());
    assertEquals(5, FakeService.run("wait", "slow", "--timeout", "0").code());
  }

  @ParameterizedTest
  @CsvSource({
    "400, ExpiredTokenException, the credentials have expired: sign in again",
    "400, UnrecognizedClientException, 'the credentials are not accepted (UnrecognizedClientException), User'",
    "400, InvalidToken, 'the credentials are not accepted (InvalidToken), User'",
    "400, InvalidSignature, the credentials are not accepted (InvalidSignature): the secret key",
    "400, IncompleteSignature, the signature has not come whole (IncompleteSignature)",
    "403, RequestTimeTooSkewed, the clock of this machine is wrong (RequestTimeTooSkewed)",
    "400, OptInRequired, the account is not signed up for the service (OptInRequired)",
    "400, AccessDeniedException, access is denied",
    "400, ThrottlingException, the service takes no more calls at the moment",
    "400, ValidationException, the service refuses it (ValidationException)",
    "500, InternalFailure, the service has failed (InternalFailure)"
  })
  void whatTheServiceRefusesIsSaidInOneLine(int status, String code, String said) {
    service.refuse(
        "DescribeTrainingJob", status, code, "User: arn:aws:iam::1:user/x is not\\nauthorized.");
    for (String command : List.of("compare", "logs")) {
      Ended ended = FakeService.run(command, "job");
      assertEquals(1, ended.code());
      assertEquals("", ended.out());
      assertEquals(1, lines(ended.err()).size(), ended.err());
      assertTrue(ended.err().startsWith("lora-graph: job: " + said), ended.err());
      assertFalse(ended.err().contains("11111111-2222"), ended.err());
      assertFalse(ended.err().contains("Request ID"), ended.err());
      if (said.endsWith(", User") || code.startsWith("AccessDenied")) {
        assertTrue(ended.err().contains("is not authorized"), ended.err());
      }
    }
  }

  @Test
  void aSignatureOfAnotherTimeIsTheClocks() {
    service.refuse(
        "DescribeTrainingJob", 400, "InvalidSignatureException", "Signature expired: it is late");
    Ended ended = FakeService.run("compare", "job");
    assertTrue(ended.err().contains("the clock of this machine is wrong"), ended.err());
  }

  @ParameterizedTest
  @CsvSource({
    "200, <html>sign in</html>, 'the answer is none of AWS, or was cut'",
    "200, '{\"TrainingJobName\":', 'the answer is none of AWS, or was cut'",
    "403, <html>blocked</html>, the answer (HTTP 403) is none of AWS",
    "404, <html>what?</html>, the answer (HTTP 404) is none of AWS",
    "301, '', the answer (HTTP 301) is none of AWS",
    "407, '', a proxy wants a name and a password"
  })
  void whatAProxyAnswersIsNotTheServices(int status, String body, String said) {
    service
        .server()
        .stubFor(
            post("/")
                .willReturn(
                    com.github.tomakehurst.wiremock.client.WireMock.aResponse()
                        .withStatus(status)
                        .withHeader("Content-Type", "text/html")
                        .withBody(body)));
    Ended ended = FakeService.run("compare", "job");
    assertEquals(1, ended.code());
    assertEquals(1, lines(ended.err()).size(), ended.err());
    assertTrue(ended.err().startsWith("lora-graph: job: " + said), ended.err());
  }

  @ParameterizedTest
  @ValueSource(ints = {403, 404, 407, 408})
  void whatAProxyAnswersInTheMiddleIsWaitedOver(int status) throws InterruptedException {
    service.describe(
        "job",
        Jobs.inProgress("job", "Training"),
        com.github.tomakehurst.wiremock.client.WireMock.aResponse()
            .withStatus(status)
            .withHeader("Content-Type", "text/html")
            .withBody("<html>not now</html>"),
        Jobs.completed("job", Map.of(), Map.of()));
    List<String> said = new ArrayList<>();
    try (TrainingJobs jobs = TrainingJobs.open(null)) {
      assertEquals(
          JobStatus.COMPLETED, jobs.await(List.of("job"), SOON, LONG, said::add).get(0).status());
    }
    assertTrue(said.get(1).contains("(HTTP " + status + ")"), said.toString());
  }

  @Test
  void whereStandardOutputTakesNoMoreNothingIsReadAnyMore() {
    service.describe("job", Jobs.inProgress("job", "Training"));
    logs("DescribeLogStreams", "", "{\"logStreams\":[{\"logStreamName\":\"job/1\"}]}");
    logs("GetLogEvents", "", page("a", "first", "second"));
    CommandLine commandLine = LoraGraph.commandLine();
    Writer closed =
        new Writer() {
          @Override
          public void write(char[] buffer, int offset, int length) throws IOException {
            throw new IOException("Broken pipe");
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    commandLine.setOut(new PrintWriter(closed, true));
    assertEquals(
        0,
        assertTimeoutPreemptively(
            Duration.ofSeconds(30),
            () -> LoraGraph.execute(commandLine, "sagemaker", "logs", "job", "--follow")));
    service
        .server()
        .verify(
            1,
            postRequestedFor(anyUrl())
                .withHeader("X-Amz-Target", equalTo("Logs_20140328.GetLogEvents")));
  }

  @Test
  void aJobThatIsNotThereIsSaidWithItsRegion() {
    service.refuseOne("DescribeTrainingJob", "TrainingJobName", "nothing");
    service.refuseOne("DescribeHyperParameterTuningJob", "HyperParameterTuningJobName", "nothing");
    Ended ended = FakeService.run("compare", "nothing");
    assertEquals(1, ended.code());
    assertTrue(
        ended.err().startsWith("lora-graph: there is no job nothing in region eu-central-1"),
        ended.err());
  }

  @Test
  void ofATuningJobItsTrainingsAreComparedTheBestFirst() {
    Map<String, Object> tuning = new LinkedHashMap<>();
    tuning.put("HyperParameterTuningJobName", "tuning");
    tuning.put("HyperParameterTuningJobStatus", "Completed");
    tuning.put("TrainingJobStatusCounters", Map.of("Completed", 2, "NonRetryableError", 1));
    tuning.put(
        "HyperParameterTuningJobConfig",
        Map.of(
            "HyperParameterTuningJobObjective",
            Map.of("Type", "Minimize", "MetricName", "validation:loss")));
    tuning.put("BestTrainingJob", Map.of("TrainingJobName", "tuning-2"));
    service.describeTuning("tuning", tuning);
    service.answer(
        "ListTrainingJobsForHyperParameterTuningJob",
        Map.of(
            "TrainingJobSummaries",
            List.of(
                trained("tuning-1", 0.5),
                Map.of("TrainingJobName", "tuning-3", "TrainingJobStatus", "Failed"),
                trained("tuning-2", 0.25))));
    service.describe(
        "tuning-1",
        Jobs.completed("tuning-1", Map.of("rank", "2"), Map.of("validation:loss", 0.5)));
    service.describe(
        "tuning-2",
        Jobs.completed("tuning-2", Map.of("rank", "8"), Map.of("validation:loss", 0.25)));
    service.describe("tuning-3", Jobs.failed("tuning-3", "it was too large"));
    Ended waited = FakeService.run("wait", "tuning");
    assertEquals(0, waited.code(), waited.err());
    assertTrue(waited.out().contains("Completed, 2 completed, 1 failed"), waited.out());
    Ended compared = FakeService.run("compare", "tuning");
    assertEquals(0, compared.code(), compared.err());
    assertEquals(
        List.of("job", "tuning-2", "tuning-1", "tuning-3", "tuning-3:"),
        lines(compared.out()).stream().map(line -> line.split(" ", 2)[0]).toList());
  }

  @Test
  void eachJobIsStoppedWhateverBecomesOfTheOthers() throws IOException {
    service.describe("works", Jobs.inProgress("works", "Training"));
    service.describe("done", Jobs.completed("done", Map.of(), Map.of()));
    service.describe("ends", Jobs.inProgress("ends", "Uploading"), Jobs.failed("ends", "late"));
    service.describe("stops", Jobs.stopping("stops"));
    service.describe("mine", Jobs.inProgress("mine", "Training"));
    service.refuseOne("DescribeTrainingJob", "TrainingJobName", "nothing");
    service.refuseOne("DescribeHyperParameterTuningJob", "HyperParameterTuningJobName", "nothing");
    service.describeTuning(
        "tuning", Jobs.tuning("tuning", "TrainingJobStatusCounters", Map.of("InProgress", 2)));
    service.answer("StopTrainingJob", "");
    service.answer("StopHyperParameterTuningJob", "");
    service.refuseOne(
        "StopTrainingJob",
        "TrainingJobName",
        "ends",
        "The request was rejected because the training job is in status Failed.");
    service.refuseOne("StopTrainingJob", "TrainingJobName", "mine", "You must not.");
    String[] all = {"stop", "mine", "works", "done", "nothing", "ends", "stops", "works", "tuning"};
    Ended ended = FakeService.run(all);
    assertEquals(1, ended.code(), ended.err());
    assertEquals(List.of("works", "stops", "tuning"), lines(ended.out()));
    assertEquals(
        List.of(
            "stop mine: the service refuses it (ValidationException), You must not",
            "works stops; it was InProgress, Training",
            "done is over: Completed",
            "there is no job nothing in region eu-central-1: is it the name that 'submit' has printed,"
                + " and the region of then?",
            "ends is over: Failed",
            "stops stops already: Stopping",
            "tuning stops; it was InProgress, 2 in progress",
            "lora-graph: 2 of 7 jobs could not be stopped"),
        lines(ended.err()));
    assertEquals(
        List.of("mine", "works", "ends"),
        service.requests("StopTrainingJob").stream()
            .map(request -> request.path("TrainingJobName").textValue())
            .toList());
    assertEquals(1, service.requests("StopHyperParameterTuningJob").size());
    Ended over = FakeService.run("stop", "done", "--json");
    assertEquals(0, over.code(), over.err());
    assertEquals(
        FakeService.JSON.readTree("{\"stopping\": [], \"over\": [\"done\"], \"failed\": []}"),
        FakeService.JSON.readTree(over.out()));
    Ended refused = FakeService.run("stop", "mine");
    assertEquals(1, refused.code());
    assertEquals(
        "lora-graph: stop mine: the service refuses it (ValidationException), You must not",
        refused.err().strip());
  }

  private void seed(String name, int seed, String rank, String data, double accuracy) {
    Map<String, Object> said =
        Jobs.completed(
            name,
            Map.of("rank", rank, "seed", Integer.toString(seed)),
            Map.of("validation:accuracy", accuracy));
    said.put(
        "InputDataConfig",
        List.of(
            Map.of(
                "ChannelName",
                "train",
                "DataSource",
                Map.of(
                    "S3DataSource",
                    Map.of("S3DataType", "S3Prefix", "S3Uri", "s3://bucket/" + data)))));
    service.describe(name, said);
  }

  @Test
  void seedsOfOneConfigurationAreSummedUpAsAnExperimentDoes() throws IOException {
    String[] names = new String[7];
    for (int i = 0; i < names.length; i++) {
      names[i] = "sst2-r%d-seed%d-261127-042427-996".formatted(i < 4 ? 2 : 8, i % 4);
    }
    seed(names[0], 0, "2", "a", 0.90);
    seed(names[1], 1, "2", "a", 0.92);
    seed(names[2], 2, "2", "a", 0.94);
    service.describe(names[3], Jobs.failed(names[3], "it was too large"));
    seed(names[4], 0, "8", "a", 0.95);
    // The same seed once more, and the same settings on other data.
    seed(names[5], 0, "8", "a", 0.95);
    seed(names[6], 2, "8", "b", 0.5);
    List<String> command = new ArrayList<>(List.of("compare"));
    command.addAll(List.of(names));
    Ended compared = FakeService.run(command.toArray(String[]::new));
    assertEquals(0, compared.code(), compared.err());
    String text = compared.out();
    assertEquals(
        """
        run      rank  validation:accuracy  seeds
        sst2-r2  2         0.9200 ± 0.0200      3
        sst2-r8  8                  0.9500      1
        sst2-r8  8                  0.5000      1
        mean and standard deviation over the seeds that are completed
        sst2-r8-seed1-261127-042427-996 has the seed of another one: left out
        """,
        text.substring(text.indexOf("\n\n") + 2));
    command.add("--json");
    JsonNode summaries =
        FakeService.JSON
            .readTree(FakeService.run(command.toArray(String[]::new)).out())
            .path("summaries");
    assertEquals(3, summaries.size());
    assertEquals(3, summaries.path(0).path("jobs").size());
    assertEquals("{\"rank\":\"2\"}", summaries.path(0).path("hyperparameters").toString());
    JsonNode accuracy = summaries.path(0).path("metrics").path("validation:accuracy");
    assertEquals(0.92, accuracy.path("mean").doubleValue(), 1e-9);
    assertEquals(0.02, accuracy.path("deviation").doubleValue(), 1e-9);
    assertEquals(3, accuracy.path("seeds").intValue());
    // Where no seed repeats nothing is added.
    Ended none = FakeService.run("compare", names[0], names[4], "--json");
    assertFalse(none.out().contains("summaries"), none.out());
    assertFalse(FakeService.run("compare", names[0], names[4]).out().contains("deviation"));
  }

  private static Map<String, Object> trained(String name, double loss) {
    return Map.of(
        "TrainingJobName",
        name,
        "TrainingJobStatus",
        "Completed",
        "FinalHyperParameterTuningJobObjectiveMetric",
        Map.of("MetricName", "validation:loss", "Value", loss));
  }

  @Test
  void whatAJobHasPrintedIsReadFromAllItsContainersUntilItIsOver() throws InterruptedException {
    service.describe(
        "job", Jobs.inProgress("job", "Training"), Jobs.completed("job", Map.of(), Map.of()));
    logs(
        "DescribeLogStreams",
        "",
        "{\"logStreams\":[{\"logStreamName\":\"job/algo-1-2\",\"creationTime\":2},"
            + "{\"logStreamName\":\"job/algo-1-1\",\"creationTime\":1}]}");
    logs("GetLogEvents", "algo-1-1\"", page("a", "begins"));
    logs("GetLogEvents", "\"nextToken\":\"a\"", page("a"));
    logs("GetLogEvents", "algo-1-2\"", page("b", "goes on\\n"));
    logs("GetLogEvents", "\"nextToken\":\"b\"", page("c", "done"));
    logs("GetLogEvents", "\"nextToken\":\"c\"", page("c"));
    List<String> said = new ArrayList<>();
    try (TrainingJobs jobs = TrainingJobs.open(null)) {
      jobs.logs("job", true, SOON, said::add);
    }
    assertEquals(List.of("begins", "goes on", "done"), said);
    service
        .server()
        .verify(
            2,
            postRequestedFor(anyUrl())
                .withHeader("X-Amz-Target", containing("DescribeLogStreams"))
                .withRequestBody(containing("/aws/sagemaker/TrainingJobs")));
  }

  @Test
  void ofOneJobAtATimeTheLogsAreReadAndWhetherThereWillBeMoreIsSaid(@TempDir Path folder)
      throws IOException {
    service.describe("over", Jobs.failed("over", "no such image"));
    service.describe("works", Jobs.inProgress("works", "Starting"));
    logs("DescribeLogStreams", "", "{\"logStreams\":[]}");
    assertEquals(
        "over has printed nothing; the job is Failed: no such image",
        FakeService.run("logs", "over", "--follow").err().strip());
    assertEquals(
        "works has printed nothing yet; the job is InProgress, Starting",
        FakeService.run("logs", "works").err().strip());
    Path names = Files.writeString(folder.resolve("jobs.txt"), "over\nworks\n");
    for (String[] several : new String[][] {{"logs", "over", "works"}, {"logs", "@" + names}}) {
      Ended ended = FakeService.run(several);
      assertEquals(2, ended.code());
      assertEquals(
          "lora-graph: the logs are those of one job at a time, and 2 are named",
          lines(ended.err()).get(0));
    }
  }

  @Test
  void aFileWithoutANameIsSaid(@TempDir Path folder) throws IOException {
    Path empty = Files.writeString(folder.resolve("empty.txt"), "# no job\n\n");
    for (String[] command :
        new String[][] {{"wait"}, {"stop"}, {"compare"}, {"logs"}, {"download", "-o", "x"}}) {
      List<String> words = new ArrayList<>(List.of(command));
      words.add("@" + empty);
      Ended ended = FakeService.run(words.toArray(String[]::new));
      assertEquals(2, ended.code());
      assertEquals(
          "lora-graph: Missing required parameter: 'JOB'; there are no words in " + empty,
          lines(ended.err()).get(0));
    }
  }

  private static String page(String token, String... lines) {
    List<String> events =
        List.of(lines).stream().map("{\"message\":\"%s\",\"timestamp\":1}"::formatted).toList();
    return "{\"events\":[%s],\"nextForwardToken\":\"%s\"}"
        .formatted(String.join(",", events), token);
  }

  private void logs(String operation, String holds, String body) {
    service
        .server()
        .stubFor(
            post("/")
                .withHeader("X-Amz-Target", equalTo("Logs_20140328." + operation))
                .withRequestBody(containing(holds))
                .willReturn(
                    com.github.tomakehurst.wiremock.client.WireMock.aResponse().withBody(body)));
  }

  @Test
  void aServiceThatHasNeverAnsweredIsNotWaitedFor() {
    service.server().stop();
    Ended ended = FakeService.run("wait", "job");
    assertEquals(1, ended.code());
    assertEquals(1, lines(ended.err()).size(), ended.err());
    assertTrue(ended.err().contains("the service cannot be reached"), ended.err());
  }

  @Test
  void patienceThatEndsWhileTheServiceIsBusyHasWhatIsKnown() throws IOException {
    service.describe("busy", FakeService.refusal(400, "ThrottlingException", "Rate exceeded"));
    service.describe("slow", Jobs.inProgress("slow", "Training"));
    Ended ended = FakeService.run("wait", "busy", "slow", "--timeout", "0");
    assertEquals(5, ended.code(), ended.err());
    assertEquals(
        List.of(
            "slow: InProgress, Training: Training the image",
            "busy: the service takes no more calls at the moment (ThrottlingException): try again in"
                + " a minute; there is no time to ask again"),
        lines(ended.err()));
    List<String> rows = lines(ended.out());
    assertTrue(rows.get(1).matches("busy +Unknown +the service takes no more.*"), ended.out());
    assertTrue(rows.get(2).startsWith("slow  InProgress, Training"), ended.out());
    JsonNode json =
        FakeService.JSON.readTree(
            FakeService.run("wait", "busy", "slow", "--timeout", "0", "--json").out());
    assertEquals("Unknown", json.path("jobs").path(0).path("status").textValue());
    assertTrue(
        json.path("jobs").path(0).path("reason").asText().startsWith("the service takes no more"),
        json.toString());
    assertTrue(json.path("jobs").path(1).path("reason").isMissingNode(), json.toString());
  }

  @Test
  void ofBusyJobsTheRightOneIsNamedAndTheOthersAreAskedFor() throws InterruptedException {
    service.describe("first", Jobs.inProgress("first", "Training"));
    service.describe("busy", FakeService.refusal(400, "ThrottlingException", "Rate exceeded"));
    service.describe("last", Jobs.completed("last", Map.of(), Map.of()));
    List<String> said = new ArrayList<>();
    try (TrainingJobs jobs = TrainingJobs.open(null)) {
      List<JobDescription> ends =
          jobs.await(List.of("first", "busy", "last"), LONG, Duration.ofMillis(1500), said::add);
      assertEquals(
          List.of(JobStatus.IN_PROGRESS, JobStatus.UNKNOWN, JobStatus.COMPLETED),
          ends.stream().map(JobDescription::status).toList());
    }
    assertEquals("last: Completed", said.get(1));
    // Not in a minute: that is more than is left.
    assertTrue(said.get(2).matches("busy: .*; asked again in 1 s"), said.toString());
  }

  @Test
  void aCallThatHangsIsWaitedForNoLongerThanThePatience() {
    service.describe(
        "job", FakeService.ok(Jobs.completed("job", Map.of(), Map.of())).withFixedDelay(4000));
    Ended ended = FakeService.run("wait", "job", "--timeout", "1");
    assertEquals(5, ended.code(), ended.err());
    assertTrue(
        ended.err().startsWith("job: the service has not answered in all the time"), ended.err());
  }

  @Test
  void whatATuningJobHasNotItsTrainingsHave() {
    service.describeTuning(
        "tuning", Jobs.tuning("tuning", "BestTrainingJob", Map.of("TrainingJobName", "tuning-2")));
    for (String[] command :
        new String[][] {{"logs", "tuning"}, {"download", "tuning", "-o", "x"}}) {
      Ended ended = FakeService.run(command);
      assertEquals(1, ended.code(), ended.err());
      assertTrue(
          ended
              .err()
              .contains(
                  "name one, as the best, tuning-2; 'lora-graph sagemaker compare tuning' lists them"),
          ended.err());
    }
  }

  @Test
  void anAnswerThatLacksSomethingDoesNotStopTheOthers() throws IOException {
    Map<String, Object> odd = Jobs.completed("odd", Map.of(), Map.of());
    odd.put(
        "FinalMetricDataList",
        List.of(
            Map.of("Value", 1),
            Map.of("MetricName", "empty"),
            Map.of("MetricName", "train:loss", "Value", "Infinity"),
            Map.of("MetricName", "validation:loss", "Value", "NaN")));
    odd.put("SecondaryStatusTransitions", List.of(Map.of("Status", "Completed")));
    odd.put("OutputDataConfig", Map.of("S3OutputPath", "https://files.example.com/sst2"));
    odd.put("ModelArtifacts", Map.of("S3ModelArtifacts", "s3://Old_Bucket/odd/model.tar.gz"));
    service.describe("odd", odd);
    service.describe("empty", Map.of());
    service.describe("good", Jobs.completed("good", Map.of(), Map.of("validation:accuracy", 0.5)));
    Ended compared = FakeService.run("compare", "odd", "empty", "good");
    assertEquals(0, compared.code(), compared.err());
    assertEquals(
        List.of("job", "odd", "empty", "good"),
        lines(compared.out()).stream().map(line -> line.split(" ", 2)[0]).toList());
    JsonNode jobs =
        FakeService.JSON
            .readTree(FakeService.run("compare", "odd", "empty", "good", "--json").out())
            .path("jobs");
    assertEquals(
        FakeService.JSON.readTree("{\"train:loss\": null, \"validation:loss\": null}"),
        jobs.path(0).path("metrics"));
    assertEquals("s3://Old_Bucket/odd/model.tar.gz", jobs.path(0).path("model").textValue());
    assertEquals("Unknown", jobs.path(1).path("status").textValue());
    assertEquals("good", jobs.path(2).path("name").textValue());
    logs("DescribeLogStreams", "", "{\"logStreams\":[{\"logStreamName\":\"odd/1\"},{}]}");
    logs("GetLogEvents", "", "{\"events\":[{\"timestamp\":1},{\"message\":\"line\"}]}");
    Ended printed = FakeService.run("logs", "odd");
    assertEquals("line", printed.out().strip(), printed.err());
  }

  @Test
  void aFileOfNamesIsReadAsOtherTexts(@TempDir Path folder) throws IOException {
    service.describe("one", Jobs.completed("one", Map.of(), Map.of()));
    Path marked = Files.writeString(folder.resolve("marked.txt"), "\ufeffone\n");
    assertEquals(0, FakeService.run("wait", "@" + marked).code());
    Path wide =
        Files.write(
            folder.resolve("wide.txt"), "\ufeffone\r\n".getBytes(StandardCharsets.UTF_16LE));
    Path missing = folder.resolve("missing.txt");
    for (String[] command :
        new String[][] {
          {"wait"}, {"compare"}, {"download", "-o", folder.resolve("out").toString()}
        }) {
      assertEquals(
          "lora-graph: " + wide + " is UTF-16 text, or none: save it as UTF-8",
          refusedOf(command, wide));
      assertEquals(
          "lora-graph: cannot read the names of jobs in "
              + missing
              + ": there is no such file or folder",
          refusedOf(command, missing));
    }
    assertTrue(refusedOf(new String[] {"logs"}, missing).contains(missing.toString()));
    // Nothing of these is asked for.
    assertEquals(1, service.requests("DescribeTrainingJob").size());
  }

  @Test
  void whatStandsInAFileOfNamesBesideNamesIsNone(@TempDir Path folder) throws IOException {
    service.describe("one", Jobs.completed("one", Map.of(), Map.of()));
    for (String text : List.of("# of today\none\n", "\n'one'\n", " one")) {
      Path marked = Files.writeString(folder.resolve("marked.txt"), "\ufeff" + text);
      Ended ended = FakeService.run("wait", "@" + marked);
      assertEquals(0, ended.code(), ended.err());
    }
    Path empty = Files.writeString(folder.resolve("empty.txt"), "\ufeff");
    assertTrue(
        FakeService.run("wait", "@" + empty).err().contains("there are no words in " + empty));
    Path wide =
        Files.write(folder.resolve("wide.txt"), "\ufeffone".getBytes(StandardCharsets.UTF_16LE));
    Path nested = Files.writeString(folder.resolve("nested.txt"), "one @" + wide);
    assertEquals(
        "lora-graph: " + wide + " is UTF-16 text, or none: save it as UTF-8",
        refusedOf(new String[] {"wait"}, nested));
    assertEquals(
        "lora-graph: cannot read the names of jobs in " + folder + ": it is a folder",
        refusedOf(new String[] {"wait"}, folder));
    assertEquals(
        "lora-graph: '@' names no file: write @FILE, in one word",
        FakeService.run("wait", "@").err().strip());
  }

  @Test
  void aPipeOfNamesIsReadOnce(@TempDir Path folder) throws Exception {
    service.describe("one", Jobs.completed("one", Map.of(), Map.of()));
    Path pipe = folder.resolve("pipe");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    Thread writer =
        new Thread(
            () -> {
              try {
                Files.writeString(pipe, "one\n");
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    writer.setDaemon(true);
    writer.start();
    Ended ended =
        assertTimeoutPreemptively(
            Duration.ofSeconds(30), () -> FakeService.run("wait", "@" + pipe));
    assertEquals(0, ended.code(), ended.err());
  }

  @Test
  void anOptionThatBeginsLikeAFileOfNamesIsNone(@TempDir Path folder) throws IOException {
    service.describe("one", Jobs.inProgress("one", "Training"));
    String target = folder.resolve("@new").toString();
    for (String option : List.of("-o=" + target, "-o@new")) {
      String said = FakeService.run("download", "one", option).err();
      assertTrue(said.startsWith("lora-graph: one: it has no model"), said);
    }
    assertTrue(
        FakeService.run("download", "one", "-o", "@new")
            .err()
            .startsWith("lora-graph: one: it has no"));
    assertEquals(
        "lora-graph: the region is '@eu-west-1': it has to be a region, as eu-central-1",
        FakeService.run("wait", "one", "--region", "@eu-west-1").err().strip());
  }

  @Test
  void anAnswerWithoutAStatusIsUnknownForAReason() {
    service.describe("empty", Map.of());
    Ended ended = FakeService.run("wait", "empty", "--timeout", "0s");
    assertEquals(5, ended.code(), ended.err());
    assertTrue(
        lines(ended.out()).get(1).endsWith("the service has answered without a status"),
        ended.out());
  }

  private static String refusedOf(String[] command, Path names) {
    List<String> words = new ArrayList<>(List.of(command));
    words.add("@" + names);
    Ended ended = FakeService.run(words.toArray(String[]::new));
    assertEquals(1, ended.code(), ended.err());
    assertEquals("", ended.out());
    return ended.err().strip();
  }
}
