package io.github.loragraph.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelConfigTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'max_position_embeddings': 1180591620717411303424",
        "'max_position_embeddings': 2147483648",
        "'max_position_embeddings': 1.5",
        "'max_position_embeddings': -5",
        "'max_position_embeddings': 0",
        "'max_position_embeddings': '512'",
        "'max_position_embeddings': [512]",
        "'max_position_embeddings': true",
        "'max_position_embeddings': 2, 'model_type': 'roberta', 'pad_token_id': 1",
        "'pad_token_id': 'x'",
        "'pad_token_id': -1",
        "'pad_token_id': 0.5",
        "'pad_token_id': 9999999999",
        "'id2label': ['a', 'b']",
        "'id2label': 'a'",
        "'id2label': {'0': 'a', '2': 'b'}",
        "'id2label': {'1': 'a', '2': 'b'}",
        "'id2label': {'0': 'a', '-1': 'b'}",
        "'id2label': {'0': 'a', 'x': 'b', 'y': 'c'}",
        "'id2label': {'0': 'a', '00': 'b'}",
        "'id2label': {'0': 'a', '1': 'a'}",
        "'id2label': {'0': 'a', '0': 'b'}",
        "'id2label': {'0': null, '1': 'b'}",
        "'id2label': {'0': ['a'], '1': 'b'}",
        "'model_type': 5",
        "'problem_type': ['regression']",
        "'pad_token_id': 0, 'pad_token_id': 1"
      })
  void whatNoModelHasIsRefusedByName(String entries) throws IOException {
    Path file = write(entries);
    LoraGraphException e = assertThrows(LoraGraphException.class, () -> ModelConfig.read(file));
    assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
    assertEquals(1, e.getMessage().lines().count(), e.getMessage());
    assertTrue(e.getMessage().length() - file.toString().length() < 300, e.getMessage());
  }

  @Test
  void whatModelsHaveIsTaken() throws IOException {
    ModelConfig config =
        ModelConfig.read(
            write(
                "'max_position_embeddings': 514, 'model_type': 'xlm-roberta', 'pad_token_id': 1,"
                    + " 'id2label': {'1': 'b', '0': 404}, 'problem_type': null"));
    assertEquals(OptionalInt.of(512), config.maxLength());
    assertEquals("404, b", config.labels().orElseThrow().toString());
    assertTrue(config.problemType().isEmpty());
    config = ModelConfig.read(write("'pad_token_id': null, 'id2label': null"));
    assertTrue(config.padTokenId().isEmpty());
    assertTrue(config.labels().isEmpty());
    assertEquals(
        OptionalInt.of(512),
        ModelConfig.read(write("'max_position_embeddings': 512, 'model_type': 'bert'"))
            .maxLength());
  }

  private Path write(String entries) throws IOException {
    return Files.writeString(folder.resolve("config.json"), "{" + entries.replace('\'', '"') + "}");
  }
}
