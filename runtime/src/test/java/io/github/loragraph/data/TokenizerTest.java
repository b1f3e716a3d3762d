package io.github.loragraph.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.loragraph.LoraGraphException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerTest {
  @TempDir Path folder;

  /** The ids are those of the vocabulary and merges that stand in the file. */
  @Test
  void textAndPairs() throws Exception {
    try (Tokenizer tokenizer = Tokenizer.read(tiny(), 64)) {
      assertEquals(1, tokenizer.padId());
      Tokenizer.Tokens tokens = tokenizer.encode(List.of("a a"), null).get(0);
      // <s>, two times "Ġa" (a space goes before the first word), </s>
      assertArrayEquals(new int[] {0, 31, 31, 2}, tokens.ids());
      assertArrayEquals(new int[4], tokens.types());
      assertFalse(tokens.cut());
      tokens = tokenizer.encode(List.of("a"), List.of("a a")).get(0);
      assertArrayEquals(new int[] {0, 31, 2, 2, 31, 31, 2}, tokens.ids());
    }
  }

  @Test
  void longTextIsCutAndKeepsItsSpecialTokens() throws Exception {
    try (Tokenizer tokenizer = Tokenizer.read(tiny(), 6)) {
      Tokenizer.Tokens tokens = tokenizer.encode(List.of("a ".repeat(50).strip()), null).get(0);
      assertArrayEquals(new int[] {0, 31, 31, 31, 31, 2}, tokens.ids());
      assertTrue(tokens.cut());
      tokens = tokenizer.encode(List.of("a a a a"), List.of("a")).get(0);
      assertEquals(6, tokens.ids().length);
      assertTrue(tokens.cut());
      assertFalse(tokenizer.encode(List.of("a a a a"), null).get(0).cut());
    }
  }

  @Test
  void truncationAndPaddingOfTheFileAreOverridden() throws Exception {
    ObjectMapper json = new ObjectMapper();
    ObjectNode root = (ObjectNode) json.readTree(tiny().toFile());
    root.set(
        "truncation",
        json.readTree(
            """
            {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 1}"""));
    root.set(
        "padding",
        json.readTree(
            """
            {"strategy": {"Fixed": 128}, "direction": "Right", "pad_to_multiple_of": 16,
             "pad_id": 7, "pad_type_id": 0, "pad_token": "[PAD]"}"""));
    Path file = folder.resolve("tokenizer.json");
    json.writeValue(file.toFile(), root);
    try (Tokenizer tokenizer = Tokenizer.read(file, 64)) {
      assertEquals(7, tokenizer.padId());
      List<Tokenizer.Tokens> tokens = tokenizer.encode(List.of("a a a a a a", "a"), null);
      assertEquals(8, tokens.get(0).ids().length);
      assertEquals(3, tokens.get(1).ids().length);
    }
  }

  @Test
  void thePaddingTokenIsFoundAmongTheSpecialOnes() throws Exception {
    ObjectMapper json = new ObjectMapper();
    ObjectNode root = (ObjectNode) json.readTree(tiny().toFile());
    root.putNull("padding");
    Path file = folder.resolve("tokenizer.json");
    json.writeValue(file.toFile(), root);
    try (Tokenizer tokenizer = Tokenizer.read(file, 64)) {
      assertEquals(1, tokenizer.padId());
    }
  }

  @Test
  void manyTextsComeBackInTheirOrder() throws Exception {
    try (Tokenizer tokenizer = Tokenizer.read(tiny(), 64)) {
      List<String> texts = new java.util.ArrayList<>();
      for (int i = 0; i < 3000; i++) {
        texts.add(String.join(" ", Collections.nCopies(1 + i % 40, "a")));
      }
      List<Tokenizer.Tokens> tokens = tokenizer.encode(texts, null);
      for (int i = 0; i < 3000; i++) {
        assertEquals(3 + i % 40, tokens.get(i).ids().length);
      }
    }
  }

  @Test
  void otherFilesAreRefusedInOneLine() throws Exception {
    for (String content :
        List.of("", "{", "{}", "[]", "{\"model\": {}}", "{\"model\": {\"type\": \"X\"}}")) {
      Path file = Files.writeString(folder.resolve("tokenizer.json"), content);
      LoraGraphException e = assertThrows(LoraGraphException.class, () -> Tokenizer.read(file, 64));
      assertTrue(
          e.getMessage().startsWith(file + " is no tokenizer.json of Hugging Face's tokenizers"),
          e.getMessage());
      assertEquals(1, e.getMessage().lines().count(), e.getMessage());
    }
    LoraGraphException e =
        assertThrows(
            LoraGraphException.class, () -> Tokenizer.read(folder.resolve("missing.json"), 64));
    assertTrue(e.getMessage().startsWith("cannot read "), e.getMessage());
    assertThrows(LoraGraphException.class, () -> Tokenizer.read(tiny(), 2));
  }

  static Path tiny() throws URISyntaxException {
    return Path.of(TokenizerTest.class.getResource("/tokenizers/tiny-xlm-roberta.json").toURI());
  }
}
