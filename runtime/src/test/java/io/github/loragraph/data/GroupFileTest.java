package io.github.loragraph.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Groups of texts out of files. */
class GroupFileTest {
  @TempDir Path folder;
  private final List<String> notices = new ArrayList<>();

  private List<TextGroup> read(String name, String content) throws IOException {
    Path file = folder.resolve(name);
    Files.writeString(file, content);
    return new GroupFile(file, null, null, null, notices::add).read();
  }

  private String refusal(String name, String content) {
    String message = assertThrows(LoraGraphException.class, () -> read(name, content)).getMessage();
    assertEquals(1, message.lines().count());
    return message.replace(folder + "/", "");
  }

  private static List<String> texts(TextGroup group) {
    return group.all().stream().map(Row::text).toList();
  }

  @Test
  void tablesHaveAnyNumberOfNegatives() throws IOException {
    String content = "query\tpositive\tnegative_1\tnegative_2\nq\tp\tm\tn\nr\ts\t\tt\n";
    List<TextGroup> groups = read("a.tsv", content);
    assertEquals(List.of("q", "p", "m", "n"), texts(groups.get(0)));
    // An empty cell is a negative that is not there.
    assertEquals(List.of("r", "s", "t"), texts(groups.get(1)));
    assertEquals(List.of(), groups.get(0).scores());
    assertEquals(groups, read("a.tsv", content));
    assertTrue(
        notices.get(0).endsWith("'query' with 'positive' against 'negative_1', 'negative_2'"));
  }

  @ParameterizedTest
  @CsvSource({
    "anchor,positive",
    "query,passage",
    "question,answer",
    "sentence1,sentence2",
    "text,text_pair",
    "question1,question2"
  })
  void usualNamesAreFound(String first, String second) throws IOException {
    String content = "%s,%s,score\n\"a, b\",c,0.5\n".formatted(first, second);
    TextGroup group = read("a.csv", content).get(0);
    assertEquals(List.of("a, b", "c"), texts(group));
    assertEquals(0.5, group.requireScore());
  }

  @Test
  void whatWasGuessedIsSaidOnceWhateverThePath() throws IOException {
    Files.createDirectories(folder.resolve("my data"));
    Path file = folder.resolve("my data/a: 1.jsonl");
    Files.writeString(file, "{\"Query\": \"q\", \"positive\": \"p\"}\n".repeat(5));
    new GroupFile(file, null, null, null, notices::add).read();
    assertEquals(
        List.of(
            file + ":1: column 'Query' is taken for 'query'", file + ": 'Query' with 'positive'"),
        notices);
  }

  @Test
  void jsonLinesHaveListsAndTokens() throws IOException {
    List<TextGroup> groups =
        read(
            "a.jsonl",
            """
            {"query": "q", "positive": "p", "negatives": ["m", "n"], "scores": [3, -1, 0.5]}
            {"anchor": {"input_ids": [1, 2]}, "positive": {"input_ids": [3]}, "score": 0.6}
            """);
    assertEquals(List.of("q", "p", "m", "n"), texts(groups.get(0)));
    assertEquals(List.of(3.0, -1.0, 0.5), groups.get(0).requireScores());
    assertEquals(2, groups.get(1).anchor().values().get("input_ids").count());
    assertEquals(0.6, groups.get(1).requireScore());
  }

  @Test
  void scoresOfNegativesStandInColumnsOfTheirOwn() throws IOException {
    TextGroup group =
        read("a.tsv", "query\tpositive\tnegative\tscore\tnegative_score\nq\tp\tn\t9\t1.5\n").get(0);
    assertEquals(List.of(9.0, 1.5), group.requireScores());
    assertEquals(List.of("q", "p", "n"), texts(group));
  }

  @Test
  void aScoreThatIsNoNumberIsRefusedWhereItIsAskedFor() throws IOException {
    TextGroup group = read("a.tsv", "anchor\tpositive\tlabel\na\tb\tentailment\n").get(0);
    String message = assertThrows(LoraGraphException.class, group::requireScore).getMessage();
    assertTrue(message.endsWith("a.tsv:2 has a score that is no number: mend it"), message);
  }

  @Test
  void whatHasNotTwoTextsIsRefusedWithItsLine() {
    assertEquals(
        "a.tsv:2 has nothing in 'positive', where a text is needed: mend or delete the line",
        refusal("a.tsv", "query\tpositive\nq\t\n"));
    assertTrue(
        refusal("b.tsv", "text\tlabel\na\t1\n")
            .startsWith("b.tsv:2 has no column 'positive', and two texts are needed; it has text"));
    assertTrue(
        refusal("c.jsonl", "{\"query\": \"q\"}\n")
            .startsWith("c.jsonl:1 has no column 'positive', and two texts are needed"));
    assertEquals(
        "d.jsonl:1 has 2 texts in 'positive' where one is needed: write a line for each",
        refusal("d.jsonl", "{\"query\": \"q\", \"positive\": [\"a\", \"b\"]}\n"));
    assertEquals(
        "e.jsonl:1: 'negatives' is no text: mend or delete the line",
        refusal("e.jsonl", "{\"query\": \"q\", \"positive\": \"a\", \"negatives\": [1]}\n"));
    assertEquals(
        "f.jsonl:1 has 3 scores for 2 texts: give one for each, or one for the first",
        refusal(
            "f.jsonl",
            "{\"query\":\"q\",\"positive\":\"a\",\"negative\":\"b\",\"scores\":[1,2,3]}\n"));
    assertTrue(refusal("g.tsv", "query\tpositive\n").contains("holds no examples"));
  }
}
