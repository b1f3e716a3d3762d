package io.github.loragraph.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.models.EmbeddingConfig.Asked;
import io.github.loragraph.training.Pooling;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the files beside a model say of its embeddings, and what comes before them. */
class EmbeddingConfigTest {
  private static final String MODULES =
      """
      [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
       {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
       {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.%s"}]
      """;

  @TempDir Path folder;
  private final List<String> notes = new ArrayList<>();

  @BeforeEach
  void model() throws IOException {
    write("model.onnx", "");
  }

  private void write(String name, String content) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
  }

  private EmbeddingConfig read(Asked asked, Asked run) {
    return EmbeddingConfig.of(ModelFolder.of(folder), asked, run, notes::add);
  }

  private EmbeddingConfig read() {
    return read(Asked.NOTHING, Asked.NOTHING);
  }

  private void bge() throws IOException {
    write("modules.json", MODULES.formatted("Normalize"));
    write(
        "1_Pooling/config.json",
        "{\"word_embedding_dimension\": 384, \"pooling_mode_cls_token\": true,"
            + " \"pooling_mode_mean_tokens\": false, \"pooling_mode_max_tokens\": false,"
            + " \"pooling_mode_mean_sqrt_len_tokens\": false}");
    write("sentence_bert_config.json", "{\"max_seq_length\": 256, \"do_lower_case\": false}");
    write(
        "config_sentence_transformers.json",
        "{\"prompts\": {\"query\": \"query: \", \"passage\": \"passage: \"}}");
  }

  @Test
  void nothingIsGuessed() {
    assertEquals(new EmbeddingConfig(null, null, null, "", ""), read());
    assertEquals(List.of(), notes);
  }

  @Test
  void filesSayIt() throws IOException {
    bge();
    assertEquals(new EmbeddingConfig(Pooling.CLS, true, 256, "query: ", "passage: "), read());
    assertEquals(
        List.of(
            folder.resolve("model.onnx")
                + ": pooling cls, normalized, at most 256 tokens, queries begin with 'query: ',"
                + " documents begin with 'passage: ' (as in modules.json, 1_Pooling/config.json,"
                + " config_sentence_transformers.json, sentence_bert_config.json)"),
        notes);
  }

  @Test
  void whatIsAskedForComesFirstThenTheRun() throws IOException {
    bge();
    assertEquals(
        new EmbeddingConfig(Pooling.MAX, false, 256, "", "d: "),
        read(new Asked(Pooling.MAX, null, "", null), new Asked(Pooling.MEAN, false, "q", "d: ")));
    assertTrue(
        notes.get(0).endsWith("pooling is max, where 1_Pooling/config.json beside it says cls"));
    assertTrue(
        notes.get(1).endsWith("not normalized, where modules.json beside it says otherwise"));
  }

  @ParameterizedTest
  @CsvSource({
    "'{\"pooling_mode\": \"mean\"}', mean",
    "'{\"pooling_mode\": [\"lasttoken\"]}', lasttoken",
    "'{\"pooling_mode_max_tokens\": true, \"pooling_mode\": \"max\"}', max",
    "'{\"pooling_mode_lasttoken\": true}', lasttoken"
  })
  void formsOfPooling(String json, String pooling) throws IOException {
    write("1_Pooling/config.json", json);
    EmbeddingConfig config = read();
    assertEquals(pooling, String.valueOf(config.pooling()));
    assertNull(config.normalize());
  }

  @ParameterizedTest
  @CsvSource({
    "1_Pooling/config.json, '{\"pooling_mode_weightedmean_tokens\": true}', pools by weightedmean_tokens",
    "1_Pooling/config.json, '{\"pooling_mode_mean_sqrt_len_tokens\": true}', pools by mean_sqrt_len",
    "1_Pooling/config.json, '{\"pooling_mode\": \"mean+max\"}', pools by mean and max",
    "1_Pooling/config.json, '{\"pooling_mode_cls_token\": false}', names no pooling",
    "1_Pooling/config.json, '{', is not JSON",
    "1_Pooling/config.json, '[1]', is not what sentence-transformers writes",
    "modules.json, '[{\"type\": \"sentence_transformers.models.Dense\"}]', has a module 'Dense'",
    "sentence_bert_config.json, '{\"max_seq_length\": \"a\"}', 'max_seq_length' is",
    "config_sentence_transformers.json, '{\"prompts\": {\"query\": 1}}', 'prompts.query' is 1"
  })
  void whatCannotBeDoneIsRefusedByName(String file, String json, String words) throws IOException {
    write(file, json);
    String message = assertThrows(LoraGraphException.class, this::read).getMessage();
    assertTrue(message.startsWith(folder.resolve(file).toString()), message);
    assertTrue(message.contains(words), message);
  }

  @Test
  void filesGoWithTheModelUnlessItHasAHead() throws IOException {
    bge();
    ModelFolder source = ModelFolder.of(folder);
    Path copy = folder.resolve("copy");
    source.copyCompanions(copy);
    for (String name : SentenceFiles.NAMES) {
      assertEquals(-1, Files.mismatch(folder.resolve(name), copy.resolve(name)), name);
    }
    assertEquals(
        List.of(
            "1_Pooling",
            "config_sentence_transformers.json",
            "modules.json",
            "sentence_bert_config.json"),
        names(copy));
    source.withoutEmbeddings().copyCompanions(folder.resolve("other"));
    assertFalse(Files.exists(folder.resolve("other/1_Pooling")));
    write("copy/1_Pooling/config.json", "{}");
    assertEquals(List.of("1_Pooling/config.json"), source.differentCompanions(copy));
  }

  private static List<String> names(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void writtenFilesSayTheSame() throws IOException {
    for (var file :
        SentenceFiles.written(Pooling.LASTTOKEN, true, 8, 64, "q: ", "d: ").entrySet()) {
      write(file.getKey(), new String(file.getValue(), StandardCharsets.UTF_8));
    }
    assertEquals(new EmbeddingConfig(Pooling.LASTTOKEN, true, 64, "q: ", "d: "), read());
  }
}
