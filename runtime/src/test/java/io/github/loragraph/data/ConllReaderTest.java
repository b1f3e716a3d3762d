package io.github.loragraph.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
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

class ConllReaderTest {
  @TempDir Path folder;

  private Path file(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private List<Row> rows(String name, String text) throws IOException {
    return DataFile.readLabelled(file(name, text), Columns.USUAL);
  }

  @Test
  void sentencesWithDocumentsAndComments() throws IOException {
    String text =
        """
        -DOCSTART- -X- -X- O

        # sent_id = 1
        Ann NNP I-NP B-PER
        # NN I-NP O
        left VBD I-VP O


        -DOCSTART- -X- -X- O

        Bob NNP I-NP B-PER
        """;
    for (String name : List.of("a.conll", "a.CoNLL", "a.bio", "a.iob", "wiki.conll.txt")) {
      List<Row> rows = rows(name, text);
      assertEquals(2, rows.size());
      assertEquals("Ann # left", rows.get(0).text());
      assertEquals(List.of("Ann", "#", "left"), rows.get(0).words().texts());
      assertEquals("[\"B-PER\",\"O\",\"O\"]", rows.get(0).label());
      assertEquals(folder.resolve(name) + ":4", rows.get(0).place());
      assertEquals(folder.resolve(name) + ":6", rows.get(0).placeOf(2));
      assertEquals(folder.resolve(name) + ":11", rows.get(1).place());
    }
  }

  @Test
  void columnsAreNamedByTheirNumbers() throws IOException {
    Path file = file("a.conllu", "1\tNew York\tx\tB-LOC\t_\n2\tis\tx\tO\t_\n");
    Row row = DataFile.readLabelled(file, Columns.USUAL.with("2", null, "4")).get(0);
    assertEquals(List.of("New York", "is"), row.words().texts());
    assertEquals("[\"B-LOC\",\"O\"]", row.label());
    assertRefused(
        file + " has no column 'tag': its columns have no names, so name that of the tags by its",
        () -> DataFile.readLabelled(file, Columns.USUAL.with(null, null, "tag")));
    assertRefused(
        file + ":1 has 5 columns, and none of number 7",
        () -> DataFile.readLabelled(file, Columns.USUAL.with("2", null, "7")));
  }

  @Test
  void universalDependencies() throws IOException {
    String text =
        """
        # sent_id = 1
        # text = Vámonos al # mar.
        1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_
        1\tVamos\tir\tVERB\t_\t_\t0\troot\t_\tSpaceAfter=No
        2\tnos\tnosotros\tPRON\t_\t_\t1\tobj\t_\t_
        2.1\tir\tir\tVERB\t_\t_\t_\t_\t_\t_
        # a comment within
        3\t#\t#\tSYM\tNN\t_\t1\tobl\t_\t_

        1\tNew York\tNew York\tPROPN\t_\t_\t0\troot\t_\tSpaceAfter=No
        """;
    for (String name : List.of("a.conllu", "b.CoNLLU", "c.conllu.txt")) {
      Path file = file(name, text);
      List<String> notices = new ArrayList<>();
      List<Row> rows = new DataFile(file, Columns.USUAL, notices::add).labelled();
      assertEquals(2, rows.size());
      assertEquals(List.of("Vamos", "nos", "#"), rows.get(0).words().texts());
      assertEquals("[\"VERB\",\"PRON\",\"SYM\"]", rows.get(0).label());
      assertEquals(List.of("New York"), rows.get(1).words().texts());
      assertEquals(
          List.of(file + ": of 10 columns number 2 (FORM) is the word and number 4 (UPOS) the tag"),
          notices);
    }
    Row lemma =
        DataFile.readLabelled(file("d.conllu", text), Columns.USUAL.with("3", null, "8")).get(0);
    assertEquals(List.of("ir", "nosotros", "#"), lemma.words().texts());
    assertEquals("[\"root\",\"obj\",\"obl\"]", lemma.label());
    Path untagged = file("e.conllu", text.replace("VERB", "_"));
    assertRefused(
        untagged + ":4 has no part of speech ('_' in column 4)",
        () -> DataFile.readLabelled(untagged, Columns.USUAL));
    assertNull(DataFile.read(untagged, Columns.USUAL).get(0).label());
    Path other = file("f.conllu", "Ann\tB-PER\n");
    assertRefused(
        other + ":1 has 2 columns, and CoNLL-U has 10: name those of words and tags",
        () -> DataFile.readLabelled(other, Columns.USUAL));
  }

  @Test
  void whichOfManyColumnsAreTakenIsSaid() throws IOException {
    Path file = file("a.conll", "Ann NNP I-NP B-PER\nleft VBD I-VP O\n");
    List<String> notices = new ArrayList<>();
    new DataFile(file, Columns.USUAL, notices::add).labelled();
    assertEquals(
        List.of(file + ": of 4 columns number 1 is the word and number 4 the tag"), notices);
    notices.clear();
    new DataFile(file, Columns.USUAL.with("1", null, "2"), notices::add).labelled();
    new DataFile(file("b.conll", "Ann B-PER\n"), Columns.USUAL, notices::add).labelled();
    assertEquals(List.of(), notices);
  }

  @Test
  void wordsAloneAreEnoughWhereNoLabelIsNeeded() throws IOException {
    Path file = file("a.conll", "Ann\nleft\n\nBob\n");
    List<Row> rows = new ArrayList<>();
    new DataFile(file, Columns.USUAL, line -> {}).each((row, fields) -> rows.add(row));
    assertEquals("Ann left", rows.get(0).text());
    assertNull(rows.get(0).label());
    assertEquals("Bob", rows.get(1).text());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Ann B-PER;left|:2 has one column, 'left': write a word and its tag",
        "Ann B-PER;left VBD O|:2 has 3 columns where line 1 has 2: mend or delete",
        "Ann~B-PER;left O|:2 is divided by spaces, and line 1 by tabs: divide all by tabs",
        "Ann B-PER;left~O|:2 is divided by tabs, and line 1 by spaces: divide all by tabs",
        "Ann~B-PER;~O|:2 has nothing in column 1: mend or delete the line",
        "-DOCSTART- O;;|' holds no examples: give a file with at least one row'"
      })
  void badLinesAreRefused(String lines, String words) throws IOException {
    Path file = file("a.conll", lines.replace(';', '\n').replace('~', '\t') + "\n");
    assertRefused(file + words, () -> DataFile.readLabelled(file, Columns.USUAL));
  }

  @Test
  void anEmptyFileHoldsNoExamples() throws IOException {
    Path file = file("a.conll", "");
    assertRefused(file + " holds no examples", () -> DataFile.readLabelled(file, Columns.USUAL));
  }

  @Test
  void jsonLinesHaveWordsOrSpans() throws IOException {
    List<Row> rows =
        rows(
            "a.jsonl",
            """
            {"tokens": ["Ann", "New York"], "ner_tags": [1, 0], "id": 3}
            {"words": ["Bob\\n"], "tags": ["B-PER"]}
            {"text": " Ann left", "entities": [[1, 4, "PER"]]}
            {"text": "Ann", "tokens": [{"text": "Ann"}], "spans": [], "answer": "accept"}
            """);
    assertEquals(List.of("Ann", "New York"), rows.get(0).words().texts());
    assertEquals("[1,0]", rows.get(0).label());
    assertEquals(List.of("Bob\n"), rows.get(1).words().texts());
    assertNull(rows.get(2).words());
    assertEquals("Ann left", rows.get(2).text());
    assertEquals(1, rows.get(2).lead());
    assertTrue(SpanLabels.isIn(rows.get(2)));
    assertEquals(List.of(new EntitySpan(1, 4, "PER")), SpanLabels.of(rows.get(2)).get());
    assertNull(rows.get(3).textPair());
    assertEquals(List.of(), SpanLabels.of(rows.get(3)).get());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[[0, 9, \"PER\"]]|has the span [0, 9, PER], and its text has 3 characters: mend it",
        "[[2, 2, \"PER\"]]|has the span [2, 2, PER], which is empty",
        "[[-1, 2, \"PER\"]]|has the span [-1, 2, PER], and its text has 3 characters",
        "[[0, 2, \"PER\"], [1, 3, \"X\"]]|has the spans [0, 2, PER] and [1, 3, X], which overlap",
        "[{\"start\": 0, \"end\": 1}]|has {\"start\":0,\"end\":1} where a span is",
        "[\"O\"]|has tags, 'O' is one, and a text whose words nobody knows: give its words"
      })
  void badSpansAreRefused(String spans, String words) throws IOException {
    Row row = rows("a.jsonl", "{\"text\": \"a 😀\", \"label\": %s}\n".formatted(spans)).get(0);
    assertRefused(row.place() + " " + words, () -> SpanLabels.of(row));
  }

  @Test
  void whatAnAnnotatorRejectedIsRefused() throws IOException {
    Path file = file("a.jsonl", "{\"text\": \"a\", \"spans\": [], \"answer\": \"reject\"}\n");
    assertRefused(file + ":1 is marked 'reject'", () -> DataFile.readLabelled(file, Columns.USUAL));
  }

  private static void assertRefused(String words, org.junit.jupiter.api.function.Executable call) {
    LoraGraphException e = assertThrows(LoraGraphException.class, call);
    assertTrue(e.getMessage().startsWith(words), e.getMessage());
  }
}
