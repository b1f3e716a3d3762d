package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.check.Oracle;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.LoraInjector;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.models.ReferenceArchitecture;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ops.Kernels;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.passes.TrainingNormalizer;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.GraphOptions;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.StepGraph;
import io.github.loragraph.training.TrainingGraph;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a training graph is made of, and that odd batches and odd declarations are no matter. */
class TrainingGraphTest {
  private static final LoraDropout DROPOUT = new LoraDropout(0.25);

  /** RoBERTa-base's graph, with narrow layers: the nodes are the same. */
  private static OnnxModel robertaBase() {
    OnnxModel model = new ReferenceArchitecture(48, 12, 12, 96, 100, 40, 2).model(0);
    return inject(model, "query|output");
  }

  private static OnnxModel inject(OnnxModel model, String match) {
    return LoraInjector.inject(
        model,
        new InjectionOptions(Pattern.compile(match), 4, 4, InjectionOptions.DEFAULT_HEAD, 0));
  }

  private static Set<String> lora(OnnxModel model) {
    return TrainableSelection.of(Method.LORA).values(model);
  }

  private static TrainingGraph build(OnnxModel model) {
    return build(model, Kernels.STANDARD);
  }

  private static TrainingGraph build(OnnxModel model, Kernels kernels) {
    return TrainingGraph.build(
        model,
        lora(model),
        CrossEntropyLoss.plain(),
        GraphOptions.PLAIN.withKernels(kernels),
        new SessionShapeInference(OrtRuntime.ofThisProcess()));
  }

  @Test
  void theBackwardGraphIsSmall() {
    OnnxModel model = robertaBase();
    int forward =
        TrainingNormalizer.of(
                model, lora(model), new SessionShapeInference(OrtRuntime.ofThisProcess()))
            .model()
            .graph()
            .nodes()
            .size();
    int whole = build(model).model().graph().nodes().size();
    double ratio = (double) (whole - forward) / forward;
    assertTrue(ratio <= 2.5, () -> ratio + " backward nodes for each forward node");
  }

  @ParameterizedTest
  @EnumSource(names = {"STANDARD", "CPU"})
  void noGradientOfAFrozenWeightIsComputed(Kernels kernels) {
    TrainingGraph training = build(robertaBase(), kernels);
    Graph graph = training.model().graph();
    Set<String> trained = training.gradients().keySet();
    // Of a weight's size there is nothing but the weight itself: layers are 48 or 96 wide, and
    // neither batch nor sequence is known, so only a weight's gradient could be of that shape.
    Set<List<Long>> frozen = new HashSet<>();
    for (Tensor tensor : graph.initializers().values()) {
      if (tensor.rank() == 2 && tensor.elementType() == ElementType.FLOAT) {
        frozen.add(List.of(tensor.dim(0), tensor.dim(1)));
      }
    }
    Set<String> outOfWeights = new HashSet<>(graph.initializers().keySet());
    var types = new SessionShapeInference(OrtRuntime.ofThisProcess()).infer(training.model());
    for (Node node : graph.nodes()) {
      if (outOfWeights.containsAll(node.inputs())) {
        outOfWeights.addAll(node.outputs());
        continue;
      }
      for (String output : node.outputs()) {
        TensorType type = output.isEmpty() ? null : types.get(output);
        if (type == null || type.shape() == null || type.shape().rank() != 2) {
          continue;
        }
        Shape.Dimension rows = type.shape().dimension(0);
        Shape.Dimension columns = type.shape().dimension(1);
        boolean known = rows.isKnown() && columns.isKnown();
        boolean likeAWeight = known && frozen.contains(List.of(rows.size(), columns.size()));
        boolean ofTrained =
            training.gradients().containsValue(output)
                || trained.stream().anyMatch(t -> isTrainedShape(training, t, rows, columns));
        assertFalse(likeAWeight && !ofTrained, () -> node + " computes " + output);
      }
    }
  }

  private static boolean isTrainedShape(
      TrainingGraph training, String value, Shape.Dimension rows, Shape.Dimension columns) {
    Tensor tensor = training.initialValues().get(value);
    return tensor.rank() == 2 && tensor.dim(0) == rows.size() && tensor.dim(1) == columns.size();
  }

  @ParameterizedTest
  @EnumSource(names = {"STANDARD", "CPU"})
  void onlyStandardOperatorsAreWritten(Kernels kernels) {
    StepGraph step = StepGraph.of(build(robertaBase(), kernels), AdamW.defaults(), 1);
    for (Node node : step.model().graph().nodes()) {
      assertEquals("", node.domain(), node::toString);
    }
  }

  /** On a GPU it is nodes that take time. */
  @Test
  void theStepOfAllAdaptersIsSmall() {
    TrainingGraph training = build(robertaBase());
    assertEquals(76, training.gradients().size());
    StepGraph step = StepGraph.of(training, AdamW.defaults(), 1);
    int nodes = step.model().graph().nodes().size();
    assertTrue(nodes <= 1500, () -> nodes + " nodes");
    int added = nodes - training.model().graph().nodes().size();
    assertTrue(added <= 120, () -> added + " nodes of the optimizer");
  }

  @Test
  void whereGradientsDoNotGoNoRuleIsNeeded() {
    OnnxModel model = inject(Oracle.of("tiny-roberta").model(), "layer.1.*query");
    Set<String> scopes = new HashSet<>();
    for (Node node : build(model).model().graph().nodes()) {
      if (node.name().startsWith("/gradient") || node.name().contains("_grad")) {
        scopes.add(node.name());
      }
    }
    assertTrue(
        scopes.stream().noneMatch(s -> s.contains("layer.0") || s.contains("embeddings")),
        scopes::toString);
  }

  /**
   * What is worked out of the inputs alone, masks and positions, adds no node to the backward pass.
   * The file whose name begins with "distilbert" fills its mask in; the others add it.
   */
  @ParameterizedTest
  @ValueSource(strings = {"tiny-roberta", "tiny-bert", "distilbert-13", "camembert-13-folded"})
  void maskArithmeticHasNoGradient(String file) {
    OnnxModel exported =
        file.startsWith("tiny") ? Oracle.of(file).model() : new Export(file).model();
    for (Method method : List.of(Method.LORA, Method.FULL)) {
      OnnxModel model = inject(exported, "query|q_lin");
      Set<String> trainable = TrainableSelection.of(method).values(model);
      Graph graph =
          TrainingGraph.build(
                  model,
                  trainable,
                  CrossEntropyLoss.plain(),
                  new SessionShapeInference(OrtRuntime.ofThisProcess()))
              .model()
              .graph();
      Map<String, Integer> gradientNodes = new HashMap<>();
      Set<String> ofTrained = new HashSet<>(trainable);
      Set<String> ofMask = new HashSet<>(Set.of("attention_mask"));
      List<String> maskOnly = new ArrayList<>();
      for (Node node : graph.nodes()) {
        if (node.name().startsWith("/gradient/")) {
          String of = node.name().substring("/gradient".length(), node.name().lastIndexOf('/'));
          gradientNodes.merge(of, 1, Integer::sum);
        } else if (node.inputs().stream().anyMatch(ofTrained::contains)) {
          // No gradient goes through a shape: what a mask is spread to may be that of the scores.
          ofTrained.addAll(node.is("Shape") ? List.of() : node.outputs());
        } else if (node.inputs().stream().anyMatch(ofMask::contains)) {
          ofMask.addAll(node.outputs());
          maskOnly.add(node.name());
        }
      }
      assertTrue(maskOnly.size() >= 3, maskOnly::toString);
      assertTrue(gradientNodes.values().stream().mapToInt(n -> n).sum() > 50);
      maskOnly.forEach(name -> assertEquals(0, gradientNodes.getOrDefault(name, 0), name));
    }
  }

  /** Gemm reads a weight as it lies, in both directions, whether it is trained or not. */
  @ParameterizedTest
  @ValueSource(strings = {"tiny-roberta-noconstfold", "distilbert-13", "electra-19", "albert-17"})
  void noWeightIsTransposed(String file) {
    OnnxModel exported =
        file.startsWith("tiny") ? Oracle.of(file).model() : new Export(file).model();
    assertTrue(transposedWeights(exported.graph(), Set.of()).size() > 3);
    OnnxModel model = inject(exported, "query|q_lin");
    for (Method method : List.of(Method.LORA, Method.FULL)) {
      Set<String> trainable = TrainableSelection.of(method).values(model);
      TrainingGraph training =
          TrainingGraph.build(
              model,
              trainable,
              CrossEntropyLoss.plain(),
              new SessionShapeInference(OrtRuntime.ofThisProcess()));
      assertEquals(List.of(), transposedWeights(training.model().graph(), trainable));
    }
  }

  private static List<Node> transposedWeights(Graph graph, Set<String> trainable) {
    return graph.nodes().stream()
        .filter(n -> n.is("Transpose"))
        .filter(n -> trainable.contains(n.input(0)) || graph.constant(n.input(0)) != null)
        .toList();
  }

  /** Batches of one example, of one token, and with rows that are all padding. */
  @ParameterizedTest
  @ValueSource(
      strings = {"tiny-roberta", "tiny-roberta-opset17", "tiny-roberta-noconstfold", "tiny-bert"})
  void oddBatchesGiveNumbers(String fixture) {
    OnnxModel model = inject(Oracle.of(fixture).model(), "query|output");
    for (boolean full : new boolean[] {false, true}) {
      Set<String> trainable = TrainableSelection.of(full ? Method.FULL : Method.LORA).values(model);
      for (List<HostTensor> batch :
          List.of(
              batch(model, new long[][] {{5}}, new long[][] {{1}}),
              batch(model, new long[][] {{5, 6, 2}}, new long[][] {{1, 1, 1}}),
              batch(model, new long[][] {{5}, {6}}, new long[][] {{1}, {0}}),
              batch(model, new long[][] {{5, 2}, {1, 1}}, new long[][] {{1, 1}, {0, 0}}))) {
        Gradients gradients = Gradients.of(model, trainable, CrossEntropyLoss.plain(), batch);
        assertTrue(Double.isFinite(gradients.loss()));
        gradients
            .byValue()
            .forEach(
                (value, gradient) -> {
                  for (float g : gradient) {
                    assertTrue(Float.isFinite(g), value);
                  }
                });
      }
    }
  }

  private static List<HostTensor> batch(OnnxModel model, long[][] ids, long[][] mask) {
    int rows = ids.length;
    int columns = ids[0].length;
    List<HostTensor> batch = new ArrayList<>();
    for (ValueInfo input : model.graph().requiredInputs()) {
      long[] flat = new long[rows * columns];
      for (int i = 0; i < flat.length; i++) {
        flat[i] =
            switch (input.name()) {
              case "input_ids" -> ids[i / columns][i % columns];
              case "attention_mask" -> mask[i / columns][i % columns];
              default -> 0;
            };
      }
      batch.add(Gradients.longs(input.name(), flat, rows, columns));
    }
    batch.add(Gradients.longs("labels", new long[rows], rows));
    return batch;
  }

  /** What the file declares of its inputs makes no difference. */
  @ParameterizedTest
  @ValueSource(strings = {"unknown", "fixed", "one symbol", "opset 21"})
  void declarationsMakeNoDifference(String how) {
    Oracle oracle = Oracle.of("tiny-roberta");
    OnnxModel declared = inject(oracle.model(), "query|output");
    OnnxModel model = declare(declared, how);
    List<HostTensor> batch = new ArrayList<>(oracle.inputs());
    batch.add(oracle.labels());
    Gradients expected = Gradients.of(declared, lora(declared), CrossEntropyLoss.plain(), batch);
    Gradients actual = Gradients.of(model, lora(declared), CrossEntropyLoss.plain(), batch);
    assertEquals(expected.loss(), actual.loss(), 1e-6);
    expected
        .byValue()
        .forEach((value, g) -> assertArrayEquals(g, actual.byValue().get(value), 1e-6f, value));
  }

  private static OnnxModel declare(OnnxModel model, String how) {
    Graph graph = model.graph().copy();
    if (how.equals("opset 21")) {
      // Its adapters are other nodes by now: it is a model with these parameters, not an injected
      // one.
      return TrainingNormalizer.of(
              model, lora(model), new SessionShapeInference(OrtRuntime.ofThisProcess()))
          .model()
          .model()
          .withMetadata(LoraMetadata.KEY, null)
          .withOpset("", 21);
    }
    for (ValueInfo input : List.copyOf(graph.requiredInputs())) {
      Shape.Dimension batch =
          switch (how) {
            case "fixed" -> Shape.Dimension.of(3);
            case "one symbol" -> Shape.Dimension.named("n");
            default -> Shape.Dimension.unknown();
          };
      Shape.Dimension sequence =
          how.equals("fixed") ? Shape.Dimension.of(9) : Shape.Dimension.unknown();
      graph.removeInput(input.name());
      graph.addInput(
          ValueInfo.of(
              input.name(),
              new TensorType(input.type().elementType(), new Shape(List.of(batch, sequence)))));
    }
    return model.withGraph(graph);
  }

  /** A table that is read twice, as a tied embedding is, gets the sum of both gradients. */
  @Test
  void tiedWeightsGetTheSumOfTheirGradients() {
    Gradients tied = Gradients.of(twoReaders(true), Set.of("w"), CrossEntropyLoss.plain(), tied());
    Gradients apart =
        Gradients.of(
            twoReaders(false),
            new LinkedHashSet<>(List.of("w", "v")),
            CrossEntropyLoss.plain(),
            tied());
    float[] w = apart.byValue().get("w");
    float[] v = apart.byValue().get("v");
    float[] sum = new float[w.length];
    for (int i = 0; i < sum.length; i++) {
      sum[i] = w[i] + v[i];
    }
    assertEquals(apart.loss(), tied.loss(), 1e-6);
    assertArrayEquals(sum, tied.byValue().get("w"), 1e-6f);
  }

  private static List<HostTensor> tied() {
    return List.of(
        Gradients.longs("ids", new long[] {0, 2, 1, 1}, 4),
        Gradients.longs("labels", new long[] {1, 0, 2, 3}, 4));
  }

  /** logits = w[ids] v^T, where v is w itself or a copy of it. */
  private static OnnxModel twoReaders(boolean tied) {
    Graph graph = new Graph();
    graph.addInput(ValueInfo.of("ids", TensorType.of(ElementType.INT64, -1)));
    float[] values = new float[8];
    for (int i = 0; i < 8; i++) {
      values[i] = (float) Math.sin(i + 1);
    }
    graph.putInitializer(Tensor.ofFloats("w", values, 4, 2));
    if (!tied) {
      graph.putInitializer(Tensor.ofFloats("v", values, 4, 2));
    }
    GraphBuilder b = new GraphBuilder(graph, "/model");
    String rows = b.gather("w", "ids", 0);
    String logits = b.matMul(rows, b.transpose(tied ? "w" : "v", 1, 0));
    graph.addOutput(ValueInfo.of(logits, TensorType.of(ElementType.FLOAT, -1, 4)));
    return OnnxModel.of("tied", graph, 9, GraphBuilder.OPSET);
  }

  @Test
  void dropoutDropsItsShareAndNothingElse() {
    Oracle oracle = Oracle.of("tiny-roberta");
    OnnxModel model = inject(oracle.model(), "query");
    oracle.adapters().stream()
        .filter(t -> t.name().contains("query"))
        .forEach(model.graph()::putInitializer);
    Map<Long, float[]> bySeed = new HashMap<>();
    String a = "roberta.encoder.layer.1.attention.self.query.lora_A";
    Set<String> trainable = lora(model);
    double losses = 0;
    int draws = 16;
    for (long seed = 0; seed < draws; seed++) {
      Gradients gradients = dropped(oracle, model, trainable, seed);
      bySeed.put(seed, gradients.byValue().get(a));
      losses += gradients.loss();
    }
    assertArrayEquals(bySeed.get(3L), dropped(oracle, model, trainable, 3).byValue().get(a));
    assertNotEquals(bySeed.get(0L)[0], bySeed.get(1L)[0]);
    List<HostTensor> batch = new ArrayList<>(oracle.inputs());
    batch.add(oracle.labels());
    double plain = Gradients.of(model, trainable, CrossEntropyLoss.plain(), batch).loss();
    assertEquals(plain, losses / draws, 0.02, "dropout keeps the expectation");
    assertThrows(LoraGraphException.class, () -> new LoraDropout(1));
    assertThrows(
        LoraGraphException.class,
        () ->
            TrainingGraph.build(
                oracle.model(),
                TrainableSelection.of(Method.FULL).values(oracle.model()),
                CrossEntropyLoss.plain(),
                GraphOptions.PLAIN.withDropout(DROPOUT),
                new SessionShapeInference(OrtRuntime.ofThisProcess())));
  }

  private static Gradients dropped(
      Oracle oracle, OnnxModel model, Set<String> trainable, long seed) {
    List<HostTensor> batch = new ArrayList<>(oracle.inputs());
    batch.add(oracle.labels());
    batch.add(Gradients.longs(LoraDropout.SEED, new long[] {LoraDropout.seedOf(seed, 1)}));
    return Gradients.of(model, trainable, CrossEntropyLoss.plain(), DROPOUT, batch);
  }
}
