package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.loragraph.check.Oracle;
import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.LoraInjector;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.shape.ValueTypes;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.GraphOptions;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.StepGraph;
import io.github.loragraph.training.TrainingGraph;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every operator that a step computes FLOAT values with has a kernel in ONNX Runtime's CUDA
 * provider, so that none has to fall to the CPU. Where nodes really run, only a machine with a GPU
 * can tell.
 */
class CudaKernelsTest {
  static Stream<String> fixtures() {
    return Oracle.FIXTURES.stream();
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void everyOperatorHasAKernel(String fixture) throws IOException {
    Map<String, Set<String>> kernels = kernels();
    OnnxModel model =
        LoraInjector.inject(
            Oracle.of(fixture).model(),
            new InjectionOptions(
                Pattern.compile("query|output"), 4, 4, InjectionOptions.DEFAULT_HEAD, 0));
    Set<String> without = new TreeSet<>();
    for (Method method : Method.values()) {
      StepGraph step = step(model, method);
      ValueTypes types = new SessionShapeInference(OrtRuntime.ofThisProcess()).infer(step.model());
      for (Node node : step.model().graph().nodes()) {
        Set<String> known = kernels.getOrDefault(node.opType(), Set.of());
        if (computesFloats(node, types) && !known.contains("float") && !known.contains("*")) {
          without.add(node.opType());
        }
      }
    }
    assertEquals(Set.of(), without);
  }

  private static StepGraph step(OnnxModel model, Method method) {
    LoraDropout dropout = method == Method.LORA ? new LoraDropout(0.1) : LoraDropout.NONE;
    TrainingGraph training =
        TrainingGraph.build(
            model,
            TrainableSelection.of(method).values(model),
            new CrossEntropyLoss(0.1, List.of(1.0, 2.0), -100L),
            GraphOptions.PLAIN.withDropout(dropout).accumulating(true),
            new SessionShapeInference(OrtRuntime.ofThisProcess()));
    return StepGraph.of(training, AdamW.defaults(), 1);
  }

  private static boolean computesFloats(Node node, ValueTypes types) {
    return node.outputs().stream()
        .map(types::get)
        .anyMatch((TensorType t) -> t != null && t.elementType() == ElementType.FLOAT);
  }

  private static Map<String, Set<String>> kernels() throws IOException {
    Map<String, Set<String>> kernels = new HashMap<>();
    try (InputStream in = CudaKernelsTest.class.getResourceAsStream("/cuda-kernels.tsv")) {
      new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .map(line -> line.split("\t"))
          .forEach(
              f ->
                  kernels
                      .computeIfAbsent(f[0], k -> new TreeSet<>())
                      .addAll(Arrays.asList(f[3].split(","))));
    }
    return kernels;
  }
}
