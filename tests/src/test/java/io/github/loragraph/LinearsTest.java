package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.check.Oracle;
import io.github.loragraph.fixtures.Fixtures;
import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.Linear;
import io.github.loragraph.lora.LinearFinder;
import io.github.loragraph.lora.LoraInjector;
import io.github.loragraph.lora.LoraRemover;
import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.lora.WeightLayout;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the matcher must find in the fixtures, and that removal undoes injection. */
class LinearsTest {
  static List<String> fixtures() {
    return Oracle.FIXTURES;
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void everyLinearIsFoundWhereItIs(String fixture) throws IOException {
    JsonNode expected =
        new ObjectMapper().readTree(Fixtures.file(fixture + "/linears.json").toFile());
    Map<String, Linear> found = new HashMap<>();
    for (Linear linear : LinearFinder.find(Oracle.of(fixture).model().graph())) {
      found.put(linear.path(), linear);
    }
    assertEquals(expected.size(), found.size());
    for (JsonNode e : expected) {
      String path = e.get("path").asText();
      Linear linear = found.get(path);
      Linear.Site site = linear.sites().get(0);
      assertEquals(e.get("in_features").asLong(), linear.in(), path);
      assertEquals(e.get("out_features").asLong(), linear.out(), path);
      assertEquals(e.get("op").asText(), linear.op(), path);
      assertEquals(e.get("weight_initializer").asText(), linear.weight(), path);
      assertEquals(
          e.get("weight_layout").asText().equals("in_out")
              ? WeightLayout.IN_OUT
              : WeightLayout.OUT_IN,
          linear.layout(),
          path);
      assertEquals(e.get("node").asText(), site.node().name(), path);
      assertEquals(
          text(e.get("weight_transpose_node")),
          site.transpose() == null ? null : site.transpose().name(),
          path);
      assertEquals(text(e.get("add_node")), site.add() == null ? null : site.add().name(), path);
      assertEquals(e.get("input_tensor").asText(), site.input(), path);
      assertEquals(e.get("output_tensor").asText(), site.output(), path);
      assertEquals(1, linear.sites().size(), path);
    }
  }

  private static String text(JsonNode node) {
    return node == null || node.isNull() ? null : node.asText();
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void parametersHaveTheNamesThatPyTorchGives(String fixture) {
    Oracle oracle = Oracle.of(fixture);
    List<String> names =
        Parameters.of(oracle.model()).stream().map(Parameter::name).sorted().toList();
    assertEquals(oracle.tensors("/grads_full").keySet().stream().sorted().toList(), names);
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void removalUndoesInjectionByteForByte(String fixture) {
    OnnxModel model = Oracle.of(fixture).model();
    OnnxModel injected =
        LoraInjector.inject(
            model,
            new InjectionOptions(
                Pattern.compile("query|output|intermediate"),
                4,
                8,
                InjectionOptions.DEFAULT_HEAD,
                3));
    assertTrue(
        Arrays.equals(
            OnnxFile.serialize(model, t -> false),
            OnnxFile.serialize(LoraRemover.remove(injected), t -> false)));
  }

  @Test
  void sharedTensorsCountAsPyTorchCountsThem() {
    OnnxModel model = OnnxFile.read(Fixtures.file("tiny-xlm-roberta/model.onnx"));
    List<Parameter> parameters = Parameters.of(model);
    // PyTorch's model has 20 more vectors than the file: 19 of 32 and one of 64 are kept once.
    assertEquals(22_849 + 19 * 32 + 64, parameters.stream().mapToLong(Parameter::count).sum());
    Map<String, Long> stored = new HashMap<>();
    parameters.forEach(p -> stored.put(p.initializer(), p.count()));
    assertEquals(22_849, stored.values().stream().mapToLong(Long::longValue).sum());
  }

  /** PyTorch's exporter numbers the calls: {@code query_1} is the second one of {@code query}. */
  @ParameterizedTest
  @ValueSource(strings = {"albert-11-folded", "albert-17"})
  void aLayerThatIsCalledTwiceIsOneLinear(String file) {
    String layer = "albert.encoder.layer.";
    Map<String, Integer> calls = new HashMap<>();
    for (Linear linear : LinearFinder.find(new Export(file).model().graph())) {
      calls.put(linear.path(), linear.sites().size());
    }
    Map<String, Integer> expected = new HashMap<>();
    for (String path : List.of("query", "key", "value", "dense")) {
      expected.put(layer + "attention." + path, 2);
    }
    expected.put(layer + "ffn", 2);
    expected.put(layer + "ffn_output", 2);
    expected.put("albert.encoder.embedding_hidden_mapping_in", 1);
    expected.put("albert.pooler", 1);
    expected.put("classifier", 1);
    assertEquals(expected, calls);
  }
}
