package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The pieces of {@code docs/java.md} are one program, which does what the page says. */
final class JavaPageTest {
  private static final Path PAGE = Path.of("..", "docs", "java.md");
  private static final Pattern BLOCK = Pattern.compile("(?ms)^```java\n(.*?)^```$");

  @TempDir Path folder;

  @Test
  void itsPiecesAreAProgramThatRunsToItsEnd() throws IOException, InterruptedException {
    List<String> blocks =
        BLOCK.matcher(Files.readString(PAGE)).results().map(JavaPageTest::code).toList();
    assertTrue(blocks.size() > 6, "the page has its pieces");
    String program =
        "%s\npublic class Page {\n  public static void main(String[] args) throws Exception {\n%s  }\n}\n"
            .formatted(blocks.get(0), blocks.stream().skip(1).collect(Collectors.joining("\n")));
    Path source = Files.writeString(folder.resolve("Page.java"), program);
    List<String> printed = JavaProgram.run(source).lines().toList();
    Pattern expected =
        Pattern.compile(
            """
            true \\[rows\\.tsv:2\\]
            (step \\d+ of 90, loss \\d+\\.\\d{4}
            )+.*the training was stopped after step \\d+
            (step \\d+ of 90, loss \\d+\\.\\d{4}
            )+90 steps, the run is FINISHED
            96 steps in all
            \\d+\\.\\d samples/s
            \\{loss=\\d.*, accuracy=1\\.0, .*}
            accuracy 1\\.0000
            deliverytrue
            invoicetrue
            \\[query, value] \\d+
            12
            ((LOC|PER) from \\d+ to \\d+: .+
            )*\\[delivery, invoice]
            true
            4
            384 numbers, 3 passages
            ndcg@10 true
            (\\d\\.\\d{3} .+
            ){3}invoice
            invoice
            2 \\[acme]
            \\[input_ids, attention_mask, token_type_ids] -> \\[logits]
            """);
    String all = String.join("\n", printed) + "\n";
    assertTrue(expected.matcher(all).matches(), all);
    for (String file : List.of("model.onnx", "config.json", "tokenizer.json")) {
      assertTrue(Files.exists(folder.resolve("support").resolve(file)), file);
    }
  }

  private static String code(MatchResult block) {
    return block.group(1);
  }
}
