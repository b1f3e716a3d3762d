package io.github.loragraph.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.airlift.compress.zstd.ZstdOutputStream;
import io.github.loragraph.error.LoraGraphException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataFileTest {
  @TempDir Path folder;

  @Test
  void tabSeparatedTextIsNotQuoted() {
    List<Row> rows = read("a.tsv", "sentence\tlabel\na \"b ' c \t0\n \"x\ty\n");
    assertEquals(2, rows.size());
    assertRow(rows.get(0), "a \"b ' c", null, "0", ":2");
    assertRow(rows.get(1), "\"x", null, "y", ":3");
  }

  @Test
  void commaSeparatedTextIsQuoted() {
    List<Row> rows =
        read("a.csv", "id,label,text,text_pair\n1,pos,\"a, \"\"b\"\"\nc\",d\n2,neg,e,\" f \"\n");
    assertRow(rows.get(0), "a, \"b\"\nc", "d", "pos", ":2");
    assertRow(rows.get(1), "e", "f", "neg", ":4");
  }

  @Test
  void jsonLines() {
    List<Row> rows =
        read(
            "a.jsonl",
            """
            {"text": " a ", "label": 1, "id": "x"}
            {"sentence": "b\\n", "sentence2": "c", "label": "pos"}
            {"text": "d", "text_pair": null, "label": [1, 0]}
            """);
    assertRow(rows.get(0), "a", null, "1", ":1");
    assertRow(rows.get(1), "b", "c", "pos", ":2");
    assertRow(rows.get(2), "d", null, "[1,0]", ":3");
  }

  @Test
  void preTokenizedJsonLines() {
    List<Row> rows =
        read(
            "a.jsonl",
            """
            {"input_ids": [0, 5, 2], "attention_mask": [1, 1, 1], "label": 0}
            {"pixels": [[1, 2.5], [3, 4]], "age": 7}
            {"text": "kept from before", "input_ids": [4], "labels": 1}
            """);
    assertEquals(
        Map.of("input_ids", Values.of(0, 5, 2), "attention_mask", Values.of(1, 1, 1)),
        rows.get(0).values());
    assertEquals("0", rows.get(0).label());
    assertEquals(
        Map.of("pixels", Values.shaped(new float[] {1, 2.5f, 3, 4}, 2, 2), "age", Values.scalar(7)),
        rows.get(1).values());
    assertNull(rows.get(1).label());
    assertNull(rows.get(2).text());
    assertEquals(Map.of("input_ids", Values.of(4)), rows.get(2).values());
  }

  @Test
  void byteOrderMarkLineEndsAndEmptyLinesAtTheEndAreTaken() {
    assertEquals(2, read("a.tsv", "\ufefftext\tlabel\r\na\t0\r\nb\t1\r\n\r\n \r\n").size());
    assertEquals(2, read("a.csv", "\ufefftext,label\r\na,0\r\nb,1\r\n\r\n").size());
    assertEquals(2, read("a.jsonl", "\ufeff{\"text\":\"a\"}\r\n{\"text\":\"b\"}\r\n\r\n").size());
    assertEquals(1, read("a.TSV", "text\tlabel\na\t0").size());
    assertRow(
        read("a.tsv", "text\tlabel\nna\u00efve \ud83d\ude00\t0\n").get(0),
        "na\u00efve \ud83d\ude00",
        null,
        "0",
        ":2");
  }

  @Test
  void columnsCanBeNamed() {
    Columns columns = Columns.USUAL.with("title", "body", "kind");
    List<Row> rows = read("a.csv", "text,body,title,kind\na,b,c,d\n", columns);
    assertRow(rows.get(0), "c", "b", "d", ":2");
    rows = read("a.jsonl", "{\"title\":\"c\",\"body\":\"b\",\"kind\":2}", columns);
    assertRow(rows.get(0), "c", "b", "2", ":1");
  }

  @Test
  void labelsMayBeAbsentUnlessTheyAreNeeded() {
    assertNull(read("a.tsv", "text\na\n").get(0).label());
    assertFails(
        "a.tsv:1 has no column 'label'; its first line names the columns: text: name the label column",
        () -> readLabelled("a.tsv", "text\na\n"));
    assertFails(
        "a.tsv:3 has nothing in column 'label': mend or delete the line",
        () -> readLabelled("a.tsv", "text\tlabel\na\t1\nb\t \n"));
    assertFails(
        "a.jsonl:1 has no 'label'; it has text, klass: name the label field",
        () -> readLabelled("a.jsonl", "{\"text\":\"a\",\"klass\":1}\n"));
    assertFails(
        "a.jsonl:1: 'label' is null: mend or delete the line",
        () -> readLabelled("a.jsonl", "{\"text\":\"a\",\"label\":null}\n"));
  }

  @Test
  void badTables() {
    assertFails(
        "a.tsv:1 has no column 'text'; its first line names the columns: review, label: name the text column",
        () -> read("a.tsv", "review\tlabel\na\t0\n"));
    assertFails(
        "a.tsv:1 has no column 'kind'; its first line names the columns: text, label: name the label column",
        () -> read("a.tsv", "text\tlabel\na\t0\n", Columns.USUAL.with(null, null, "kind")));
    assertFails(
        "a.tsv:1 has no column 'text'; its first line names the columns: a film to see again, 1: name the text column, or put a heading there",
        () -> read("a.tsv", "a film to see again\t1\nno\t0\n"));
    assertFails(
        "a.csv:1 has no column 'boddy'; its first line names the columns: body, queue: body?",
        () -> read("a.csv", "body,queue\na,0\n", Columns.USUAL.with("boddy", null, null)));
    assertFails(
        "a.jsonl:1 has no 'quue'; it has body, queue: queue?",
        () ->
            read(
                "a.jsonl",
                "{\"body\":\"a\",\"queue\":\"b\"}\n",
                Columns.USUAL.with("body", null, "quue")));
    assertFails(
        "a.tsv:3 has 3 columns where the first line has 2: mend or delete the line",
        () -> read("a.tsv", "text\tlabel\na\t0\nb\tc\t1\n"));
    assertFails(
        "a.csv:2 has 1 column where the first line has 2: mend or delete the line",
        () -> read("a.csv", "text,label\na\n"));
    assertFails(
        "a.tsv:2 has nothing in column 'text': mend or delete the line",
        () -> read("a.tsv", "text\tlabel\n  \t0\n"));
    assertFails(
        "a.tsv:3 is an empty line between others: delete it",
        () -> read("a.tsv", "text\tlabel\na\t0\n\nb\t0\n"));
    String message = failure(() -> read("a.csv", "text,label\na,0\n\"b,1\nc,0\n"));
    assertEquals(
        true, message.startsWith("a.csv: a row after line 2 is not well-formed CSV"), message);
    for (String content : List.of("", "text\tlabel\n", "\n", "text\tlabel\n\n\n")) {
      assertFails(
          "a.tsv holds no examples: give a file with at least one row",
          () -> read("a.tsv", content));
    }
    assertFails(
        "a.jsonl holds no examples: give a file with at least one row",
        () -> read("a.jsonl", "\n"));
    assertFails(
        "a.csv holds no examples: give a file with at least one row", () -> read("a.csv", ""));
  }

  @Test
  void badJson() {
    String message = failure(() -> read("a.jsonl", "{\"text\":\"a\"}\n{\"text\":\n"));
    assertEquals(true, message.startsWith("a.jsonl:2 is not JSON: "), message);
    message = failure(() -> read("a.jsonl", "{\"text\":\"a\"} {\"text\":\"b\"}\n"));
    assertEquals(true, message.startsWith("a.jsonl:1 is not JSON: "), message);
    message = failure(() -> read("a.json", "[\n{\"text\":\"a\"}\n]\n"));
    assertEquals(true, message.endsWith("write the file as JSON lines)"), message);
    assertFails(
        "a.jsonl:1 is no JSON object: each line is one example, as {\"text\": ..., \"label\": ...}",
        () -> read("a.jsonl", "[1]\n"));
    assertFails(
        "a.jsonl:1: 'text' is no text, or empty: mend or delete the line",
        () -> read("a.jsonl", "{\"text\":5}\n"));
    assertFails(
        "a.jsonl:1: 'text' is no text, or empty: mend or delete the line",
        () -> read("a.jsonl", "{\"text\":\" \"}\n"));
    assertFails(
        "a.jsonl:1 has no 'text'; it has label: name the text field",
        () -> read("a.jsonl", "{\"label\":5}\n"));
    for (String value : List.of("\"a\"", "[1,\"a\"]", "[[1],[2,3]]", "[[1],2]", "null", "{}")) {
      assertFails(
          "a.jsonl:1: 'x' is no list of numbers (or lists of one length), as a model input is",
          () -> read("a.jsonl", "{\"x\":%s}\n".formatted(value)));
    }
    assertFails(
        "a.jsonl:1: 'x' has an integer of more than 32 bits",
        () -> read("a.jsonl", "{\"x\":[3000000000]}\n"));
    assertFails(
        "a.jsonl:1: 'x' has a number that no 32-bit float holds",
        () -> read("a.jsonl", "{\"x\":[1e60]}\n"));
  }

  @Test
  void otherFiles() throws IOException {
    assertFails(
        "no such data file: b.tsv", () -> DataFile.read(folder.resolve("b.tsv"), Columns.USUAL));
    assertFails(
        "a.xlsx is no .tsv, .csv, .jsonl or .txt file: convert it, or give it the right ending",
        () -> read("a.xlsx", "text"));
    Files.createDirectory(folder.resolve("c.tsv"));
    assertFails(
        "c.tsv is a folder: name a .tsv, .csv or .jsonl file",
        () -> DataFile.read(folder.resolve("c.tsv"), Columns.USUAL));
    assertFails(
        "a.tsv is no text but a binary file: give a .tsv, .csv or .jsonl file of UTF-8 text",
        () -> read("a.tsv", "PK\u0003\u0004\u0000\u0000"));
    assertFails(
        "a.tsv is UTF-16 text: save it as UTF-8",
        () -> read("a.tsv", "text\tlabel\na\t0\n".getBytes(StandardCharsets.UTF_16)));
  }

  @Test
  void malformedUtf8NamesTheLine() throws IOException {
    StringBuilder text = new StringBuilder("text\tlabel\n");
    for (int i = 2; i < 5000; i++) {
      text.append("line ").append(i).append("\t0\n");
    }
    text.append("caf\u00e9\t0\nend\t0\n");
    byte[] bytes = text.toString().getBytes(StandardCharsets.ISO_8859_1);
    for (String name : List.of("a.tsv", "a.csv")) {
      String content = new String(bytes, StandardCharsets.ISO_8859_1);
      byte[] file =
          (name.endsWith("csv") ? content.replace('\t', ',') : content)
              .getBytes(StandardCharsets.ISO_8859_1);
      assertFails(
          name + ":5000 is not UTF-8: convert the file ('iconv -f latin1 -t utf-8', say)",
          () -> read(name, file));
    }
  }

  /** What is said in reading labelled rows, without the folder. */
  private List<String> notices(String name, String content) {
    List<String> notices = new ArrayList<>();
    Path file = write(name, content.getBytes(StandardCharsets.UTF_8));
    new DataFile(file, Columns.USUAL, notices::add).labelled();
    return notices.stream().map(n -> n.replace(folder + "/", "")).toList();
  }

  @Test
  void aTsvColumnThatIsQuotedThroughoutIsUnderstood() {
    String quoted =
        "\"text\"\tlabel\n\"good, \"\"really\"\" good\"\tpos\n\"bad\"\tneg\n\"\"\"\"\tneg\n";
    List<Row> rows = read("a.tsv", quoted);
    assertRow(rows.get(0), "good, \"really\" good", null, "pos", ":2");
    assertRow(rows.get(1), "bad", null, "neg", ":3");
    assertRow(rows.get(2), "\"", null, "neg", ":4");
    assertEquals(
        List.of("a.tsv: every cell of column 'text' is quoted: the quotes are taken off"),
        notices("a.tsv", quoted));
    String some = "text\tlabel\n\"a, \"\"b\"\"\"\tpos\nbad\t\"neg\"\n";
    assertRow(read("a.tsv", some).get(0), "\"a, \"\"b\"\"\"", null, "pos", ":2");
    assertEquals(
        List.of(
            "a.tsv: 1 of 2 cells of column 'text' are quoted: the quotes stay in the text (as .csv they would not)",
            "a.tsv: 1 of 2 cells of column 'label' are quoted: the quotes stay in the text (as .csv they would not)"),
        notices("a.tsv", some));
  }

  @Test
  void bareQuotesOfATsvStayWithoutAWord() {
    StringBuilder text = new StringBuilder("sentence\tlabel\n\" hm \"\t0\n");
    for (int i = 0; i < 30; i++) {
      text.append("he said \" no \" and \"left\t1\n\" yes\t0\n");
    }
    assertEquals(List.of(), notices("a.tsv", text.toString()));
    List<Row> rows = read("a.tsv", text.toString());
    assertRow(rows.get(0), "\" hm \"", null, "0", ":2");
    assertRow(rows.get(2), "\" yes", null, "0", ":4");
  }

  @Test
  void namesThatMatchButForCaseAreSaid() {
    assertEquals(
        List.of(
            "a.csv:1: column 'Text' is taken for 'text'",
            "a.csv:1: column 'LABEL' is taken for 'label'"),
        notices("a.csv", "Text,LABEL\na,0\n"));
    assertEquals(
        List.of(
            "a.jsonl:1: column 'Label' is taken for 'label'",
            "a.jsonl:1: column 'TEXT' is taken for 'text'"),
        notices("a.jsonl", "{\"TEXT\":\"a\",\"Label\":1}\n{\"TEXT\":\"b\",\"Label\":0}\n"));
    assertFails(
        "a.csv:1 has no column 'text', but several that match in other case: Text, TEXT (name one of them)",
        () -> read("a.csv", "Text,TEXT\na,b\n"));
    assertRow(read("a.csv", "Text,text\na,b\n").get(0), "b", null, null, ":2");
  }

  @Test
  void whichColumnsAreTakenIsSaidWhereItCouldBeOthers() {
    assertEquals(
        List.of("a.csv: pairs of 'question' and 'answer', label from 'label'"),
        notices("a.csv", "question,answer,label\na,b,0\n"));
    assertEquals(
        List.of("a.csv: text from 'text', label from 'label'"),
        notices("a.csv", "text,sentence,label\na,b,0\n"));
    assertEquals(
        List.of("a.csv: text from 'text', label from 'label'"),
        notices("a.csv", "text,label,class\na,b,0\n"));
    assertEquals(
        List.of("a.jsonl: pairs of 'premise' and 'hypothesis'"),
        notices("a.jsonl", "{\"premise\":\"a\",\"hypothesis\":\"b\",\"label\":0}\n"));
    assertEquals(
        List.of(
            "a.jsonl:2 has 'sentence' where lines before have 'text': it is taken for the same"),
        notices(
            "a.jsonl",
            "{\"text\":\"a\",\"label\":0}\n{\"sentence\":\"a\",\"label\":0}\n{\"sentence\":\"a\",\"label\":0}\n"));
    assertEquals(
        List.of("a.jsonl:1 has text and input_ids: input_ids are taken"),
        notices("a.jsonl", "{\"text\":\"a\",\"input_ids\":[1],\"label\":0}\n"));
    assertEquals(List.of(), notices("a.csv", "id,text,label,comment\n1,a,b,c\n"));
  }

  @Test
  void whatNoRowHasIsRefusedWithItsLine() {
    assertFails(
        "a.csv:1 names the column 'text' twice: give each another name",
        () -> read("a.csv", "text,label,text\na,0,b\n"));
    assertFails(
        "a.tsv:1 names the column 'x' twice: give each another name",
        () -> read("a.tsv", "text\tx\tx\na\t0\tb\n"));
    assertEquals(1, read("a.csv", "text,,\na,0,b\n").size());
    String nul = "text\tlabel\n" + "a\t0\n".repeat(3000) + "a\u0000b\t0\n";
    assertFails(
        "a.tsv:3002: 'text' has a NUL character in it: mend or delete the line",
        () -> read("a.tsv", nul));
    for (String half : List.of("\\ud800", "\\udc00", "a\\ud83d b", "\\ude00\\ud83d")) {
      assertFails(
          "a.jsonl:1: 'text' has half of a character in it: mend or delete the line",
          () -> read("a.jsonl", "{\"text\":\"%s\"}\n".formatted(half)));
    }
    assertEquals("\ud83d\ude00", read("a.jsonl", "{\"text\":\"\\ud83d\\ude00\"}\n").get(0).text());
    assertFails(
        "a.jsonl:1: 'label' is an object: a label is a name, a number or a list of them",
        () -> read("a.jsonl", "{\"text\":\"a\",\"label\":{\"x\":1}}\n"));
    String twice = failure(() -> read("a.jsonl", "{\"text\":\"a\",\"text\":\"b\"}\n"));
    assertEquals(true, twice.startsWith("a.jsonl:1 has a field twice: "), twice);
    assertFails(
        "a.jsonl:2 has no 'second'; it has text: name the text pair field",
        () ->
            read(
                "a.jsonl",
                "{\"text\":\"a\",\"second\":\"b\"}\n{\"text\":\"a\"}\n",
                Columns.USUAL.with(null, "second", null)));
    assertFails(
        "a.csv.bz2 is packed in a way that is not read: unpack it, or pack it as .gz or .zst",
        () -> read("a.csv.bz2", "x"));
    assertFails(
        "cannot read a.csv: it is packed, and cut short or damaged: pack it again",
        () -> read("a.csv", new byte[] {0x1f, (byte) 0x8b, 8, 0}));
  }

  /** By content, whatever the ending says; several pieces one after the other are one text. */
  @Test
  void filesMayBePacked() throws IOException {
    String rows = "text\tlabel\nfirst\t0\n" + "second\t1\n".repeat(40_000);
    for (String name : List.of("a.tsv.gz", "a.tsv.zst", "a.TSV", "a.tsv.zstd")) {
      for (boolean zstd : new boolean[] {false, true}) {
        byte[] packed = packed(rows, zstd);
        List<Row> read = read(name, packed);
        assertEquals(40_001, read.size());
        assertEquals("first", read.get(0).text());
        assertEquals(
            name + ":2", read.get(0).place().substring(read.get(0).place().lastIndexOf('/') + 1));
        assertEquals(
            name + ":40002",
            read.get(40_000).place().substring(read.get(40_000).place().lastIndexOf('/') + 1));
        ByteArrayOutputStream two = new ByteArrayOutputStream();
        two.write(packed("text\tlabel\nfirst\t0\nsec", zstd));
        two.write(packed("ond\t1\n", zstd));
        assertEquals("second", read(name, two.toByteArray()).get(1).text());
        assertFails(
            "cannot read %s: it is packed, and cut short or damaged: pack it again".formatted(name),
            () -> read(name, Arrays.copyOf(packed, packed.length - 9)));
        ByteArrayOutputStream more = new ByteArrayOutputStream();
        more.write(packed);
        more.write(Arrays.copyOfRange(packed, 2, packed.length));
        for (byte[] after : List.of(more.toByteArray(), Arrays.copyOf(packed, packed.length + 5))) {
          assertFails(
              "cannot read %s: it is packed, and cut short or damaged: pack it again"
                  .formatted(name),
              () -> read(name, after));
        }
        byte[] damaged = packed.clone();
        for (int i = 20; i < 60; i++) {
          damaged[i] ^= 0x5a;
        }
        assertFails(
            "cannot read %s: it is packed, and cut short or damaged: pack it again".formatted(name),
            () -> read(name, damaged));
        assertFails(
            name + ":3 is not UTF-8: convert the file ('iconv -f latin1 -t utf-8', say)",
            () ->
                read(
                    name,
                    packed("text\nfine\ncaf\u00e9\n".getBytes(StandardCharsets.ISO_8859_1), zstd)));
      }
    }
  }

  private static byte[] packed(String text, boolean zstd) throws IOException {
    return packed(text.getBytes(StandardCharsets.UTF_8), zstd);
  }

  private static byte[] packed(byte[] bytes, boolean zstd) throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (OutputStream out = zstd ? new ZstdOutputStream(packed) : new GZIPOutputStream(packed)) {
      out.write(bytes);
    }
    return packed.toByteArray();
  }

  @Test
  void aRowHasALimit() {
    String most = "x".repeat(DataFile.LONGEST_ROW - 2);
    assertEquals(1, read("a.tsv", "text\tlabel\n" + most + "\t0\n").size());
    assertFails(
        "a.tsv:3 has more than 10,000,000 characters: mend or delete the line",
        () -> read("a.tsv", "text\tlabel\na\t0\n" + most + "x\t0\n"));
    assertFails(
        "a.jsonl:2 has more than 10,000,000 characters: mend or delete the line",
        () -> read("a.jsonl", "{\"text\":\"a\"}\n{\"text\":\"" + most + "\"}\n"));
    assertFails(
        "a.csv: a row after line 2 has more than 10,000,000 characters: mend or delete it (is a quote not closed?)",
        () -> read("a.csv", "text,label\na,0\n\"" + most + "xxx\n".repeat(9)));
  }

  @Test
  void anyLineEnd() {
    for (String end : List.of("\n", "\r\n", "\r")) {
      String table = "text\tlabel" + end + "a\t0" + end + "b\t1" + end + end;
      assertEquals(2, read("a.tsv", table).size());
      assertEquals(2, read("a.csv", table.replace('\t', ',')).size());
      assertEquals(2, read("a.jsonl", "{\"text\":\"a\"}" + end + "{\"text\":\"b\"}" + end).size());
    }
    assertFails(
        "a.tsv:2 is an empty line between others: delete it",
        () -> read("a.tsv", "text\tlabel\r\r\na\t0\r\r\n"));
    // Wherever the end of what is read at once falls.
    for (int length = 8150; length < 8200; length++) {
      String text = "x".repeat(length);
      List<Row> rows = read("a.tsv", "text\tlabel\r\n" + text + "\t0\r\nb\t1\r\nc\t" + text);
      assertEquals(3, rows.size());
      assertRow(rows.get(0), text, null, "0", ":2");
      assertRow(rows.get(1), "b", null, "1", ":3");
      assertRow(rows.get(2), "c", null, text, ":4");
    }
  }

  private static void assertRow(Row row, String text, String pair, String label, String place) {
    assertEquals(text, row.text());
    assertEquals(pair, row.textPair());
    assertEquals(label, row.label());
    assertEquals(true, row.place().endsWith(place), row.place());
  }

  private List<Row> read(String name, String content) {
    return read(name, content, Columns.USUAL);
  }

  private List<Row> read(String name, String content, Columns columns) {
    return DataFile.read(write(name, content.getBytes(StandardCharsets.UTF_8)), columns);
  }

  private List<Row> read(String name, byte[] content) {
    return DataFile.read(write(name, content), Columns.USUAL);
  }

  private List<Row> readLabelled(String name, String content) {
    return DataFile.readLabelled(
        write(name, content.getBytes(StandardCharsets.UTF_8)), Columns.USUAL);
  }

  private Path write(String name, byte[] content) {
    try {
      return Files.write(folder.resolve(name), content);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private String failure(org.junit.jupiter.api.function.Executable code) {
    String message = assertThrows(LoraGraphException.class, code).getMessage();
    assertEquals(1, message.lines().count(), message);
    return message.replace(folder + "/", "");
  }

  private void assertFails(String message, org.junit.jupiter.api.function.Executable code) {
    assertEquals(message, failure(code));
  }
}
