package io.github.loragraph.sagemaker.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a run is asked for is what its container reads. */
class RunInputsTest {
  @TempDir private Path folder;

  private Submission plan(String file) throws IOException {
    return TrainingJobs.plan(Jobs.file(folder, "file.yaml", file));
  }

  private static JsonNode request(Submission submission) throws IOException {
    return FakeService.JSON.readTree(submission.jobs().get(0).json());
  }

  private String refusal(String file) {
    String said = assertThrows(LoraGraphException.class, () -> plan(file)).getMessage();
    assertEquals(1, said.lines().count(), said);
    return said;
  }

  /**
   * An address is that of all whose keys begin with it: {@code train.tsv.gz}, {@code model-v2/}.
   */
  @ParameterizedTest
  @CsvSource({
    "train, s3://bucket/x/train.tsv, s3://bucket/x/train.tsv, data, train/train.tsv, ''",
    "validation, s3://bucket/x/a.jsonl.gz, s3://bucket/x/a.jsonl.gz, eval, validation/a.jsonl.gz,"
        + " ''",
    "train, s3://bucket/x/, s3://bucket/x/, data, '', ''",
    "train, s3://bucket/x, s3://bucket/x/, data, '', 'data: s3://bucket/x is taken for a folder,"
        + " s3://bucket/x/'",
    "model, s3://bucket/m/model.onnx, s3://bucket/m/, model, model/model.onnx, ''",
    "model, s3://bucket/m/model.tar.gz, s3://bucket/m/model.tar.gz, model, '', ''",
    "model, s3://bucket/m, s3://bucket/m/, model, '', 'model: s3://bucket/m is taken for a folder,"
        + " s3://bucket/m/'",
  })
  void anAddressInS3IsThatOfOneFileOrOfOneFolder(
      String channel, String given, String sent, String setting, String named, String note)
      throws IOException {
    String file =
        Jobs.ARTICLE.replaceAll(
            switch (channel) {
              case "train" -> "data: train.tsv, ";
              case "validation" -> "eval: dev.tsv, ";
              default -> "model: .*\n";
            },
            "");
    Submission submission = plan(file + "  channels: {%s: '%s'}\n".formatted(channel, given));
    JsonNode request = request(submission);
    assertEquals(sent, Jobs.channels(request).get(channel));
    assertEquals(named, request.path("HyperParameters").path(setting).asText());
    assertEquals(note.isEmpty() ? List.of() : List.of(note), submission.notes());
  }

  @Test
  void aFileThatLiesInNoFolderWouldBringTheBucket() {
    assertTrue(
        refusal(Jobs.ARTICLE.replace("model: all-MiniLM-L6-v2", "model: s3://bucket/model.onnx"))
            .contains("full: model: s3://bucket/model.onnx lies in no folder"));
    assertTrue(
        refusal(
                Jobs.ARTICLE.replace(
                    "data: train.tsv", "data: ['s3://bucket/a.tsv', 's3://bucket/b.tsv']"))
            .contains("full: data: s3://bucket/a.tsv lies in no folder"));
    assertTrue(
        refusal(Jobs.ARTICLE.replace("data: train.tsv", "data: 's3://bucket/x/*.tsv'"))
            .contains("full: data: 's3://bucket/x/*.tsv' is a pattern"));
  }

  @Test
  void aHeadAndItsTrainedLayersAreOneHyperparameter() throws IOException {
    String both =
        Jobs.ARTICLE.replace("{match: 'query|output'", "{match: 'query|output', head: dense");
    assertTrue(
        refusal(both).contains("lora-r2: head: it puts a head on and names its layers, 'dense'"),
        refusal(both));
  }

  @Test
  void emptyTextsAndLinesAreCarriedInQuotes() throws IOException {
    JsonNode hyperparameters =
        request(
                plan(
                    Jobs.ARTICLE.replace(
                        "full: {", "full: {query-prefix: '', document-prefix: \"a\\nb\", ")))
            .path("HyperParameters");
    assertEquals("\"\"", hyperparameters.path("query-prefix").textValue());
    assertEquals("\"a\\nb\"", hyperparameters.path("document-prefix").textValue());
    JsonNode tuned =
        request(
                plan(
                    Jobs.SEARCH
                        .replace("rank: {choice", "match: {choice: ['', query]}\n  rank: {choice")
                        .replace(", match: 'query|output'", "")))
            .path("HyperParameterTuningJobConfig")
            .path("ParameterRanges")
            .path("CategoricalParameterRanges");
    assertEquals("\"\"", tuned.path(0).path("Values").path(0).textValue(), tuned.toString());
  }

  @Test
  void aPatternThatBeginsLikeJsonIsTheTextThatItIs() throws IOException {
    String pattern = "[12]\\..*|query";
    JsonNode hyperparameters =
        FakeService.JSON
            .readTree(
                plan(Jobs.ARTICLE.replace("match: 'query|output'", "match: '" + pattern + "'"))
                    .jobs()
                    .get(1)
                    .json())
            .path("HyperParameters");
    assertEquals(pattern, hyperparameters.path("match").textValue());
    assertTrue(
        refusal(Jobs.ARTICLE.replace("full: {", "full: {query-prefix: '[12]', "))
            .contains("query-prefix: '[12]' would be read as JSON"));
  }

  @Test
  void severalFilesOfTheHeadAreAList() throws IOException {
    Jobs.file(folder, "file.yaml", "");
    Files.copy(folder.resolve("train.tsv"), folder.resolve("more.tsv"));
    for (String place : List.of("", "s3://bucket/x/")) {
      String data =
          place.isEmpty() ? Jobs.ARTICLE : Jobs.ARTICLE.replace("train.tsv", place + "train.tsv");
      String file =
          data.replace(
              "head: {}",
              "head: {labels-from: ['%1$strain.tsv', '%1$smore.tsv']}".formatted(place));
      JsonNode hyperparameters = request(plan(file)).path("HyperParameters");
      assertEquals(
          "{\"labels-from\":[\"train/train.tsv\",\"train/more.tsv\"]}",
          hyperparameters.path("head").textValue());
      assertEquals("train/train.tsv", hyperparameters.path("data").textValue());
      assertTrue(hyperparameters.path("labels-from").isMissingNode(), hyperparameters.toString());
    }
  }

  @Test
  void valuesThatTheServiceDoesNotTakeAreRefused() {
    String longest = "x|".repeat(1_250);
    assertTrue(
        refusal(Jobs.ARTICLE.replace("match: 'query|output'", "match: 'query|" + longest + "'"))
            .contains("match: it has 2,506 characters, and the service takes 2,500"));
    assertTrue(
        refusal(
                Jobs.SEARCH
                    .replace(
                        "rank: {choice",
                        "match: {choice: [query, '%s']}\n  rank: {choice"
                            .formatted("query|" + "x".repeat(251)))
                    .replace(", match: 'query|output'", ""))
            .contains("space.match: it has 257 characters, and the service takes 256"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "base: [a]; base: it is no map of names to values",
        "base: text; base: it is no map of names to values",
      })
  void aBaseThatIsNoMapIsRefusedWithChannelsToo(String base, String said) {
    String file =
        Jobs.ARTICLE.replaceAll("base: .*", base) + "  channels: {train: 's3://bucket/x/'}\n";
    assertTrue(refusal(file).contains(said), refusal(file));
  }

  @Test
  void aRunThatHasDataOfItsOwnDoesNotPassAChannelOver() {
    String file =
        Jobs.ARTICLE
            .replace("data: train.tsv, ", "")
            .replace("full: {", "full: {data: train.tsv, ");
    assertTrue(
        refusal(file + "  channels: {train: 's3://bucket/x/'}\n")
            .contains("runs.full: its 'data' is another one than sagemaker.channels.train"));
  }
}
