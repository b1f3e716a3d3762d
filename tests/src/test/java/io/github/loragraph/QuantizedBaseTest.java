package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.LoraInjector;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.models.ReferenceArchitecture;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ops.Kernels;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.training.BasePrecision;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.GraphOptions;
import io.github.loragraph.training.TrainingGraph;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Frozen layers in 8 bits: which products are, how far off they are, and whole runs. */
class QuantizedBaseTest {
  /** Layers wide enough for 8 bits. */
  private static final ReferenceArchitecture WIDE =
      new ReferenceArchitecture(128, 2, 4, 256, 200, 40, 2);

  @TempDir Path folder;

  /** Rows of several lengths. */
  private Path data;

  @BeforeEach
  void write() throws Exception {
    data = new Trainings(Files.createDirectory(folder.resolve("data"))).data();
  }

  String engine() {
    return "graph";
  }

  private static Graph training(Method method, BasePrecision base) {
    OnnxModel model =
        LoraInjector.inject(
            WIDE.model(3),
            new InjectionOptions(
                Pattern.compile("query|output"), 4, 4, InjectionOptions.DEFAULT_HEAD, 0));
    return TrainingGraph.build(
            model,
            TrainableSelection.of(method).values(model),
            CrossEntropyLoss.plain(),
            GraphOptions.PLAIN.withKernels(Kernels.CPU).withBase(base),
            new SessionShapeInference(OrtRuntime.ofThisProcess()))
        .model()
        .graph();
  }

  private static long products(Graph graph) {
    return graph.nodes().stream().filter(n -> n.opType().equals("DynamicQuantizeMatMul")).count();
  }

  /** Six Linears in each layer; nothing comes back below the first query. */
  @Test
  void eachFrozenProductIsInEightBits() {
    Graph forward = training(Method.LORA, BasePrecision.INT8_FORWARD);
    assertEquals(12, products(forward));
    Graph both = training(Method.LORA, BasePrecision.INT8);
    assertEquals(12 + 6 + 3, products(both));
    // What a product reads in FLOAT and is large would be a weight that was left out.
    for (Node node : both.nodes()) {
      if (node.is("Gemm")) {
        Tensor weight = both.initializer(node.input(1));
        assertTrue(weight == null || weight.elementCount() < 1 << 14, node::toString);
      }
    }
    assertTrue(
        both.initializers().values().stream()
            .filter(t -> t.elementType() == ElementType.INT8)
            .allMatch(t -> t.rank() == 2));
    assertEquals(0, products(training(Method.LORA, BasePrecision.FP32)));
    // The first layer's own products come before all that is trained.
    assertEquals(12, products(training(Method.HEAD, BasePrecision.INT8)));
  }

  private Path model() throws Exception {
    Path original = folder.resolve("model.onnx");
    OnnxFile.write(WIDE.model(3), original, false);
    Cli.json("inject", original, "--match", "query|output", "--rank", 4);
    return folder.resolve("model.lora.onnx");
  }

  private Cli train(Path model, Path run, Object... more) throws Exception {
    List<Object> all =
        new ArrayList<>(
            List.of(
                "train",
                model,
                "--data",
                data,
                "--epochs",
                3,
                "--batch-size",
                7,
                "--accumulate",
                2));
    all.addAll(List.of("--threads", 1, "--log-every", 1, "--eval-split", 0.2, "--lr", "1e-3"));
    all.addAll(List.of("--checkpoint-every", 2, "--engine", engine(), "-o", run));
    all.addAll(List.of(more));
    return Cli.run(all.toArray());
  }

  private static double loss(Path run) throws Exception {
    return Runs.record(run).path("finalTrainLoss").asDouble();
  }

  @ParameterizedTest
  @ValueSource(strings = {"int8", "int8-forward"})
  void aRunIsNearThatInSinglePrecisionAndGoesOnToItsBytes(String base) throws Exception {
    Path model = model();
    Path exact = folder.resolve("exact");
    Cli said = train(model, exact);
    assertEquals(0, said.exitCode(), said.err());
    Path rounded = folder.resolve("rounded");
    said = train(model, rounded, "--base", base);
    assertEquals(0, said.exitCode(), said.err());
    assertTrue(said.err().contains("8 bits"), said.err());
    assertEquals(loss(exact), loss(rounded), 0.02 * loss(exact));
    assertFalse(Arrays.equals(Runs.learned(exact), Runs.learned(rounded)));
    String configuration = Files.readString(rounded.resolve("config.yaml"));
    assertTrue(configuration.contains("base: \"" + base + "\""), configuration);

    Path stopped = folder.resolve("stopped");
    assertEquals(0, train(model, stopped, "--base", base, "--stop-after", 3).exitCode());
    Cli on = Cli.run("train", "--resume", stopped);
    assertEquals(0, on.exitCode(), on.err());
    assertArrayEquals(Runs.learned(rounded), Runs.learned(stopped));
  }

  @Test
  void togetherWithTheCacheOfTheFrozenPrefix() throws Exception {
    Path original = folder.resolve("whole.onnx");
    OnnxFile.write(WIDE.model(3), original, false);
    Cli.json("inject", original, "--match", "query|output", "--rank", 4, "--layers", 1);
    Path model = folder.resolve("whole.lora.onnx");
    Path exact = folder.resolve("exact");
    assertEquals(0, train(model, exact).exitCode());
    Path cached = folder.resolve("cached");
    Cli said = train(model, cached, "--base", "int8", "--cache-prefix");
    assertEquals(0, said.exitCode(), said.err());
    assertEquals(loss(exact), loss(cached), 0.02 * loss(exact));
  }

  @Test
  void isRefusedWhereNothingIsFrozenOrSinglePrecisionIsNotAskedFor() throws Exception {
    Path model = model();
    Cli full = train(model, folder.resolve("full"), "--method", "full", "--base", "int8");
    assertEquals(1, full.exitCode());
    assertTrue(full.err().contains("no frozen layer of the model is large enough"), full.err());
    Cli half = train(model, folder.resolve("half"), "--precision", "fp16", "--base", "int8");
    assertTrue(half.exitCode() > 0);
    assertTrue(half.err().contains("8 bits"), half.err());
  }

  /** The weights of a quantized product, times their steps, are those of the layer. */
  @Test
  void noWeightIsFurtherOffThanHalfAStep() {
    Graph graph = training(Method.LORA, BasePrecision.INT8);
    OnnxModel model = WIDE.model(3);
    Set<String> seen = new HashSet<>();
    for (Node node : graph.nodes()) {
      if (!node.opType().equals("DynamicQuantizeMatMul")) {
        continue;
      }
      Tensor weight = graph.initializer(node.input(1));
      boolean transposed = weight.name().contains("_transposed");
      String name = weight.name().replaceAll("(_transposed)?_int8.*", "");
      Tensor original = model.graph().initializer(name);
      if (original == null) {
        continue;
      }
      seen.add(weight.name());
      float[] steps = graph.initializer(node.input(2)).toFloats();
      float[] exact = original.toFloats();
      int rows = (int) weight.dim(0);
      int columns = (int) weight.dim(1);
      float alpha = columnsLargest(exact, transposed, rows, columns, 0) / 127 / steps[0];
      for (int j = 0; j < columns; j++) {
        float step = columnsLargest(exact, transposed, rows, columns, j) / 127;
        assertEquals(step, steps[j] * alpha, step * 1e-5f);
        for (int i = 0; i < rows; i++) {
          float own = transposed ? exact[j * rows + i] : exact[i * columns + j];
          float rounded = weight.bytes().get(i * columns + j) * step;
          assertEquals(own, rounded, step * 0.5001f);
        }
      }
    }
    assertTrue(seen.size() > 12, seen::toString);
  }

  private static float columnsLargest(
      float[] weight, boolean transposed, int rows, int columns, int column) {
    float largest = 0;
    for (int i = 0; i < rows; i++) {
      float own = transposed ? weight[column * rows + i] : weight[i * columns + column];
      largest = Math.max(largest, Math.abs(own));
    }
    return largest;
  }
}
