package io.github.loragraph.autodiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ops.Kernels;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.passes.SessionShapeInference;
import io.github.loragraph.passes.TrainingNormalizer;
import io.github.loragraph.passes.TypedModel;
import io.github.loragraph.shape.ShapePropagation;
import io.github.loragraph.shape.ValueTypes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Function;

/**
 * Checks gradients against central differences in double precision. A case is a small forward graph
 * over inputs; its outputs, each weighted with fixed random numbers, are summed to a loss. Every
 * case is checked three times: with all shapes known, with ranks alone, and with element types
 * alone, so that a rule's static and dynamic forms are both run; each in the form of few nodes and
 * in that for a CPU.
 *
 * <p>With a step of 1e-5 the difference itself is off by about 1e-10 (third derivatives) and by
 * rounding of 1e-16 / 1e-5. The tolerance, 1e-7 relative to the largest entry, covers both; a wrong
 * term in a rule is larger by orders of magnitude.
 */
public final class FiniteDifferences {
  private static final double STEP = 1e-5;
  private static final double TOLERANCE = 1e-7;

  /** Ten roundings of single precision. */
  private static final double SINGLE_TOLERANCE = 6e-7;

  /**
   * ONNX Runtime 1.28 fuses Transpose and MatMul to an operator that leaves its output as it finds
   * the memory where the summed axis has size 0, and that multiplies a transposed batch of matrices
   * by a vector as if it were not transposed. Transpose and MatMul themselves are right.
   */
  private static final String WRONG_FUSION = "MatmulTransposeFusion";

  /** Each case is tried with so many of its inputs as constants, one at a time. */
  private static final int MOST_CONSTANTS = 3;

  private static final OrtSession.SessionOptions.OptLevel NO_OPT =
      OrtSession.SessionOptions.OptLevel.NO_OPT;

  private static final OrtEnvironment ENVIRONMENT = OrtEnvironment.getEnvironment();

  /** What is known of shapes before differentiating. */
  private enum Knowledge {
    SHAPES,
    RANKS,
    TYPES
  }

  private final Function<GraphBuilder, List<String>> forward;
  private final Map<String, double[]> inputs = new LinkedHashMap<>();
  private final Map<String, long[]> shapes = new LinkedHashMap<>();
  private final Map<String, Tensor> constants = new LinkedHashMap<>();
  private final List<String> frozen = new ArrayList<>();
  private final List<String> unreached = new ArrayList<>();
  private final long seed = Long.getLong("test.seed", 20260101L);
  private final Random random = new Random(seed);
  private Knowledge least = Knowledge.TYPES;
  private ElementType type = ElementType.DOUBLE;
  private DoubleUnaryOperator reference;
  private Function<GraphBuilder, List<String>> inDoubles;

  private FiniteDifferences(Function<GraphBuilder, List<String>> forward) {
    this.forward = forward;
  }

  /** A case with one output. */
  public static FiniteDifferences of(Function<GraphBuilder, String> forward) {
    return new FiniteDifferences(b -> List.of(forward.apply(b)));
  }

  /** A case with several outputs. */
  public static FiniteDifferences ofAll(Function<GraphBuilder, List<String>> forward) {
    return new FiniteDifferences(forward);
  }

  /** A differentiated input of numbers between -2 and 2. */
  public FiniteDifferences input(String name, long... shape) {
    return input(name, x -> x, shape);
  }

  /** A differentiated input of numbers between 0.5 and 2. */
  public FiniteDifferences positive(String name, long... shape) {
    return input(name, x -> 1.25 + 0.375 * x, shape);
  }

  /** A differentiated input of numbers at least 0.1 away from zero. */
  public FiniteDifferences awayFromZero(String name, long... shape) {
    return input(name, x -> x + Math.signum(x) * 0.1, shape);
  }

  /** A differentiated input whose numbers all are at least 0.05 apart. */
  public FiniteDifferences distinct(String name, long... shape) {
    int count = count(shape);
    List<Double> values = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      values.add(-2 + 0.07 * i);
    }
    Collections.shuffle(values, random);
    inputs.put(name, values.stream().mapToDouble(Double::doubleValue).toArray());
    shapes.put(name, shape);
    return this;
  }

  /** A differentiated input of numbers between -2 and 2, mapped. */
  public FiniteDifferences input(String name, DoubleUnaryOperator map, long... shape) {
    double[] values = new double[count(shape)];
    for (int i = 0; i < values.length; i++) {
      values[i] = map.applyAsDouble(random.nextDouble() * 4 - 2);
    }
    inputs.put(name, values);
    shapes.put(name, shape);
    return this;
  }

  /** An input that no gradient is asked of. */
  public FiniteDifferences frozen(String name, long... shape) {
    frozen.add(name);
    return input(name, shape);
  }

  /** Says that the outputs do not depend on differentiated inputs. */
  public FiniteDifferences unreached(String... names) {
    unreached.addAll(List.of(names));
    return this;
  }

  /** A constant of the graph. */
  public FiniteDifferences constant(String name, Tensor tensor) {
    constants.put(name, tensor.withName(name));
    return this;
  }

  /** An INT64 constant; no dimensions for a scalar. */
  public FiniteDifferences constant(String name, long[] values, long... dims) {
    return constant(name, Tensor.ofLongs(name, values, dims));
  }

  /** For operators that cannot be written without a rank. */
  public FiniteDifferences withRanksKnown() {
    least = Knowledge.RANKS;
    return this;
  }

  /** For operators that the rule covers only where shapes are known. */
  public FiniteDifferences withShapesKnown() {
    least = Knowledge.SHAPES;
    return this;
  }

  /**
   * For elementwise operators of one input that ONNX Runtime computes in single precision only: the
   * differences are those of the same function in Java, in double precision, and the gradient is
   * held to what single precision can give.
   */
  public FiniteDifferences inSinglePrecision(DoubleUnaryOperator function) {
    type = ElementType.FLOAT;
    reference = function;
    return this;
  }

  /**
   * For operators that ONNX Runtime computes in single precision only: the differences are those of
   * another graph, in double precision, that has the same gradients.
   */
  public FiniteDifferences inSinglePrecisionAs(Function<GraphBuilder, List<String>> other) {
    type = ElementType.FLOAT;
    inDoubles = other;
    return this;
  }

  /** Compares all gradients, in every form. */
  public void check() {
    Map<String, double[]> expected = null;
    for (Knowledge knowledge : Knowledge.values()) {
      if (knowledge.compareTo(least) > 0) {
        break;
      }
      for (Kernels kernels : List.of(Kernels.STANDARD, Kernels.CPU)) {
        Case whole = build(knowledge, kernels);
        if (expected == null) {
          expected =
              inDoubles != null
                  ? differencesInDoubles()
                  : reference != null ? referenceDifferences() : differences(whole);
        }
        for (OrtSession.SessionOptions.OptLevel level :
            List.of(NO_OPT, OrtSession.SessionOptions.OptLevel.ALL_OPT)) {
          compare(whole, knowledge, level, expected);
        }
      }
    }
    checkConstants(expected);
  }

  /** In which form a constant stands in a graph. */
  private enum Form {
    INITIALIZER,
    INPUT_WITH_INITIALIZER,
    CONSTANT_NODE
  }

  /**
   * Every operand may be a constant, too: the other gradients stay as they are. Here the graph goes
   * the whole way, through shape inference and the training form.
   */
  private void checkConstants(Map<String, double[]> expected) {
    List<String> names = new ArrayList<>(inputs.keySet());
    Collections.shuffle(names, random);
    for (String name : names.subList(0, Math.min(names.size(), MOST_CONSTANTS))) {
      for (Form form : Form.values()) {
        try {
          checkConstant(name, form, expected);
        } catch (RuntimeException e) {
          throw new AssertionError("%s as %s, seed %d".formatted(name, form, seed), e);
        }
      }
    }
  }

  private void checkConstant(String name, Form form, Map<String, double[]> expected) {
    Graph graph = new Graph();
    Knowledge knowledge = form == Form.CONSTANT_NODE ? Knowledge.RANKS : Knowledge.SHAPES;
    Tensor value = tensor(name);
    shapes.forEach(
        (input, shape) -> {
          if (!input.equals(name)) {
            graph.addInput(ValueInfo.of(input, new TensorType(type, known(shape, knowledge))));
          }
        });
    if (form == Form.CONSTANT_NODE) {
      graph.add(Node.of("/constant", "Constant", List.of(), List.of(name)).with("value", value));
    } else {
      graph.putInitializer(value);
    }
    if (form == Form.INPUT_WITH_INITIALIZER) {
      graph.addInput(ValueInfo.of(name, value.type()));
    }
    constants.values().forEach(graph::putInitializer);
    List<String> outputs = forward.apply(new GraphBuilder(graph, "/forward"));
    OnnxModel model = OnnxModel.of("test", graph, 9, GraphBuilder.OPSET);
    String loss = weightedSum(graph, outputs, run(model, outputs, NO_OPT));
    graph.addOutput(ValueInfo.untyped(loss));
    OnnxModel formed =
        TrainingNormalizer.of(model, Set.of(), new SessionShapeInference()).model().model();
    double tolerance = type == ElementType.DOUBLE ? TOLERANCE : SINGLE_TOLERANCE;
    assertArrayEquals(
        run(model, List.of(loss), NO_OPT).get(loss),
        run(formed, List.of(loss), NO_OPT).get(loss),
        tolerance * 100,
        "loss in the training form");
    List<String> wanted =
        inputs.keySet().stream().filter(n -> !frozen.contains(n) && !n.equals(name)).toList();
    if (!unreached.containsAll(wanted)) {
      ValueTypes types = TypedModel.of(formed, new SessionShapeInference()).types();
      Map<String, String> gradients =
          new Autodiff(Kernels.STANDARD).gradients(formed.graph(), types, loss, wanted);
      checkReached(wanted, gradients);
      compare(new Case(formed, loss, gradients), knowledge, NO_OPT, expected);
    }
  }

  private Tensor tensor(String name) {
    double[] values = inputs.get(name);
    if (type == ElementType.DOUBLE) {
      return Tensor.ofDoubles(name, values, shapes.get(name));
    }
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return Tensor.ofFloats(name, floats, shapes.get(name));
  }

  private record Case(OnnxModel model, String loss, Map<String, String> gradients) {}

  private Case build(Knowledge knowledge, Kernels kernels) {
    Graph graph = new Graph();
    shapes.forEach(
        (name, shape) ->
            graph.addInput(
                ValueInfo.of(
                    name,
                    new TensorType(
                        type,
                        switch (knowledge) {
                          case SHAPES -> Shape.of(shape);
                          case RANKS -> unknownSizes(shape.length);
                          case TYPES -> null;
                        }))));
    constants.values().forEach(graph::putInitializer);
    List<String> outputs = forward.apply(new GraphBuilder(graph, "/forward"));
    OnnxModel model = OnnxModel.of("test", graph, 9, GraphBuilder.OPSET);
    String loss = weightedSum(graph, outputs, run(model, outputs, NO_OPT));
    List<String> wanted = inputs.keySet().stream().filter(n -> !frozen.contains(n)).toList();
    Map<String, String> gradients =
        new Autodiff(kernels)
            .gradients(
                graph,
                new ShapePropagation(Operators.all()).refine(graph, types(graph, model, knowledge)),
                loss,
                wanted);
    checkReached(wanted, gradients);
    refuseOtherDomains(graph);
    return new Case(model, loss, gradients);
  }

  /** All outputs, each number times a weight. */
  private String weightedSum(Graph graph, List<String> outputs, Map<String, double[]> values) {
    GraphBuilder b = new GraphBuilder(graph, "/loss");
    Random weights = new Random(seed + 1);
    String loss = null;
    for (String output : outputs) {
      double[] numbers = weights(values.get(output).length, weights);
      String weight = b.initializer(weightTensor(graph.freshName("weight"), numbers));
      String flat = b.op("Reshape", n -> n.with("allowzero", 1), output, b.longs(numbers.length));
      String sum = b.reduce("ReduceSum", b.mul(flat, weight), "", false);
      loss = loss == null ? sum : b.add(loss, sum);
    }
    return loss;
  }

  private void checkReached(List<String> wanted, Map<String, String> gradients) {
    List<String> reached = new ArrayList<>(wanted);
    reached.removeAll(unreached);
    assertEquals(reached, List.copyOf(gradients.keySet()), "inputs that got a gradient");
  }

  private static double[] weights(int count, Random random) {
    double[] numbers = new double[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (float) (random.nextDouble() * 2 - 1);
    }
    return numbers;
  }

  private Tensor weightTensor(String name, double[] numbers) {
    if (type == ElementType.DOUBLE) {
      return Tensor.ofDoubles(name, numbers, numbers.length);
    }
    float[] floats = new float[numbers.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) numbers[i];
    }
    return Tensor.ofFloats(name, floats, floats.length);
  }

  private Map<String, double[]> referenceDifferences() {
    String name = inputs.keySet().iterator().next();
    double[] values = inputs.get(name);
    double[] weights = weights(values.length, new Random(seed + 1));
    double[] gradient = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      double x = (float) values[i];
      double up = reference.applyAsDouble(x + STEP);
      double down = reference.applyAsDouble(x - STEP);
      gradient[i] = weights[i] * (up - down) / (2 * STEP);
    }
    return Map.of(name, gradient);
  }

  private Map<String, double[]> differencesInDoubles() {
    FiniteDifferences other = new FiniteDifferences(inDoubles);
    other.shapes.putAll(shapes);
    other.frozen.addAll(frozen);
    other.unreached.addAll(unreached);
    other.constants.putAll(constants);
    inputs.forEach(
        (name, values) ->
            other.inputs.put(name, Arrays.stream(values).map(x -> (float) x).toArray()));
    return other.differences(other.build(Knowledge.SHAPES, Kernels.STANDARD));
  }

  private static void refuseOtherDomains(Graph graph) {
    for (Node node : graph.nodes()) {
      assertEquals("", node.domain(), () -> "domain of " + node);
    }
  }

  private static Shape unknownSizes(int rank) {
    long[] sizes = new long[rank];
    Arrays.fill(sizes, -1);
    return Shape.of(sizes);
  }

  /** Element types of all values; shapes, too, as they are in the case's own run. */
  private ValueTypes types(Graph graph, OnnxModel model, Knowledge knowledge) {
    Map<String, TensorType> types = new HashMap<>();
    List<String> all = new ArrayList<>();
    graph.nodes().forEach(n -> n.outputs().stream().filter(o -> !o.isEmpty()).forEach(all::add));
    Graph copy = graph.copy();
    copy.clearOutputs();
    all.forEach(v -> copy.addOutput(ValueInfo.untyped(v)));
    withResult(
        model.withGraph(copy),
        NO_OPT,
        result -> {
          for (Map.Entry<String, OnnxValue> entry : result) {
            var info = ((OnnxTensor) entry.getValue()).getInfo();
            String name = info.onnxType.name().substring("ONNX_TENSOR_ELEMENT_DATA_TYPE_".length());
            types.put(
                entry.getKey(),
                new TensorType(ElementType.valueOf(name), known(info.getShape(), knowledge)));
          }
        });
    shapes.forEach((name, shape) -> types.put(name, new TensorType(type, known(shape, knowledge))));
    graph.initializers().values().forEach(t -> types.put(t.name(), t.type()));
    return new ValueTypes(types);
  }

  private static Shape known(long[] shape, Knowledge knowledge) {
    return switch (knowledge) {
      case SHAPES -> Shape.of(shape);
      case RANKS -> unknownSizes(shape.length);
      case TYPES -> null;
    };
  }

  private Map<String, double[]> differences(Case whole) {
    Map<String, double[]> gradients = new LinkedHashMap<>();
    Graph graph = whole.model().graph().copy();
    graph.clearOutputs();
    graph.addOutput(ValueInfo.untyped(whole.loss()));
    graph.removeDeadNodes();
    OnnxModel model = whole.model().withGraph(graph);
    try (OrtSession session = session(model, NO_OPT)) {
      for (String name : whole.gradients().keySet()) {
        double[] values = inputs.get(name);
        double[] gradient = new double[values.length];
        for (int i = 0; i < values.length; i++) {
          double at = values[i];
          values[i] = at + STEP;
          double up = loss(session, whole.loss());
          values[i] = at - STEP;
          double down = loss(session, whole.loss());
          values[i] = at;
          gradient[i] = (up - down) / (2 * STEP);
        }
        gradients.put(name, gradient);
      }
    } catch (OrtException e) {
      throw new AssertionError(e);
    }
    return gradients;
  }

  private double loss(OrtSession session, String name) throws OrtException {
    Map<String, OnnxTensorLike> feeds = feeds(session);
    try (OrtSession.Result result = session.run(feeds)) {
      return ((OnnxTensor) result.get(name).orElseThrow()).getDoubleBuffer().get(0);
    } finally {
      feeds.values().forEach(OnnxTensorLike::close);
    }
  }

  private void compare(
      Case whole,
      Knowledge knowledge,
      OrtSession.SessionOptions.OptLevel level,
      Map<String, double[]> expected) {
    Graph graph = whole.model().graph().copy();
    graph.clearOutputs();
    whole.gradients().values().stream()
        .distinct()
        .forEach(g -> graph.addOutput(ValueInfo.untyped(g)));
    withResult(
        whole.model().withGraph(graph),
        level,
        result ->
            whole
                .gradients()
                .forEach(
                    (name, gradient) -> {
                      OnnxTensor tensor = (OnnxTensor) result.get(gradient).orElseThrow();
                      String what =
                          "gradient of %s with %s known, %s, seed %d"
                              .formatted(name, knowledge, level, seed);
                      assertArrayEquals(
                          shapes.get(name), tensor.getInfo().getShape(), "shape of the " + what);
                      compare(what, expected.get(name), numbers(tensor));
                    }));
  }

  private void compare(String what, double[] expected, double[] actual) {
    double largest = Math.max(1, Arrays.stream(expected).map(Math::abs).max().orElse(0));
    for (int i = 0; i < expected.length; i++) {
      double difference = Math.abs(expected[i] - actual[i]);
      int at = i;
      assertTrue(
          difference <= (type == ElementType.DOUBLE ? TOLERANCE : SINGLE_TOLERANCE) * largest,
          () -> "%s at %d: expected %s, was %s".formatted(what, at, expected[at], actual[at]));
    }
  }

  private Map<String, double[]> run(
      OnnxModel model, List<String> outputs, OrtSession.SessionOptions.OptLevel level) {
    Graph copy = model.graph().copy();
    outputs.forEach(o -> copy.addOutput(ValueInfo.untyped(o)));
    Map<String, double[]> values = new HashMap<>();
    withResult(
        model.withGraph(copy),
        level,
        result -> {
          for (Map.Entry<String, OnnxValue> entry : result) {
            values.put(entry.getKey(), numbers((OnnxTensor) entry.getValue()));
          }
        });
    return values;
  }

  private static double[] numbers(OnnxTensor tensor) {
    if (tensor.getInfo().type == OnnxJavaType.DOUBLE) {
      DoubleBuffer buffer = tensor.getDoubleBuffer();
      double[] numbers = new double[buffer.remaining()];
      buffer.get(numbers);
      return numbers;
    }
    FloatBuffer buffer = tensor.getFloatBuffer();
    double[] numbers = new double[buffer.remaining()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = buffer.get(i);
    }
    return numbers;
  }

  private interface Use {
    void of(OrtSession.Result result) throws OrtException;
  }

  private void withResult(OnnxModel model, OrtSession.SessionOptions.OptLevel level, Use use) {
    try (OrtSession session = session(model, level)) {
      Map<String, OnnxTensorLike> feeds = feeds(session);
      try (OrtSession.Result result = session.run(feeds)) {
        use.of(result);
      } finally {
        feeds.values().forEach(OnnxTensorLike::close);
      }
    } catch (OrtException e) {
      throw new AssertionError("seed " + seed, e);
    }
  }

  private OrtSession session(OnnxModel model, OrtSession.SessionOptions.OptLevel level)
      throws OrtException {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setOptimizationLevel(level);
      if (isSomethingEmpty() || multipliesByVector(model)) {
        options.addConfigEntry("optimization.disable_specified_optimizers", WRONG_FUSION);
      }
      options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
      options.setIntraOpNumThreads(1);
      return ENVIRONMENT.createSession(OnnxFile.serialize(model, t -> false), options);
    }
  }

  private Map<String, OnnxTensorLike> feeds(OrtSession session) throws OrtException {
    Map<String, OnnxTensorLike> feeds = new HashMap<>();
    for (String name : session.getInputNames()) {
      double[] values = inputs.get(name);
      ByteBuffer data =
          ByteBuffer.allocateDirect(Math.max(8, values.length * 8)).order(ByteOrder.nativeOrder());
      for (double value : values) {
        if (type == ElementType.DOUBLE) {
          data.putDouble(value);
        } else {
          data.putFloat((float) value);
        }
      }
      data.flip();
      feeds.put(
          name,
          OnnxTensor.createTensor(
              ENVIRONMENT, data, shapes.get(name), OnnxJavaType.valueOf(type.name())));
    }
    return feeds;
  }

  private boolean isSomethingEmpty() {
    return shapes.values().stream().anyMatch(shape -> count(shape) == 0);
  }

  private boolean multipliesByVector(OnnxModel model) {
    return model.graph().nodes().stream()
        .filter(node -> node.is("MatMul") && shapes.containsKey(node.input(1)))
        .anyMatch(node -> shapes.get(node.input(1)).length == 1);
  }

  private static int count(long[] shape) {
    long count = 1;
    for (long size : shape) {
      count *= size;
    }
    return Math.toIntExact(count);
  }
}
