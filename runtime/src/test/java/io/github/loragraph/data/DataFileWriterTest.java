package io.github.loragraph.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataFileWriterTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> TEXTS =
      List.of(
          "a", "\"quoted\", \"\"twice\"\"", "two\nlines", "a\ttab", "\u00fc \ud83d\ude00, ;", "'");

  @TempDir Path folder;

  @Test
  void whatIsWrittenIsReadAgain() throws IOException {
    for (String name : List.of("a.csv", "a.jsonl", "a.tsv")) {
      Path file = folder.resolve(name);
      long flattened = write(file);
      List<String> read = new ArrayList<>();
      new DataFile(file, Columns.USUAL, notice -> {})
          .each(
              (row, fields) -> {
                read.add(row.text());
                assertEquals(List.of("text", "label", "score"), List.copyOf(fields.keySet()));
                assertEquals(0.5, fields.get("score").asDouble());
              });
      boolean tsv = name.endsWith(".tsv");
      assertEquals(
          tsv ? TEXTS.stream().map(t -> t.replaceAll("[\n\t]", " ")).toList() : TEXTS, read, name);
      assertEquals(tsv ? 2 : 0, flattened);
    }
  }

  private static long write(Path file) throws IOException {
    try (OutputStream out = Files.newOutputStream(file);
        DataFileWriter writer = new DataFileWriter(file, out)) {
      for (String text : TEXTS) {
        writer.write(row(text));
      }
      assertEquals(TEXTS.size(), writer.rows());
      return writer.flattened();
    }
  }

  private static Map<String, JsonNode> row(String text) {
    Map<String, JsonNode> row = new LinkedHashMap<>();
    row.put("text", JSON.valueToTree(text));
    row.put("label", JSON.nullNode());
    row.put("score", JSON.valueToTree(0.5));
    return row;
  }

  @Test
  void otherFieldsAndEndingsAreRefused() throws IOException {
    assertThrows(
        LoraGraphException.class, () -> DataFileWriter.checkTarget(folder.resolve("a.xlsx")));
    Path file = folder.resolve("a.csv");
    try (OutputStream out = Files.newOutputStream(file);
        DataFileWriter writer = new DataFileWriter(file, out)) {
      writer.write(row("a"));
      Map<String, JsonNode> other = row("b");
      other.remove("label");
      LoraGraphException e = assertThrows(LoraGraphException.class, () -> writer.write(other));
      assertTrue(e.getMessage().startsWith(file + " cannot have row 2"), e.getMessage());
    }
  }
}
