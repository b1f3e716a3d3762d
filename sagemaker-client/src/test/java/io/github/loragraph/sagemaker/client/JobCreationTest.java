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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
                .willReturn(FakeService.refusal(400, "ResourceInUse", "Job name must be unique")));
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
