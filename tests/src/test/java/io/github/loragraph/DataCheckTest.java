package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataCheckTest {
  @TempDir Path folder;

  @Test
  void everyFaultIsCounted() throws IOException {
    Path data =
        Files.write(
            folder.resolve("train.tsv"),
            List.of(
                "text\tlabel",
                "good film\tpos",
                "bad film\tneg",
                "good film\tpos",
                "good film\tneg",
                "held out\tpos",
                "\u00c3\u00a4rger\tneg",
                "broken \ufffd\tneg",
                "zero\u200bwidth\tPos",
                "bell\u0007\tneg",
                "\tneg",
                "no label\t"));
    Path heldOut = Files.writeString(folder.resolve("dev.tsv"), "text\tlabel\nheld out\tpos\n");
    DataCommandsTest.makeModel(folder.resolve("model"));
    Cli cli =
        Cli.run(
            "data", "check", data, "--eval", heldOut, "--model", folder.resolve("model"), "--json");
    assertEquals(1, cli.exitCode(), cli::err);
    JsonNode said = new ObjectMapper().readTree(cli.out());
    assertEquals(11, said.get("rows").asInt());
    assertEquals(6, said.get("labels").get("neg").asInt());
    assertEquals(1, said.get("unlabelled").asInt());
    assertEquals(1, said.get("emptyTexts").asInt());
    assertEquals(2, said.get("duplicates").asInt());
    assertEquals(1, said.get("contradictions").asInt());
    assertEquals(1, said.get("leaked").asInt());
    assertEquals(4, said.get("oddTexts").size(), said::toString);
    assertEquals("'pos' and 'Pos'", said.get("likeLabels").get(0).asText());
    assertTrue(said.get("tokens").get("median").asInt() > 0);
    String text = Cli.run("data", "check", data, "--eval", heldOut).out();
    assertTrue(text.contains("1 rows stand in the held-out data, too"), text);
  }

  @Test
  void goodDataPasses() throws IOException {
    StringBuilder rows = new StringBuilder("text\tlabel\n");
    for (int i = 0; i < 5000; i++) {
      rows.append("text ").append(i).append('\t').append(i % 2).append('\n');
    }
    Path data = Files.writeString(folder.resolve("train.tsv"), rows);
    Cli cli = Cli.run("data", "check", data, "--json");
    assertEquals(0, cli.exitCode(), cli::err);
    JsonNode said = new ObjectMapper().readTree(cli.out());
    assertEquals(5000, said.get("rows").asInt());
    assertEquals(0, said.get("duplicates").asInt());
    assertEquals(2500, said.get("labels").get("1").asInt());
    Cli bad =
        Cli.run("data", "check", Files.writeString(folder.resolve("b.tsv"), "text\tlabel\nx\n"));
    assertEquals(1, bad.exitCode());
    assertTrue(bad.err().contains("b.tsv:2"), bad.err());
  }
}
