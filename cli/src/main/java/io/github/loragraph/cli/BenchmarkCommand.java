package io.github.loragraph.cli;

import io.github.loragraph.data.HostTensor;
import io.github.loragraph.engine.Engine;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.engine.Engines;
import io.github.loragraph.engine.StepInput;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.evaluation.Answer;
import io.github.loragraph.evaluation.ProbeInput;
import io.github.loragraph.file.ProcFile;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ort.Device;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.task.LossOptions;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.BasePrecision;
import io.github.loragraph.training.GraphOptions;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.Loss;
import io.github.loragraph.training.Optimization;
import io.github.loragraph.training.Precision;
import io.github.loragraph.training.StepGraph;
import io.github.loragraph.training.TrainingGraph;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code lora-graph benchmark}. */
@Command(
    name = "benchmark",
    header = "Measures training steps of a model on random input.",
    description = {
      "",
      "Prints the time of the forward pass and of a training step (the median; of the step also the"
          + " least and the most), the processor's time that they took of all cores together, samples"
          + " per second, the number of nodes and, on Linux, the peak of the process's memory.",
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
  @Mixin private OutputNameOption outputName;
  @Mixin private ThreadsOption threads;
  @Mixin private DeviceOptions deviceOptions;
  @Mixin private ResultOutput output;
  @Spec private CommandSpec spec;

  @Option(names = "--output", paramLabel = "NAME", description = "The same as --output-name.")
  private void output(String name) {
    outputName.setIfAbsent(name);
  }

  @Option(
      names = "--method",
      defaultValue = "lora",
      converter = MethodConverter.class,
      completionCandidates = MethodConverter.class,
      description = "As in train (default: lora).")
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

  @Option(
      names = "--steps-per-call",
      paramLabel = "N",
      defaultValue = "1",
      description = "Steps that the graph engine runs in one call (default: ${DEFAULT-VALUE}).")
  private int stepsPerCall;

  @Option(
      names = "--engine",
      defaultValue = "graph",
      converter = EngineConverter.class,
      completionCandidates = EngineConverter.class,
      description = "graph or training-api (default: ${DEFAULT-VALUE}).")
  private EngineKind engineKind;

  @Option(
      names = "--precision",
      defaultValue = "fp32",
      converter = PrecisionConverter.class,
      completionCandidates = PrecisionConverter.class,
      description = "As in train: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Precision precision;

  @Option(
      names = "--base",
      defaultValue = "fp32",
      converter = BasePrecisionConverter.class,
      completionCandidates = BasePrecisionConverter.class,
      description = "As in train: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private BasePrecision base;

  private void requireSome(String option, int value) {
    if (value < 1) {
      throw new ParameterException(spec.commandLine(), option + " must be 1 or more");
    }
  }

  @Override
  public Integer call() {
    if (engineKind == EngineKind.AUTO) {
      throw new ParameterException(
          spec.commandLine(), "name the engine to measure: graph or training-api");
    }
    requireSome("--batch-size", batchSize);
    requireSome("--sequence", sequence);
    requireSome("--steps", steps);
    requireSome("--steps-per-call", stepsPerCall);
    Device device = deviceOptions.choose(engineKind).device();
    OrtRuntime runtime = Engines.runtime(engineKind, device, precision, steps);
    ModelFolder folder = model.folder();
    folder
        .config()
        .maxLength()
        .ifPresent(
            longest -> {
              if (sequence > longest) {
                throw new LoraGraphException(
                    "the model takes %d tokens at most: give --sequence %d or less"
                        .formatted(longest, longest));
              }
            });
    Answer answer =
        Answer.of(
            outputName.choose(folder.read(output::say)),
            null,
            folder.config().problemType(),
            new SessionShapeInference(OrtRuntime.ofThisProcess()));
    OnnxModel onnx = answer.answering();
    Loss loss = answer.task().loss(LossOptions.PLAIN, List.of());
    List<HostTensor> input = ProbeInput.of(onnx.graph(), batchSize, sequence, 0);

    double before = memoryGigabytes("VmRSS");
    long start = System.nanoTime();
    Set<String> trainable = TrainableSelection.of(method).values(onnx);
    TrainingGraph training =
        TrainingGraph.build(
            onnx,
            trainable,
            loss,
            GraphOptions.PLAIN
                .withPrecision(precision)
                .withKernels(Engines.kernels(device, precision))
                .withBase(base),
            new SessionShapeInference(runtime));
    StepGraph stepGraph = StepGraph.of(training, AdamW.ofTrainer(), 1);
    double graphSeconds = seconds(start);
    double graphGigabytes = memoryGigabytes("VmHWM") - before;

    Engines engines =
        new Engines(
            onnx,
            trainable,
            loss,
            new Optimization(AdamW.ofTrainer(), 1, LoraDropout.NONE, precision).withBase(base),
            1,
            stepsPerCall,
            0,
            deviceOptions.sessions(runtime, threads, device));
    Map<String, Object> result = new LinkedHashMap<>();
    start = System.nanoTime();
    try (Engines.Opened opened = engines.open(engineKind, null, steps, null, line -> {})) {
      double openSeconds = seconds(start);
      Engine engine = opened.engine();
      List<HostTensor> batch = new ArrayList<>(input);
      batch.add(labels(opened.labels()));
      List<StepInput> call =
          Collections.nCopies(engine.batchesPerCall(), new StepInput(batch, 1e-5));
      Timing step = Timing.of(WARM_UP, steps, () -> engine.steps(call)).dividedBy(call.size());
      double peak = memoryGigabytes("VmHWM");
      Timing forward = Timing.of(WARM_UP, steps, () -> engine.classifier().logits(input));
      result.put("engine", engine.name());
      result.put("device", device.toString());
      result.put("stepsPerCall", call.size());
      result.put("precision", precision.toString());
      result.put("base", base.toString());
      result.put("stepSeconds", step.median());
      result.put("stepSecondsLeast", step.least());
      result.put("stepSecondsMost", step.most());
      result.put("stepCpuSeconds", step.cpu());
      result.put("samplesPerSecond", batchSize / step.median());
      result.put("forwardSeconds", forward.median());
      result.put("forwardCpuSeconds", forward.cpu());
      result.put("stepInForwards", step.median() / forward.median());
      result.put("graphSeconds", graphSeconds);
      result.put("modelGigabytes", modelBytes(onnx) / 1e9);
      result.put("graphGigabytes", graphGigabytes);
      result.put("openSeconds", openSeconds);
      result.put("modelNodes", onnx.graph().nodes().size());
      result.put("trainingNodes", training.model().graph().nodes().size());
      result.put("stepNodes", stepGraph.model().graph().nodes().size());
      result.put("peakGigabytes", peak);
      result.put("threads", threads.count());
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

  private HostTensor labels(ValueInfo declared) {
    TensorType type = declared.requireType();
    Shape known = type.requireShape();
    long[] shape = new long[known.rank()];
    for (int axis = 0; axis < shape.length; axis++) {
      Shape.Dimension d = known.dimension(axis);
      shape[axis] = d.isKnown() ? d.size() : axis == 0 ? batchSize : sequence;
    }
    ByteBuffer zeros =
        ByteBuffer.allocateDirect(HostTensor.byteCount(declared.name(), type.elementType(), shape));
    return new HostTensor(
        declared.name(), type.elementType(), shape, zeros.order(ByteOrder.nativeOrder()));
  }

  private static double seconds(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  /** The kernel's high-water mark of resident memory; NaN on systems that tell none. */
  private static double memoryGigabytes(String field) {
    OptionalLong bytes = ProcFile.bytes(ProcFile.SELF, field);
    return bytes.isPresent() ? bytes.getAsLong() / 1e9 : Double.NaN;
  }
}
