package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A graph's whole way through the commands: inspect, inject, one step, merge. The step is one of
 * AdamW without memory, at rate 1 and epsilon 0.9: a gradient g moves its parameter by g / (|g| +
 * 0.9), from which it is read off again. It is held to the central difference of the loss along
 * itself, in an evaluation of the model as it was written.
 */
final class GraphRun {
  private static final double EPSILON = 0.9;

  /** How far the parameters are moved for the difference, as a whole. */
  private static final double STEP = 0.02;

  private final Path folder;
  private final Path model;
  private final Path data;

  private GraphRun(Path folder, Path model) {
    this.folder = folder;
    this.model = model;
    this.data = folder.resolve("train.jsonl");
  }

  /** One of {@link ReportGraph#cases}. */
  static GraphRun of(String reportGraph, Path folder) {
    return new GraphRun(folder, ReportGraph.write(reportGraph, folder));
  }

  /** A model beside a file {@code train.jsonl}. */
  static GraphRun of(Path model) {
    return new GraphRun(model.getParent(), model);
  }

  /**
   * Trains adapters.
   *
   * @param match which Linears to adapt
   * @param more options of {@code train}
   * @return the names of the tensors that the step changed
   */
  List<String> lora(String match, Object... more) {
    Path adapted = folder.resolve("m.lora.onnx");
    Cli.json("inspect", model);
    Cli.json("inject", model, "--match", match, "--rank", 2, "-o", adapted, "--force");
    List<String> trained = step(adapted, more);
    assertTrue(trained.stream().anyMatch(name -> name.endsWith("lora_B")), trained::toString);
    Path merged = folder.resolve("merged.onnx");
    Cli.json("merge", folder.resolve("run"), "-o", merged, "--force");
    assertEquals(OnnxFile.read(model).graph().nodes().size(), nodes(merged));
    return trained;
  }

  private static int nodes(Path file) {
    return OnnxFile.read(file).graph().nodes().size();
  }

  /** Trains all parameters. */
  List<String> full(Object... more) {
    Cli.json("inspect", model);
    Object[] options = Arrays.copyOf(new Object[] {"--method", "full"}, more.length + 2);
    System.arraycopy(more, 0, options, 2, more.length);
    return step(model, options);
  }

  private List<String> step(Path start, Object... more) {
    Path run = folder.resolve("run");
    List<Object> command = new ArrayList<>(List.of("train", start, "--data", data, "-o", run));
    command.addAll(List.of("--steps", 1, "--batch-size", 8, "--lr", 1, "--weight-decay", 0));
    command.addAll(List.of("--schedule", "constant", "--max-grad-norm", 0, "--no-shuffle"));
    command.addAll(List.of("--beta1", 0, "--beta2", 0, "--epsilon", EPSILON, "--force"));
    command.addAll(List.of(more));
    if (!command.contains("--engine")) {
      command.addAll(List.of("--engine", "graph", "--device", "cpu"));
    }
    Cli.json(command.toArray());
    OnnxModel before = OnnxFile.read(start);
    Map<String, double[]> gradients = gradients(before, Runs.model(run));
    assertFalse(gradients.isEmpty(), "nothing was trained");
    double square = 0;
    for (double[] gradient : gradients.values()) {
      square += Arrays.stream(gradient).map(g -> g * g).sum();
    }
    double step = STEP / Math.sqrt(square);
    double difference =
        (loss(before, gradients, step) - loss(before, gradients, -step)) / (2 * step);
    assertEquals(1, difference / square, 0.01, "difference quotient over gradient");
    return List.copyOf(gradients.keySet());
  }

  /** The gradient of each tensor that the step changed. */
  private static Map<String, double[]> gradients(OnnxModel before, OnnxModel after) {
    Map<String, double[]> gradients = new LinkedHashMap<>();
    for (Tensor old : before.graph().initializers().values()) {
      Tensor now = after.graph().initializer(old.name());
      if (now == null
          || old.elementType() != ElementType.FLOAT
          || old.bytes().equals(now.bytes())) {
        continue;
      }
      double[] a = old.toDoubles();
      double[] b = now.toDoubles();
      double[] gradient = new double[a.length];
      for (int i = 0; i < a.length; i++) {
        double moved = a[i] - b[i];
        gradient[i] = EPSILON * moved / (1 - Math.abs(moved));
      }
      gradients.put(old.name(), gradient);
    }
    return gradients;
  }

  /** The loss where the parameters are moved along the gradient. */
  private double loss(OnnxModel start, Map<String, double[]> gradients, double step) {
    OnnxModel moved = start.withGraph(start.graph().copy());
    gradients.forEach(
        (name, gradient) -> {
          Tensor old = start.graph().initializer(name);
          float[] values = new float[gradient.length];
          for (int i = 0; i < values.length; i++) {
            values[i] = (float) (old.toDoubles()[i] + step * gradient[i]);
          }
          moved.graph().putInitializer(Tensor.ofFloats(name, values, old.dims()));
        });
    Path file = folder.resolve("moved.onnx");
    OnnxFile.write(moved, file, true);
    return Cli.json("eval", file, "--data", data).get("loss").asDouble();
  }
}
