package io.github.loragraph.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.LoraInjector;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.lora.LoraRanks;
import io.github.loragraph.lora.LoraVariant;
import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.lora.TargetModules;
import io.github.loragraph.lora.TargetSelection;
import io.github.loragraph.onnx.OnnxModel;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class ReferenceArchitectureTest {
  private static JsonNode structure() throws IOException {
    try (InputStream in =
        ReferenceArchitectureTest.class.getResourceAsStream("/roberta-base-structure.json")) {
      return new ObjectMapper().readTree(in);
    }
  }

  @Test
  void robertaBaseHasTheRealOnesParametersAndAdapters() throws IOException {
    JsonNode structure = structure();
    OnnxModel model = ReferenceModel.named("roberta-base").model(0);
    assertEquals(counts(structure.get("parameters")), counts(Parameters.of(model)));
    assertEquals(124_647_170, total(Parameters.of(model)));

    OnnxModel injected =
        LoraInjector.inject(
            model,
            new InjectionOptions(
                Pattern.compile("query|output"), 4, 4, InjectionOptions.DEFAULT_HEAD, 0));
    Set<String> adapted = LoraMetadata.adaptedPaths(injected);
    assertEquals(36, adapted.size());
    assertFalse(adapted.contains("classifier.out_proj"));
    List<Parameter> parameters = Parameters.of(injected);
    assertEquals(124_978_946, total(parameters));
    assertEquals(923_906, total(parameters.stream().filter(Parameter::trainable).toList()));
    Map<String, Long> expected = counts(structure.get("parameters"));
    expected.putAll(counts(structure.get("lora_parameters")));
    assertEquals(expected, counts(parameters));

    OnnxModel ofPeft =
        LoraInjector.inject(
            model,
            new InjectionOptions(
                TargetSelection.of(TargetModules.names(List.of("query", "value"))),
                LoraRanks.of(8, 8),
                LoraVariant.PLAIN,
                InjectionOptions.DEFAULT_HEAD,
                0));
    assertEquals(
        294_912,
        total(
            Parameters.of(ofPeft).stream()
                .filter(p -> LoraMetadata.isAdapterWeight(p.value()))
                .toList()));
  }

  private static long total(List<Parameter> parameters) {
    return parameters.stream().mapToLong(Parameter::count).sum();
  }

  private static Map<String, Long> counts(List<Parameter> parameters) {
    Map<String, Long> counts = new TreeMap<>();
    parameters.forEach(p -> counts.put(p.name(), p.count()));
    return counts;
  }

  private static Map<String, Long> counts(JsonNode parameters) {
    Map<String, Long> counts = new TreeMap<>();
    parameters.forEach(p -> counts.put(p.get("name").asText(), p.get("count").asLong()));
    return counts;
  }
}
