package io.github.loragraph.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.fixtures.Fixtures;
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

  private static final String WORD_PIECE =
      """
      {"version": "1.0", "truncation": null, "padding": null,
       "added_tokens": [
        {"id": 0, "content": "[PAD]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
        {"id": 1, "content": "[UNK]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
       "normalizer": {"type": "Sequence", "normalizers": [
         {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
         {"type": "Replace", "pattern": {"String": "``"}, "content": "\\""},
         {"type": "Prepend", "prepend": "_"}, {"type": "Strip", "strip_left": true, "strip_right": true}]},
       "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
         {"type": "BertPreTokenizer"}, {"type": "Digits", "individual_digits": true},
         {"type": "Split", "pattern": {"Regex": "[a-c]+"}, "behavior": "Isolated", "invert": false}]},
       "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
       "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
       "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
        "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "a": 4, "##a": 5, "b": 6, "the": 7}}}
      """;

  private static final String UNIGRAM =
      """
      {"version": "1.0", "truncation": {"direction": "Left", "max_length": 4, "strategy": "LongestFirst", "stride": 0},
       "padding": {"strategy": "BatchLongest", "direction": "Left", "pad_to_multiple_of": 8, "pad_id": 1, "pad_type_id": 0, "pad_token": "<pad>"},
       "added_tokens": [
        {"id": 9, "content": "<mask>", "single_word": false, "lstrip": true, "rstrip": false, "normalized": false, "special": true}],
       "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Nmt"}, {"type": "Lowercase"}]},
       "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": true},
       "post_processor": {"type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}},
       "decoder": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": true},
       "model": {"type": "Unigram", "unk_id": 2, "byte_fallback": false,
        "vocab": [["<s>", 0.0], ["<pad>", 0.0], ["<unk>", 0.0], ["\u2581", -2.0], ["a", -3.0], ["th", -3.5], ["\u2581the", -4.5], ["e", -2.5]]}}
      """;

  private static final String WORD_LEVEL =
      """
      {"version": "1.0", "added_tokens": [], "normalizer": null,
       "pre_tokenizer": {"type": "Whitespace"},
       "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0], "trim_offsets": true, "add_prefix_space": false},
       "decoder": null,
       "model": {"type": "WordLevel", "unk_token": "<unk>", "vocab": {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}}}
      """;

  /** Each ended the process, or was an internal error, when it was read or met an unknown word. */
  @Test
  void whatNativeCodeCannotBearIsRefusedBefore() throws Exception {
    refused(
        WORD_PIECE.replace("\"unk_token\": \"[UNK]\"", "\"unk_token\": \"[unknown]\""),
        "unk_token '[unknown]'");
    refused(
        WORD_PIECE.replace("\"unk_token\": \"[UNK]\", ", "").replace("\"[UNK]\": 1, ", ""),
        "unk_token '[UNK]'");
    refused(WORD_LEVEL.replace("\"<unk>\": 3, ", ""), "unk_token '<unk>'");
    refused(UNIGRAM.replace("\"unk_id\": 2", "\"unk_id\": 8"), "unk_id 8");
    refused(UNIGRAM.replace("\"unk_id\": 2", "\"unk_id\": -1"), "unk_id -1");
    refused(WORD_LEVEL.replace("\"a\": 4", "\"a\": 2147483648"), "the id of 'a' is 2147483648");
    refused(WORD_LEVEL.replace("\"a\": 4", "\"a\": -4"), "the id of 'a' is -4");
    refused(WORD_LEVEL.replace("\"a\": 4", "\"a\": 4, \"a\": 5"), "Duplicate");
    refused(
        WORD_PIECE.replace("{\"id\": 1,", "{\"id\": 4294967296,"),
        "added token \"[UNK]\" is 4294967296");
    refused(UNIGRAM.replace("\"pad_id\": 1", "\"pad_id\": -1"), "pad_id is -1");
    refused(UNIGRAM.replaceFirst("\\[\\[\"<s>.*\\]\\]", "[]"), "no vocabulary");
    refused(WORD_PIECE.replace("\"``\"", "\"\""), "empty pattern");
    String bpe = Files.readString(tiny());
    ObjectMapper json = new ObjectMapper();
    ObjectNode root = (ObjectNode) json.readTree(bpe);
    ((ObjectNode) root.get("model")).withArray("merges").insertArray(0).add("zz").add("a");
    refused(root.toString(), "'zz'");
    refused("{\"a\":".repeat(5000), "depth");
    refused(
        UNIGRAM.replace("\"special_tokens\": {\"<s>\"", "\"special_tokens\": {\"<x>\""), "'<s>'");
    refused(WORD_PIECE.replace("\"prepend\": \"_\"", "\"prepend\": \"\""), "prepends nothing");
    refused("[".repeat(90) + "]".repeat(90), "no \"model\"");
  }

  private void refused(String content, String words) throws Exception {
    Path file = Files.writeString(folder.resolve("tokenizer.json"), content);
    LoraGraphException e =
        assertThrows(LoraGraphException.class, () -> Tokenizer.read(file, 64), words);
    assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
    assertTrue(e.getMessage().contains(words), e.getMessage());
    assertEquals(1, e.getMessage().lines().count());
  }

  @Test
  void anUnknownCharacterThatNothingStandsForIsOneLine() throws Exception {
    String content = UNIGRAM.replace("\"unk_id\": 2", "\"unk_id\": null");
    Path file = Files.writeString(folder.resolve("tokenizer.json"), content);
    try (Tokenizer tokenizer = Tokenizer.read(file, 64)) {
      LoraGraphException e =
          assertThrows(LoraGraphException.class, () -> tokenizer.encode(List.of("z"), null));
      assertTrue(e.getMessage().startsWith(file + " cannot encode 'z': "), e.getMessage());
    }
  }

  @Test
  void noDamageEndsTheProcess() throws Exception {
    List<String> command =
        new java.util.ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                TokenizerFuzz.class.getName(),
                folder.toString(),
                "500",
                "7"));
    command.add(tiny().toString());
    for (String content : List.of(WORD_PIECE, UNIGRAM, WORD_LEVEL)) {
      Path base = folder.resolve("base" + command.size() + ".json");
      command.add(Files.writeString(base, content).toString());
    }
    Path out = folder.resolve("out");
    Process child =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(out.toFile()).start();
    int exit = child.waitFor();
    String said = Files.readString(out);
    assertEquals(0, exit, said.substring(Math.max(0, said.length() - 3000)));
    // Not so damaged that none could be used.
    int used = Integer.parseInt(said.strip().replaceAll("(?s).*used ", ""));
    assertTrue(used > 50, said);
  }

  /**
   * As transformers' fast tokenizers: the shorter one stays while the longer one has more tokens;
   * when both are cut, each has half, and the odd token goes to the one that was longer, to the
   * second where both were as long.
   */
  @Test
  void pairsAreCutLongestFirst() throws Exception {
    assertCut(10, 8, 8, 3, 3);
    assertCut(11, 8, 8, 3, 4);
    assertCut(11, 9, 8, 4, 3);
    assertCut(11, 8, 9, 3, 4);
    assertCut(12, 2, 20, 2, 6);
    assertCut(12, 20, 2, 6, 2);
    assertCut(12, 4, 4, 4, 4);
    assertCut(12, 4, 5, 4, 4);
    assertCut(12, 20, 20, 4, 4);
    assertCut(5, 20, 20, 0, 1);
    for (int max = 5; max < 16; max++) {
      try (Tokenizer tokenizer = Tokenizer.read(tiny(), max)) {
        for (int first = 1; first < 14; first++) {
          for (int second = 1; second < 14; second++) {
            int[] kept = oneByOne(first, second, max - 4);
            assertCut(tokenizer, max, first, second, kept[0], kept[1]);
          }
        }
      }
    }
  }

  /**
   * Tokens taken away one by one from the longer text. Of equally long ones the second loses the
   * first token where it was the shorter one at the beginning.
   */
  private static int[] oneByOne(int first, int second, int room) {
    int a = first;
    int b = second;
    while (a + b > room) {
      if (a > b || a == b && first <= second) {
        a--;
      } else {
        b--;
      }
    }
    return new int[] {a, b};
  }

  private static void assertCut(int max, int first, int second, int a, int b) throws Exception {
    try (Tokenizer tokenizer = Tokenizer.read(tiny(), max)) {
      assertCut(tokenizer, max, first, second, a, b);
    }
  }

  private static void assertCut(Tokenizer tokenizer, int max, int first, int second, int a, int b) {
    Tokenizer.Tokens tokens =
        tokenizer
            .encode(List.of("a ".repeat(first).strip()), List.of("a ".repeat(second).strip()))
            .get(0);
    List<Integer> expected = new java.util.ArrayList<>(List.of(0));
    expected.addAll(Collections.nCopies(a, 31));
    expected.addAll(List.of(2, 2));
    expected.addAll(Collections.nCopies(b, 31));
    expected.add(2);
    String where = "%d and %d at %d".formatted(first, second, max);
    assertArrayEquals(expected.stream().mapToInt(Integer::intValue).toArray(), tokens.ids(), where);
    assertEquals(first + second + 4 > max, tokens.cut(), where);
  }

  @Test
  void noRoomBesideTheSpecialTokens() throws Exception {
    try (Tokenizer tokenizer = Tokenizer.read(tiny(), 3)) {
      assertEquals(3, tokenizer.encode(List.of("a a"), null).get(0).ids().length);
      LoraGraphException e =
          assertThrows(
              LoraGraphException.class, () -> tokenizer.encode(List.of("a"), List.of("a")));
      assertTrue(e.getMessage().contains("leaves no room"), e.getMessage());
    }
  }

  static Path tiny() {
    return Fixtures.file("tiny-xlm-roberta/tokenizer.json");
  }
}
