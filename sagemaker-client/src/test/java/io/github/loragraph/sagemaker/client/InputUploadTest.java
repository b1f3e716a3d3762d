package io.github.loragraph.sagemaker.client;

import static com.github.tomakehurst.wiremock.client.WireMock.aResponse;
import static com.github.tomakehurst.wiremock.client.WireMock.deleteRequestedFor;
import static com.github.tomakehurst.wiremock.client.WireMock.equalTo;
import static com.github.tomakehurst.wiremock.client.WireMock.put;
import static com.github.tomakehurst.wiremock.client.WireMock.putRequestedFor;
import static com.github.tomakehurst.wiremock.client.WireMock.urlPathEqualTo;
import static com.github.tomakehurst.wiremock.client.WireMock.urlPathMatching;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What lies in S3 under a checksum is the content that has it. */
class InputUploadTest {
  @TempDir private Path folder;

  private static String path(Upload upload) {
    return "/%s/%s".formatted(upload.target().bucket(), upload.target().key());
  }

  /** A submission whose first file is no longer what it was. */
  private Submission changed() throws IOException {
    Submission submission = TrainingJobs.plan(Jobs.file(folder, "sst2.yaml", Jobs.ARTICLE));
    Files.writeString(
        submission.uploads().get(0).file(), "one more\tgood\n", StandardOpenOption.APPEND);
    return submission;
  }

  private static void submit(Submission submission) {
    try (TrainingJobs jobs = TrainingJobs.open(null)) {
      jobs.submit(submission, job -> {}, note -> {});
    }
  }

  @Test
  void aFileThatChangesAfterItsChecksumWasTakenIsNotLeftUnderIt() throws IOException {
    Submission submission = changed();
    Upload data = submission.uploads().get(0);
    try (FakeService service = new FakeService()) {
      service
          .server()
          .stubFor(
              com.github.tomakehurst.wiremock.client.WireMock.delete(urlPathMatching("/.*"))
                  .willReturn(aResponse().withStatus(204)));
      String said = assertThrows(LoraGraphException.class, () -> submit(submission)).getMessage();
      assertTrue(said.startsWith(data.file() + " has changed since its checksum was taken"), said);
      assertEquals(List.of(), service.requests("CreateTrainingJob"));
      service.server().verify(1, deleteRequestedFor(urlPathEqualTo(path(data))));
      // S3 itself compares, before it has an object.
      service
          .server()
          .verify(
              1,
              putRequestedFor(urlPathEqualTo(path(data)))
                  .withHeader(
                      "x-amz-checksum-sha256",
                      equalTo(
                          Base64.getEncoder()
                              .encodeToString(HexFormat.of().parseHex(data.checksum())))));
      service
          .server()
          .stubFor(
              put(urlPathEqualTo(path(data)))
                  .willReturn(
                      aResponse()
                          .withStatus(400)
                          .withBody("<Error><Code>BadDigest</Code><Message>no</Message></Error>")));
      assertEquals(
          said, assertThrows(LoraGraphException.class, () -> submit(submission)).getMessage());
      service.server().verify(1, deleteRequestedFor(urlPathMatching("/.*")));
    }
  }

  @Test
  void aWrongContentThatCannotBeTakenAwayIsNamedWithItsAddress() throws IOException {
    Submission submission = changed();
    Upload data = submission.uploads().get(0);
    try (FakeService service = new FakeService()) {
      service
          .server()
          .stubFor(
              com.github.tomakehurst.wiremock.client.WireMock.delete(urlPathMatching("/.*"))
                  .willReturn(
                      aResponse()
                          .withStatus(403)
                          .withBody("<Error><Code>AccessDenied</Code></Error>")));
      String said = assertThrows(LoraGraphException.class, () -> submit(submission)).getMessage();
      String form =
          "%s has changed while it was sent: delete %s, which %s other content, and submit again; deleting it here: access is denied";
      assertTrue(said.startsWith(form.formatted(data.file(), data.target(), "holds")), said);
      // Nobody knows what a call has done that is not answered.
      service
          .server()
          .stubFor(put(urlPathEqualTo(path(data))).willReturn(aResponse().withStatus(500)));
      said = assertThrows(LoraGraphException.class, () -> submit(submission)).getMessage();
      assertTrue(said.startsWith(form.formatted(data.file(), data.target(), "may hold")), said);
    }
  }

  @Test
  void theResultTellsWhatWasSentFromWhatWasThere() throws IOException {
    Path config = Jobs.file(folder, "sst2.yaml", Jobs.ARTICLE);
    try (FakeService service = new FakeService()) {
      service.answer("CreateTrainingJob", Map.of("TrainingJobArn", "arn"));
      service.object(path(TrainingJobs.plan(config).uploads().get(0)), new byte[1]);
      JsonNode uploads =
          FakeService.JSON
              .readTree(FakeService.run("submit", config.toString(), "--json").out())
              .path("uploads");
      assertEquals(false, uploads.path(0).path("sent").booleanValue());
      assertEquals(true, uploads.path(1).path("sent").booleanValue());
    }
  }
}
