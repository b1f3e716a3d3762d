package io.github.loragraph.cli;

import io.github.loragraph.data.HostTensor;
import io.github.loragraph.engine.GraphEngine;
import io.github.loragraph.evaluation.ProbeInput;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.EvaluationGraph;
import io.github.loragraph.training.StepGraph;
import io.github.loragraph.training.TrainingGraph;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-graph benchmark}. */
@Command(
    name = "benchmark",
    header = "Measures training steps of a model on random input.",
    description = {
      "",
      "Prints the time of the forward pass and of a training step (the median), samples per"
          + " second, the number of nodes and, on Linux, the peak of the process's memory.",
      ""
    },
    footer = {
      "",
      "Example:",
      "  lora-graph benchmark roberta-base/model.lora.onnx --batch-size 8 --sequence 64"
    },
    mixinStandardHelpOptions = true)
final class BenchmarkCommand implements Callable<Integer> {
  private static final int WARM_UP = 3;

  @Mixin private ModelArgument model;
  @Mixin private ThreadsOption threads;
  @Mixin private ResultOutput output;

  @Option(names = "--method", defaultValue = "lora", description = "As in train (default: lora).")
  private Method method;

  @Option(
      names = "--batch-size",
      defaultValue = "8",
      description = "Examples in a step (default: ${DEFAULT-VALUE}).")
  private int batchSize;

  @Option(
      names = "--sequence",
      defaultValue = "64",
      description = "Tokens of an example (default: ${DEFAULT-VALUE}).")
  private int sequence;

  @Option(
      names = "--steps",
      defaultValue = "10",
      description = "Steps to measure, after three to warm up (default: ${DEFAULT-VALUE}).")
  private int steps;

  @Override
  public Integer call() {
    ModelFolder folder = model.folder();
    OnnxModel onnx = OnnxFile.read(folder.modelFile());
    Sessions sessions = new Sessions(threads.count());
    List<HostTensor> input = ProbeInput.of(onnx.graph(), batchSize, sequence, 0);
    List<HostTensor> batch = new ArrayList<>(input);
    batch.add(labels());

    double before = memoryGigabytes("VmRSS");
    long start = System.nanoTime();
    Set<String> trainable = TrainableSelection.of(method).values(onnx);
    TrainingGraph training =
        TrainingGraph.build(onnx, trainable, CrossEntropyLoss.plain(), new SessionShapeInference());
    StepGraph step = StepGraph.of(training, AdamW.defaults(), 1);
    EvaluationGraph answers = EvaluationGraph.of(onnx, training.gradients().keySet());
    double graphSeconds = seconds(start);
    double graphGigabytes = memoryGigabytes("VmHWM") - before;
    Map<String, Object> result = new LinkedHashMap<>();
    try (Weights weights = new Weights()) {
      start = System.nanoTime();
      try (GraphEngine engine = new GraphEngine(step, answers, sessions, weights, null, 1, 0)) {
        double sessionSeconds = seconds(start);
        double stepSeconds = median(() -> engine.step(batch, 1e-5));
        double peak = memoryGigabytes("VmHWM");
        double forward = median(() -> engine.classifier().logits(input));
        result.put("stepSeconds", stepSeconds);
        result.put("samplesPerSecond", batchSize / stepSeconds);
        result.put("forwardSeconds", forward);
        result.put("stepInForwards", stepSeconds / forward);
        result.put("graphSeconds", graphSeconds);
        result.put("modelGigabytes", modelBytes(onnx) / 1e9);
        result.put("graphGigabytes", graphGigabytes);
        result.put("sessionSeconds", sessionSeconds);
        result.put("modelNodes", onnx.graph().nodes().size());
        result.put("trainingNodes", training.model().graph().nodes().size());
        result.put("stepNodes", step.model().graph().nodes().size());
        result.put("peakGigabytes", peak);
        result.put("threads", threads.count());
      }
    }
    output.print(
        result,
        out ->
            result.forEach(
                (name, value) ->
                    out.println(
                        value instanceof Double d
                            ? String.format(Locale.ROOT, "%-18s %.3f", name, d)
                            : String.format(Locale.ROOT, "%-18s %s", name, value))));
    return 0;
  }

  private static long modelBytes(OnnxModel model) {
    return model.graph().initializers().values().stream()
        .mapToLong(tensor -> tensor.bytes().remaining())
        .sum();
  }

  private HostTensor labels() {
    ByteBuffer data = ByteBuffer.allocateDirect(batchSize * 8).order(ByteOrder.nativeOrder());
    for (int i = 0; i < batchSize; i++) {
      data.putLong(i % 2);
    }
    return new HostTensor("labels", ElementType.INT64, new long[] {batchSize}, data.flip());
  }

  private double median(Runnable work) {
    for (int i = 0; i < WARM_UP; i++) {
      work.run();
    }
    double[] times = new double[Math.max(1, steps)];
    for (int i = 0; i < times.length; i++) {
      long start = System.nanoTime();
      work.run();
      times[i] = seconds(start);
    }
    Arrays.sort(times);
    return times[times.length / 2];
  }

  private static double seconds(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  /** The kernel's high-water mark of resident memory; NaN on systems that tell none. */
  private static double memoryGigabytes(String field) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith(field + ":")) {
          return Long.parseLong(line.replaceAll("\\D", "")) / 1e6;
        }
      }
    } catch (IOException e) {
      return Double.NaN;
    }
    return Double.NaN;
  }
}
