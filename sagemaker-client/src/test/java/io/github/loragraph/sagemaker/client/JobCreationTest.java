package io.github.loragraph.sagemaker.client;

import static com.github.tomakehurst.wiremock.client.WireMock.aResponse;
import static com.github.tomakehurst.wiremock.client.WireMock.equalTo;
import static com.github.tomakehurst.wiremock.client.WireMock.matchingJsonPath;
import static com.github.tomakehurst.wiremock.client.WireMock.post;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.github.tomakehurst.wiremock.client.MappingBuilder;
import com.github.tomakehurst.wiremock.http.Fault;
import com.github.tomakehurst.wiremock.stubbing.Scenario;
import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A job is created once, whatever becomes of the answer. */
class JobCreationTest {
  private static final String TRAINING = "CreateTrainingJob";
  private static final String TUNING = "CreateHyperParameterTuningJob";

  @TempDir private Path folder;

  private final List<String> created = new ArrayList<>();
  private final List<String> notes = new ArrayList<>();

  private static MappingBuilder call(String operation) {
    return post("/").withHeader("X-Amz-Target", equalTo("SageMaker." + operation));
  }

  /** The first call of each job makes it, and is not answered; the next one finds it. */
  private static void loseAnswers(FakeService service, String operation, String key, String name) {
    loseAnswers(service, operation, key, name, "ResourceInUse", "Job name must be unique");
  }

  /** The first call of a job makes it, and is not answered; the next one is refused. */
  private static void loseAnswers(
      FakeService service, String operation, String key, String name, String code, String why) {
    MappingBuilder first =
        call(operation).withRequestBody(matchingJsonPath("$." + key, equalTo(name)));
    service
        .server()
        .stubFor(
            first
                .inScenario("create " + name)
                .whenScenarioStateIs(Scenario.STARTED)
                .willSetStateTo("made")
                .willReturn(aResponse().withFault(Fault.EMPTY_RESPONSE)));
    service
        .server()
        .stubFor(
            call(operation)
                .withRequestBody(matchingJsonPath("$." + key, equalTo(name)))
                .inScenario("create " + name)
                .whenScenarioStateIs("made")
                .willReturn(FakeService.refusal(400, code, why)));
    System.setProperty("aws.maxAttempts", "2");
  }

  private Submitted submit(Submission submission) {
    try (TrainingJobs jobs = TrainingJobs.open(null)) {
      return jobs.submit(submission, job -> created.add(job.name()), notes::add);
    }
  }

  private static ObjectNode described(PlannedJob job) throws IOException {
    return (ObjectNode) FakeService.JSON.readTree(job.json());
  }

  @Test
  void anAnswerThatWasLostIsNoReasonForASecondJob() throws IOException {
    Submission submission = TrainingJobs.plan(Jobs.file(folder, "sst2.yaml", Jobs.ARTICLE));
    try (FakeService service = new FakeService()) {
      for (PlannedJob job : submission.jobs()) {
        loseAnswers(service, TRAINING, "TrainingJobName", job.name());
        service.describe(job.name(), described(job));
      }
      List<String> names = submission.jobs().stream().map(PlannedJob::name).toList();
      assertEquals(names, submit(submission).jobs());
      assertEquals(names, created);
      assertEquals(4, service.requests(TRAINING).size());
      assertTrue(
          notes.contains(names.get(1) + " was created by a call whose answer was lost"),
          notes.toString());
    }
  }

  @Test
  void aTuningJobIsFoundAgainToo() throws IOException {
    Submission submission = TrainingJobs.plan(Jobs.file(folder, "search.yaml", Jobs.SEARCH));
    PlannedJob job = submission.jobs().get(0);
    try (FakeService service = new FakeService()) {
      loseAnswers(service, TUNING, "HyperParameterTuningJobName", job.name());
      ObjectNode described = described(job);
      // As the service itself adds it.
      ((ObjectNode) described.path("TrainingJobDefinition").path("StaticHyperParameters"))
          .put("_tuning_objective_metric", "validation:accuracy");
      service.describeTuning(job.name(), described);
      assertEquals(List.of(job.name()), submit(submission).jobs());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "ThrottlingException, Rate exceeded",
    "ResourceLimitExceeded, The account-level service limit is 1 Instances",
    "ValidationException, no",
  })
  void whateverTheLastAttemptIsRefusedForAnEarlierOneMayHaveMadeTheJob(String code, String why)
      throws IOException {
    Submission submission = TrainingJobs.plan(Jobs.file(folder, "sst2.yaml", Jobs.ARTICLE));
    Submission search = TrainingJobs.plan(Jobs.file(folder, "search.yaml", Jobs.SEARCH));
    PlannedJob tuning = search.jobs().get(0);
    try (FakeService service = new FakeService()) {
      for (PlannedJob job : submission.jobs()) {
        loseAnswers(service, TRAINING, "TrainingJobName", job.name(), code, why);
        service.describe(job.name(), described(job));
      }
      loseAnswers(service, TUNING, "HyperParameterTuningJobName", tuning.name(), code, why);
      service.describeTuning(tuning.name(), described(tuning));
      assertEquals(2, submit(submission).jobs().size());
      assertEquals(2, created.size());
      assertEquals(List.of(tuning.name()), submit(search).jobs());
      assertTrue(
          notes.contains(tuning.name() + " was created by a call whose answer was lost"),
          notes.toString());
    }
  }

  @Test
  void whatIsRefusedAtOnceIsNotAskedFor() throws IOException {
    Submission submission = TrainingJobs.plan(Jobs.file(folder, "sst2.yaml", Jobs.ARTICLE));
    try (FakeService service = new FakeService()) {
      service.refuse(TRAINING, 400, "ResourceLimitExceeded", "The limit is 1");
      String said = assertThrows(LoraGraphException.class, () -> submit(submission)).getMessage();
      assertTrue(said.contains(": a limit of the account is reached, The limit is 1"), said);
      assertEquals(List.of(), service.requests("DescribeTrainingJob"));
    }
  }

  @Test
  void whatAnAnswerLacksIsNotTakenForTheSame() throws IOException {
    Submission submission = TrainingJobs.plan(Jobs.file(folder, "sst2.yaml", Jobs.ARTICLE));
    PlannedJob first = submission.jobs().get(0);
    Submission search = TrainingJobs.plan(Jobs.file(folder, "search.yaml", Jobs.SEARCH));
    PlannedJob tuning = search.jobs().get(0);
    try (FakeService service = new FakeService()) {
      service.refuse(TRAINING, 400, "ResourceInUse", "Job name must be unique");
      service.refuse(TUNING, 400, "ResourceInUse", "Job name must be unique");
      ObjectNode noSource = described(first);
      ((ObjectNode) noSource.path("InputDataConfig").path(0)).remove("DataSource");
      service.describe(first.name(), Map.of(), noSource);
      service.describeTuning(tuning.name(), Map.of());
      for (Submission asked : List.of(submission, search)) {
        String said = assertThrows(LoraGraphException.class, () -> submit(asked)).getMessage();
        assertEquals(
            "%1$s: there is a job of that name, and the service does not say whether it is this one: 'lora-graph sagemaker compare %1$s' tells"
                .formatted(asked.jobs().get(0).name()),
            said);
      }
      String said = assertThrows(LoraGraphException.class, () -> submit(submission)).getMessage();
      assertTrue(said.contains("there is a job of that name already"), said);
      assertEquals(List.of(), created);
    }
  }

  @Test
  void aJobOfSomebodyElseIsNotTakenForOurs() throws IOException {
    Submission submission = TrainingJobs.plan(Jobs.file(folder, "sst2.yaml", Jobs.ARTICLE));
    PlannedJob first = submission.jobs().get(0);
    try (FakeService service = new FakeService()) {
      service.refuse(TRAINING, 400, "ResourceInUse", "Job name must be unique");
      ObjectNode other = described(first);
      ((ObjectNode) other.path("HyperParameters")).put("lr", "1");
      service.describe(first.name(), other);
      assertTrue(
          assertThrows(LoraGraphException.class, () -> submit(submission))
              .getMessage()
              .contains("there is a job of that name already"));
      assertEquals(List.of(), created);
    }
  }

  @Test
  void whereNobodyKnowsWhetherItWasMadeThatIsSaid() throws IOException {
    Submission submission = TrainingJobs.plan(Jobs.file(folder, "sst2.yaml", Jobs.ARTICLE));
    try (FakeService service = new FakeService()) {
      service.server().stubFor(call(TRAINING).willReturn(aResponse().withStatus(500)));
      service.refuse("DescribeTrainingJob", 403, "AccessDeniedException", "not you");
      String said = assertThrows(LoraGraphException.class, () -> submit(submission)).getMessage();
      assertTrue(
          said.contains(
              "(it may be at work all the same: 'lora-graph sagemaker compare %s' tells): the service has failed"
                  .formatted(submission.jobs().get(0).name())),
          said);
      service.refuse(TRAINING, 400, "ResourceInUse", "Job name must be unique");
      said = assertThrows(LoraGraphException.class, () -> submit(submission)).getMessage();
      assertTrue(
          said.contains(
              ": there is a job of that name; asking whether it is this one: access is denied"),
          said);
    }
  }
}
