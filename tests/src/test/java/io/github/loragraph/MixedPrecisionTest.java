package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.check.Oracle;
import io.github.loragraph.check.OrtRun;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.LoraInjector;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.models.ReferenceArchitecture;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.GraphOptions;
import io.github.loragraph.training.LossScaling;
import io.github.loragraph.training.Precision;
import io.github.loragraph.training.StepGraph;
import io.github.loragraph.training.TrainingGraph;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Training graphs with products in 16 bits: what they are made of, and how far their numbers are
 * from those in FLOAT.
 *
 * <p>ONNX Runtime has no bfloat16 products on the CPU, so there they are computed in FLOAT between
 * casts, which rounds at the same places. An entry of a tensor goes through some two dozen products
 * there and back, each of which rounds relative to the largest entries that it adds up: errors of
 * independent signs add up to about five units of roundoff of the tensor's largest entry; 16 are
 * allowed in gradients, 4 in logits.
 */
class MixedPrecisionTest {
  private static final Sessions SESSIONS = new Sessions(OrtRuntime.ofThisProcess(), 2);
  private static final float SCALE = 65536;
  private static final double GRADIENTS = 16;
  private static final double LOGITS = 4;
  private static final Set<String> MOVERS =
      Set.of(
          "Concat",
          "Flatten",
          "Identity",
          "Reshape",
          "Slice",
          "Split",
          "Squeeze",
          "Transpose",
          "Unsqueeze");

  static List<String> fixtures() {
    return List.of("tiny-roberta", "tiny-bert");
  }

  private static double roundoff(Precision precision) {
    return precision == Precision.FP16 ? 0x1p-11 : 0x1p-8;
  }

  private static TrainingGraph build(OnnxModel model, Method method, Precision precision) {
    return TrainingGraph.build(
        model,
        TrainableSelection.of(method).values(model),
        CrossEntropyLoss.plain(),
        GraphOptions.PLAIN.withPrecision(precision),
        new SessionShapeInference(OrtRuntime.ofThisProcess()));
  }

  static OnnxModel injected(Oracle oracle) {
    OnnxModel model =
        LoraInjector.inject(
            oracle.model(),
            new InjectionOptions(
                Pattern.compile(oracle.get("/lora/regex").asText()),
                (int) oracle.number("/lora/r"),
                oracle.number("/lora/alpha"),
                InjectionOptions.DEFAULT_HEAD,
                0));
    oracle.adapters().forEach(model.graph()::putInitializer);
    return model;
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void numbersAreCloseToThoseInFloat(String fixture) {
    Oracle oracle = Oracle.of(fixture);
    OnnxModel model = injected(oracle);
    List<HostTensor> batch = batch(oracle);
    for (Method method : List.of(Method.LORA, Method.FULL)) {
      Map<String, float[]> expected = run(build(model, method, Precision.FP32), batch);
      for (Precision precision : List.of(Precision.FP16, Precision.BF16)) {
        double unit = roundoff(precision);
        Map<String, float[]> actual = run(build(model, method, precision), batch);
        assertEquals(oracle.number("/loss_lora"), actual.get("loss")[0], LOGITS * unit);
        double[] logits = oracle.numbers("/logits_lora");
        float[] largest = expected.get("logits");
        for (int i = 0; i < logits.length; i++) {
          assertEquals(
              logits[i], actual.get("logits")[i], LOGITS * unit * largest(largest), "logits");
        }
        double overall = expected.values().stream().mapToDouble(v -> largest(v)).max().orElse(0);
        for (Map.Entry<String, float[]> e : expected.entrySet()) {
          // The gradient of a key's bias is nothing but what rounding leaves.
          double scale = Math.max(largest(e.getValue()), overall * 0x1p-8);
          assertArrayEquals(
              e.getValue(),
              actual.get(e.getKey()),
              (float) (GRADIENTS * unit * scale),
              () -> "%s, %s: %s".formatted(precision, method, e.getKey()));
        }
      }
    }
  }

  private static double largest(float[] values) {
    double largest = 0;
    for (float value : values) {
      largest = Math.max(largest, Math.abs(value));
    }
    return largest;
  }

  private static List<HostTensor> batch(Oracle oracle) {
    List<HostTensor> batch = new ArrayList<>(oracle.inputs());
    batch.add(oracle.labels());
    return batch;
  }

  /** The loss, the logits and the gradients without their scale, by the trained values. */
  private static Map<String, float[]> run(TrainingGraph training, List<HostTensor> batch) {
    Graph graph = onTheCpu(training.model().graph());
    training
        .gradients()
        .forEach(
            (value, gradient) -> {
              if (!graph.isOutput(gradient)) {
                graph.addOutput(ValueInfo.of(gradient, new TensorType(ElementType.FLOAT, null)));
              }
              graph.removeInput(value);
              graph.putInitializer(training.initialValues().get(value));
            });
    List<HostTensor> inputs = new ArrayList<>(batch);
    boolean scaled = graph.isInput(LossScaling.SCALE);
    if (scaled) {
      inputs.add(Gradients.floats(LossScaling.SCALE, new float[] {SCALE}));
    }
    Map<String, float[]> outputs =
        OrtRun.run(training.model().withGraph(graph), inputs, SESSIONS.withoutOptimization());
    Map<String, float[]> result = new LinkedHashMap<>();
    result.put("loss", outputs.get(training.loss()));
    result.put("logits", outputs.get(training.logits()));
    training
        .gradients()
        .forEach(
            (value, gradient) -> {
              float[] values = outputs.get(gradient).clone();
              for (int i = 0; scaled && i < values.length; i++) {
                values[i] /= SCALE;
              }
              result.put(value, values);
            });
    return result;
  }

  /** With bfloat16 products computed in FLOAT, out of rounded factors, and rounded. */
  private static Graph onTheCpu(Graph graph) {
    Map<String, ElementType> types = types(graph);
    Graph copy = graph.copy();
    for (Node node : List.copyOf(copy.nodes())) {
      if (!isProduct(node) || types.get(node.output(0)) != ElementType.BFLOAT16) {
        continue;
      }
      List<String> inputs = new ArrayList<>();
      for (String input : node.inputs()) {
        String wide = copy.freshName(input + "_wide");
        copy.insertBefore(node, cast(input, wide, ElementType.FLOAT));
        inputs.add(wide);
      }
      String wide = copy.freshName(node.output(0) + "_wide");
      Node product = node.withInputs(inputs).withOutput(0, wide);
      copy.replace(node, product);
      copy.insertAfter(product, cast(wide, node.output(0), ElementType.BFLOAT16));
    }
    return copy;
  }

  private static Node cast(String from, String to, ElementType type) {
    return Node.of(to + "/Cast", "Cast", List.of(from), List.of(to)).with("to", type.code());
  }

  private static boolean isProduct(Node node) {
    return node.is("Gemm") || node.is("MatMul");
  }

  /** The types of 16 bits, FLOAT where a cast says so, nothing for other values. */
  private static Map<String, ElementType> types(Graph graph) {
    Map<String, ElementType> types = new HashMap<>();
    graph.initializers().values().forEach(t -> types.put(t.name(), t.elementType()));
    graph.inputs().forEach(v -> types.put(v.name(), v.type().elementType()));
    for (Node node : graph.nodes()) {
      ElementType type = null;
      if (node.is("Cast")) {
        type = ElementType.of((int) node.attribute("to", 0L));
      } else if (isProduct(node) || MOVERS.contains(node.opType())) {
        type = types.get(node.input(0));
      }
      for (String output : node.outputs()) {
        types.put(output, type);
      }
    }
    return types;
  }

  @ParameterizedTest
  @EnumSource(names = {"FP16", "BF16"})
  void everyProductIsInSixteenBitsAndNothingElse(Precision precision) {
    List<OnnxModel> models = new ArrayList<>();
    fixtures().forEach(fixture -> models.add(injected(Oracle.of(fixture))));
    models.add(
        LoraInjector.inject(
            new ReferenceArchitecture(48, 12, 12, 96, 100, 40, 2).model(0),
            new InjectionOptions(
                Pattern.compile("query|output"), 4, 4, InjectionOptions.DEFAULT_HEAD, 0)));
    for (OnnxModel model : models) {
      for (Method method : Method.values()) {
        TrainingGraph training = build(model, method, precision);
        checkStructure(training, precision.elementType());
        assertEquals(precision.scalesLoss(), training.model().graph().isInput(LossScaling.SCALE));
      }
    }
  }

  private static void checkStructure(TrainingGraph training, ElementType half) {
    Graph graph = training.model().graph();
    Map<String, ElementType> types = types(graph);
    Set<String> known = new HashSet<>(graph.initializers().keySet());
    graph.inputs().forEach(v -> known.add(v.name()));
    Set<String> castValues = new HashSet<>();
    int products = 0;
    for (Node node : graph.nodes()) {
      assertTrue(known.containsAll(node.reads()), () -> node + " reads what is not there yet");
      known.addAll(node.outputs());
      if (isProduct(node)) {
        products++;
        for (String input : node.inputs()) {
          assertEquals(half, types.get(input), () -> node + " reads " + input);
        }
        continue;
      }
      boolean mayReadHalf = MOVERS.contains(node.opType()) || node.is("Shape") || node.is("Cast");
      for (String input : node.reads()) {
        assertTrue(mayReadHalf || types.get(input) != half, () -> node + " reads " + input);
      }
      if (node.is("Cast") && (types.get(node.output(0)) == half || fromHalf(node, types, half))) {
        String input = node.input(0);
        assertTrue(castValues.add(input), () -> input + " is cast twice");
        assertNull(graph.initializer(input), () -> input + " could have been stored so");
        Node producer = graph.producer(input);
        boolean twice = producer != null && producer.is("Cast");
        assertFalse(twice && fromHalf(node, types, half), () -> node + " casts back");
        assertFalse(twice && fromHalf(producer, types, half), () -> node + " casts back and forth");
      }
    }
    assertTrue(products > 20, "products " + products);
    // What is frozen and multiplied is there once.
    for (Tensor tensor : graph.initializers().values()) {
      if (tensor.elementType() == half) {
        String original = tensor.name().replaceFirst("_half$", "");
        assertNotEquals(original, tensor.name());
        assertNull(graph.initializer(original), original);
      }
    }
    for (Map.Entry<String, String> e : training.gradients().entrySet()) {
      assertNotEquals(half, types.get(e.getValue()), e::getKey);
      assertEquals(ElementType.FLOAT, training.initialValues().get(e.getKey()).elementType());
    }
  }

  private static boolean fromHalf(Node cast, Map<String, ElementType> types, ElementType half) {
    return types.get(cast.input(0)) == half;
  }

  /** With the same options there is the same file, and with fp32 nothing of all this in it. */
  @ParameterizedTest
  @MethodSource("fixtures")
  void inFloatNothingChanges(String fixture) {
    OnnxModel model = injected(Oracle.of(fixture));
    TrainingGraph plain =
        TrainingGraph.build(
            model,
            TrainableSelection.of(Method.LORA).values(model),
            CrossEntropyLoss.plain(),
            new SessionShapeInference(OrtRuntime.ofThisProcess()));
    TrainingGraph fp32 = build(model, Method.LORA, Precision.FP32);
    assertArrayEquals(bytes(plain), bytes(fp32));
    Graph step = StepGraph.of(fp32, AdamW.defaults(), 1).model().graph();
    assertFalse(step.isInput(LossScaling.SCALE));
    assertTrue(
        step.initializers().values().stream()
            .noneMatch(t -> t.elementType() == ElementType.FLOAT16));
  }

  private static byte[] bytes(TrainingGraph training) {
    return OnnxFile.serialize(StepGraph.of(training, AdamW.defaults(), 1).model(), tensor -> false);
  }

  /** A table that is looked up and multiplied, and a residual that a product adds. */
  @Test
  void whatIsReadInBothTypesIsThereInBoth() {
    TrainingGraph training = residual(0.75f, Precision.FP16);
    Graph graph = training.model().graph();
    assertEquals(ElementType.FLOAT, graph.initializer("table").elementType());
    assertEquals(ElementType.FLOAT16, graph.initializer("table_half").elementType());
    Node sum = graph.producer(training.logits());
    assertEquals("Add", sum.opType());
    assertEquals("Cast", graph.producer(sum.input(0)).opType());
    assertEquals(2, graph.producer(graph.producer(sum.input(0)).input(0)).inputs().size());
    List<HostTensor> batch =
        List.of(
            Gradients.longs("ids", new long[] {0, 3, 1, 2}, 4),
            Gradients.longs("labels", new long[] {0, 3, 1, 1}, 4));
    Map<String, float[]> expected = run(residual(0.75f, Precision.FP32), batch);
    Map<String, float[]> actual = run(training, batch);
    for (Map.Entry<String, float[]> e : expected.entrySet()) {
      float tolerance = (float) (LOGITS * 0x1p-11 * largest(e.getValue()));
      assertArrayEquals(e.getValue(), actual.get(e.getKey()), tolerance, e.getKey());
    }
  }

  /** logits = (table[ids] w) table' + 0.5 table[ids] */
  private static TrainingGraph residual(float largest, Precision precision) {
    Graph graph = new Graph();
    graph.addInput(ValueInfo.of("ids", TensorType.of(ElementType.INT64, -1)));
    float[] table = new float[16];
    float[] w = new float[16];
    for (int i = 0; i < 16; i++) {
      table[i] = (float) Math.sin(i + 1);
      w[i] = (float) Math.cos(i);
    }
    table[5] = largest;
    graph.putInitializer(Tensor.ofFloats("table", table, 4, 4));
    graph.putInitializer(Tensor.ofFloats("w", w, 4, 4));
    GraphBuilder b = new GraphBuilder(graph, "/model");
    String rows = b.gather("table", "ids", 0);
    String hidden = b.gemm(rows, false, "w", false, "", 1);
    String logits =
        b.op("Gemm", n -> n.with("transB", 1).with("beta", 0.5f), hidden, "table", rows);
    graph.addOutput(ValueInfo.of(logits, TensorType.of(ElementType.FLOAT, -1, 4)));
    return TrainingGraph.build(
        OnnxModel.of("residual", graph, 9, GraphBuilder.OPSET),
        Set.of("w"),
        CrossEntropyLoss.plain(),
        GraphOptions.PLAIN.withPrecision(precision),
        new SessionShapeInference(OrtRuntime.ofThisProcess()));
  }

  @Test
  void aWeightThatIsTooLargeIsRefused() {
    LoraGraphException refusal =
        assertThrows(LoraGraphException.class, () -> residual(65520, Precision.FP16));
    assertTrue(refusal.getMessage().contains("'table'"), refusal::getMessage);
    assertTrue(refusal.getMessage().contains("precision bf16"), refusal::getMessage);
    assertNotNull(residual(65519, Precision.FP16));
    assertNotNull(residual(65520, Precision.BF16));
  }

  /** Heads are split and joined in 16 bits; what FLOAT is wanted of is cast, once. */
  @Test
  void entriesAreMovedInSixteenBits() {
    Graph graph = new Graph();
    graph.addInput(ValueInfo.of("x", TensorType.of(ElementType.FLOAT, -1, 4)));
    graph.putInitializer(Tensor.ofFloats("w", new float[16], 4, 4));
    GraphBuilder b = new GraphBuilder(graph, "/model");
    String y = b.matMul("x", "w");
    List<String> parts = b.ops("Split", 2, n -> n.with("axis", 1).with("num_outputs", 2), y);
    String joined = b.concat(1, parts.get(1), parts.get(0));
    String mixed = b.concat(1, parts.get(0), b.op("Tanh", parts.get(1)));
    String logits = b.add(b.matMul(joined, "w"), b.matMul(mixed, "w"));
    graph.addOutput(ValueInfo.of(logits, TensorType.of(ElementType.FLOAT, -1, 4)));
    TrainingGraph training =
        TrainingGraph.build(
            OnnxModel.of("moves", graph, 9, GraphBuilder.OPSET),
            Set.of("w"),
            CrossEntropyLoss.plain(),
            GraphOptions.PLAIN.withPrecision(Precision.FP16),
            new SessionShapeInference(OrtRuntime.ofThisProcess()));
    Graph half = training.model().graph();
    Map<String, ElementType> types = types(half);
    assertEquals("x", half.producer("x_half").input(0));
    for (Node node : half.nodes()) {
      if (node.name().matches("/model/(Concat|Split)(_\\d+)?")) {
        assertEquals(ElementType.FLOAT16, types.get(node.output(0)), node::name);
      }
    }
    Node tanh = half.nodes().stream().filter(n -> n.is("Tanh")).findFirst().orElseThrow();
    assertEquals(ElementType.FLOAT, types.get(tanh.input(0)));
    assertEquals("Split", half.producer(half.producer(tanh.input(0)).input(0)).opType());
    new SessionShapeInference(OrtRuntime.ofThisProcess()).infer(training.model());
  }

  @Test
  void modelsThatItDoesNothingForAreRefused() {
    Graph graph = new Graph();
    graph.addInput(ValueInfo.of("x", TensorType.of(ElementType.FLOAT, -1, 2)));
    graph.putInitializer(Tensor.ofFloats("w", new float[] {1, 2}, 2));
    GraphBuilder b = new GraphBuilder(graph, "/model");
    graph.addOutput(ValueInfo.of(b.mul("x", "w"), TensorType.of(ElementType.FLOAT, -1, 2)));
    LoraGraphException refusal =
        assertThrows(
            LoraGraphException.class,
            () ->
                TrainingGraph.build(
                    OnnxModel.of("scale", graph, 9, GraphBuilder.OPSET),
                    Set.of("w"),
                    CrossEntropyLoss.plain(),
                    GraphOptions.PLAIN.withPrecision(Precision.BF16),
                    new SessionShapeInference(OrtRuntime.ofThisProcess())));
    assertTrue(refusal.getMessage().contains("precision bf16"), refusal::getMessage);
  }
}
