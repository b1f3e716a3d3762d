package io.github.loragraph.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.fixtures.Fixtures;
import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.ValueInfo;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TrainingNormalizerTest {
  private static final long SEED = 20240607;

  @ParameterizedTest
  @CsvSource({
    "tiny-bert, 5",
    "tiny-roberta, 5",
    "tiny-roberta-noconstfold, 5",
    "tiny-roberta-training-export, 5",
    "tiny-roberta-opset17, 0",
    "tiny-xlm-roberta, 5"
  })
  void outputsStayTheSame(String folder, int layerNorms) throws Exception {
    OnnxModel model = OnnxFile.read(fixture(folder));
    Pass.Result form = TrainingNormalizer.of(model, Set.of(), new SessionShapeInference());
    Map<String, Integer> operators = Runs.operators(form.model().model().graph());
    Random random = new Random(SEED);
    for (int[] size : new int[][] {{3, 9}, {1, 1}, {2, 30}, {1, 7}}) {
      Map<String, Tensor> inputs = Runs.tokens(model, random, size[0], size[1]);
      Runs.assertSame(
          Runs.run(model, inputs), Runs.run(form.model().model(), inputs), 1e-6, "seed " + SEED);
    }
    assertEquals(GraphBuilder.OPSET, form.model().model().opset());
    assertEquals(layerNorms, form.recognised().get("LayerNormPattern"));
    assertEquals(5, operators.get("LayerNormalization"));
    assertEquals(2, form.recognised().get("GeluPattern"));
    assertEquals(2, operators.get("Gelu"));
    assertEquals(12, form.recognised().get("LinearAsGemm"));
    boolean folded = !folder.contains("noconstfold") && !folder.contains("training-export");
    assertEquals(folded ? 0 : 12, form.recognised().get(TrainingNormalizer.FOLDED));
    assertTrue(form.recognised().get(TrainingNormalizer.INPUT_ARITHMETIC) > 0);
    assertFalse(operators.containsKey("Constant") || operators.containsKey("Identity"));
    Runs.assertOrdered(form.model().model().graph());
  }

  /** Training mode makes noise; what is left without it is the model that was not so exported. */
  @Test
  void dropoutIsOff() throws Exception {
    OnnxModel model = OnnxFile.read(fixture("tiny-roberta-dropout"));
    OnnxModel plain = OnnxFile.read(fixture("tiny-roberta"));
    Pass.Result form = TrainingNormalizer.of(model, Set.of(), new SessionShapeInference());
    Map<String, Tensor> inputs = Runs.tokens(plain, new Random(SEED), 3, 9);
    Runs.assertSame(
        Runs.run(plain, inputs), Runs.run(form.model().model(), inputs), 1e-6, "seed " + SEED);
    assertEquals(9, form.recognised().get("DropoutRemoval"));
    assertEquals(5, form.recognised().get("LayerNormPattern"));
    assertEquals(2, form.recognised().get("GeluPattern"));
    assertEquals(12, form.recognised().get("LinearAsGemm"));
    assertFalse(Runs.operators(form.model().model().graph()).containsKey("Dropout"));
  }

  /** Adapters that are not zero, beside six of the twelve Linears of the encoder. */
  @ParameterizedTest
  @ValueSource(strings = {"tiny-roberta", "tiny-roberta-noconstfold", "tiny-bert"})
  void adaptersAreProductsWithTheBaseAsSum(String folder) throws Exception {
    OnnxModel model = OnnxFile.read(fixture(folder));
    Graph graph = model.graph().copy();
    Random random = new Random(SEED);
    Set<String> trainable = new HashSet<>();
    for (Node product : model.graph().nodes()) {
      if (product.is("MatMul") && product.name().matches(".*(query|output/dense)/MatMul")) {
        trainable.addAll(adapt(graph, product, random));
      }
    }
    OnnxModel injected = model.withGraph(graph);
    Pass.Result form = TrainingNormalizer.of(injected, trainable, new SessionShapeInference());
    Graph result = form.model().model().graph();
    Map<String, Tensor> inputs = Runs.tokens(model, random, 3, 9);
    Runs.assertSame(
        Runs.run(injected, inputs), Runs.run(form.model().model(), inputs), 1e-6, "seed " + SEED);
    Runs.assertOrdered(result);

    assertEquals(12, trainable.size());
    assertEquals(24, form.recognised().get("LinearAsGemm"));
    assertEquals(6, form.recognised().get("SumInGemm"));
    assertEquals(26, Runs.operators(result).get("Gemm"));
    for (String parameter : trainable) {
      assertNotNull(result.initializer(parameter));
      assertEquals(1, result.consumers(parameter).size());
      assertEquals("Gemm", result.consumers(parameter).get(0).opType());
    }
  }

  /**
   * Puts {@code (x A) * 0.5 B} beside a Linear whose bias is added by the reader of its product.
   */
  private static Set<String> adapt(Graph graph, Node product, Random random) {
    Node bias = graph.consumers(product.output(0)).get(0);
    String path = product.name().substring(1, product.name().lastIndexOf('/')).replace('/', '.');
    String x = product.input(0);
    String y = bias.output(0);
    String base = y + ".base";
    long in =
        path.endsWith("layer.0.output.dense") || path.endsWith("layer.1.output.dense") ? 64 : 32;
    String a = path + ".lora_A";
    String b = path + ".lora_B";
    graph.putInitializer(Runs.normal(a, random, in, 4));
    graph.putInitializer(Runs.normal(b, random, 4, 32));
    graph.putInitializer(Tensor.scalar(path + ".scale", ElementType.FLOAT, 0.5));
    Node added = bias.withOutput(0, base);
    graph.replace(bias, added);
    List<Node> branch =
        List.of(
            Node.of(path + "/A", "MatMul", List.of(x, a), List.of(path + ".u")),
            Node.of(
                path + "/s", "Mul", List.of(path + ".u", path + ".scale"), List.of(path + ".v")),
            Node.of(path + "/B", "MatMul", List.of(path + ".v", b), List.of(path + ".d")),
            Node.of(path + "/Add", "Add", List.of(base, path + ".d"), List.of(y)));
    Node place = added;
    for (Node node : branch) {
      graph.insertAfter(place, node);
      place = node;
    }
    return Set.of(a, b);
  }

  @Test
  void namesThatOthersKnowStay() throws Exception {
    OnnxModel model = OnnxFile.read(fixture("tiny-roberta-training-export"));
    List<Node> before = List.copyOf(model.graph().nodes());
    Set<String> trainable = Set.of("classifier.dense.weight", "roberta.embeddings.LayerNorm.bias");
    Pass.Result form = TrainingNormalizer.of(model, trainable, new SessionShapeInference());
    assertTrue(model.graph().inputs().size() > model.graph().requiredInputs().size());
    assertEquals(
        names(model.graph().requiredInputs()), names(form.model().model().graph().inputs()));
    assertEquals(names(model.graph().outputs()), names(form.model().model().graph().outputs()));
    for (Parameter parameter : Parameters.of(model)) {
      Tensor now = form.model().model().graph().initializer(parameter.initializer());
      assertEquals(model.graph().initializer(now.name()).bytes(), now.bytes(), now.name());
    }
    assertEquals(before, model.graph().nodes());
    assertEquals(14, model.opset());
  }

  private static List<String> names(Collection<ValueInfo> values) {
    return values.stream().map(ValueInfo::name).toList();
  }

  static Path fixture(String folder) {
    return Fixtures.file(folder + "/model.onnx");
  }
}
