package io.github.loragraph.sagemaker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class HyperParametersTest {
  @TempDir Path folder;

  private HyperParameters read(Map<String, Object> values) throws IOException {
    Path file = folder.resolve("hyperparameters.json");
    Files.write(file, new ObjectMapper().writeValueAsBytes(values));
    return HyperParameters.read(file);
  }

  static Stream<Arguments> values() {
    return Stream.of(
        Arguments.of("4e-4", "4e-4"),
        Arguments.of("\"4e-4\"", "4e-4"),
        Arguments.of("\"\\\"none\\\"\"", "none"),
        Arguments.of("query|output", "query|output"),
        Arguments.of("\"query|output\"", "query|output"),
        Arguments.of("layer\\.[0-3]\\.", "layer\\.[0-3]\\."),
        Arguments.of("[0-9]", "[0-9]"),
        Arguments.of("[12]\\..*|query", "[12]\\..*|query"),
        Arguments.of("\"a\" b", "\"a\" b"),
        Arguments.of(" true ", true),
        Arguments.of("true", true),
        Arguments.of("\"true\"", true),
        Arguments.of("8", "8"),
        Arguments.of("008", "008"),
        Arguments.of("1e400", "1e400"),
        Arguments.of("0.1446695925631095123456", "0.1446695925631095123456"),
        Arguments.of("[\"a\", \"b\"]", List.of("a", "b")),
        Arguments.of("{}", Map.of()),
        Arguments.of("{\"labels\": \"neg,pos\"}", Map.of("labels", "neg,pos")),
        Arguments.of("{not json", "{not json"),
        Arguments.of("\"", "\""),
        Arguments.of("a b", "a b"));
  }

  @ParameterizedTest
  @MethodSource("values")
  void whatIsWrittenInJsonIsReadAsThatAndAllElseAsItIs(String given, Object meant)
      throws IOException {
    assertEquals(Map.of("x", meant), read(Map.of("x", given)).settings());
    assertEquals(
        given.equals(String.valueOf(meant)) && !(meant instanceof Map),
        HyperparameterJson.isAsItStands(given));
  }

  @Test
  void nullIsNothingAndAnEmptyTextStandsInQuotes() throws IOException {
    assertEquals(Map.of(), read(Map.of("x", "null")).settings());
    assertThrows(LoraGraphException.class, () -> read(Map.of("x", " ")));
    assertEquals(Map.of("x", ""), read(Map.of("x", "\"\"")).settings());
  }

  @Test
  void namesMayHaveUnderscores() throws IOException {
    HyperParameters read = read(Map.of("batch_size", "2", "seed", "\"17\"", "sagemaker_x", "1"));
    assertEquals(Map.of("batch-size", "2"), read.settings());
    assertEquals(17, read.seed());
    assertEquals(List.of("sagemaker_x"), read.ignored());
    LoraGraphException twice =
        assertThrows(
            LoraGraphException.class, () -> read(Map.of("batch_size", "2", "batch-size", "3")));
    assertTrue(twice.getMessage().contains("says the same"), twice.getMessage());
  }

  @Test
  void theArticlesConfigurationsAreMethodsAndLayers() throws IOException {
    assertEquals(Map.of("method", "full"), read(Map.of("sst2-lora-config", "none")).settings());
    assertEquals(Map.of("method", "head"), read(Map.of("sst2-lora-config", "clf_only")).settings());
    assertEquals(
        Map.of("match", "query|key|value|attention.output|intermediate|layer.\\d+.output"),
        read(Map.of("sst2-lora-config", "all")).settings());
    assertEquals(
        Map.of("match", "query|output", "rank", "2", "lr", "4e-4", "lora-dropout", "0.1"),
        read(Map.of(
                "sst2-lora-config", "query|output",
                "sst2-lora-r", 2,
                "sst2-learning-rate", "4e-4",
                "sst2_lora_dropout", "0.1"))
            .settings());
  }

  @Test
  void aJobWithoutTheFileHasNone() {
    assertEquals(Map.of(), HyperParameters.read(folder.resolve("none.json")).settings());
  }
}
