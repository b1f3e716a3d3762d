package io.github.loragraph.engine;

import io.github.loragraph.cuda.CommandRun;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.TemporaryFolder;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ort.Device;
import io.github.loragraph.ort.GpuKernels;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.Optimization;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Tries out whether an engine works here, by a step of a tiny model in a process of its own: a
 * process can load one build of ONNX Runtime, and a library that does not fit may end it.
 */
public final class EngineProbe {
  /** Every line of its answer begins so: a library may print, too. */
  private static final String VERSION = "lora-graph-probe version ";

  private static final String WORKS = "lora-graph-probe works";
  private static final String FAILED = "lora-graph-probe failed ";
  private static final Duration LIMIT = Duration.ofMinutes(3);

  private EngineProbe() {}

  /** Where a step is tried. */
  public enum Where {
    CPU,
    CUDA
  }

  /**
   * What came of it.
   *
   * @param onnxRuntime the version that was loaded; empty if none could be
   * @param problem why the engine does not work; empty if it does
   */
  public record Answer(Optional<String> onnxRuntime, Optional<String> problem) {}

  /** Tries an engine out. */
  public static Answer ask(EngineKind engine, Where where) {
    try (TemporaryFolder folder = TemporaryFolder.create("lora-graph-probe")) {
      List<String> command = new ArrayList<>();
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.addAll(List.of("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
      command.add("-XX:ErrorFile=" + folder.path().resolve("error.log"));
      // Not what this process chose for itself: that may be another build.
      OrtRuntime.given()
          .forEach((property, value) -> command.add("-D%s=%s".formatted(property, value)));
      command.addAll(started());
      command.addAll(List.of(engine.name(), where.name()));
      return CommandRun.of(null, LIMIT, command)
          .map(EngineProbe::answer)
          .orElse(
              new Answer(
                  Optional.empty(),
                  Optional.of(
                      "%s cannot be run: mend the Java installation".formatted(command.get(0)))));
    }
  }

  /** This class as a program, from class path or module path as this process has it. */
  private static List<String> started() {
    List<String> options = new ArrayList<>();
    String classPath = System.getProperty("java.class.path");
    if (!classPath.isEmpty()) {
      options.addAll(List.of("-cp", classPath));
    }
    Module module = EngineProbe.class.getModule();
    if (module.isNamed()) {
      options.addAll(List.of("-p", System.getProperty("jdk.module.path")));
      options.addAll(List.of("-m", module.getName() + "/" + EngineProbe.class.getName()));
    } else {
      options.add(EngineProbe.class.getName());
    }
    return options;
  }

  static Answer answer(CommandRun run) {
    Optional<String> version = after(VERSION, run);
    Optional<String> failure = after(FAILED, run);
    if (failure.isEmpty() && !(run.succeeded() && after(WORKS, run).isPresent())) {
      failure =
          Optional.of(
              "its process ended with exit code %d: %s".formatted(run.exitCode(), run.firstLine()));
    }
    return new Answer(version, failure);
  }

  private static Optional<String> after(String start, CommandRun run) {
    return run.output()
        .lines()
        .filter(line -> line.startsWith(start))
        .map(line -> line.substring(start.length()))
        .findFirst();
  }

  /** The process of its own: the name of an {@link EngineKind} and of a {@link Where}. */
  public static void main(String[] arguments) {
    EngineKind engine = EngineKind.valueOf(arguments[0]);
    Where where = Where.valueOf(arguments[1]);
    try {
      OrtRuntime runtime = OrtRuntime.open(build(engine, where));
      System.out.println(VERSION + runtime.version());
      step(runtime, engine, where);
      System.out.println(WORKS);
    } catch (LoraGraphException e) {
      System.out.println(FAILED + String.valueOf(e.getMessage()).replaceAll("\\s*\\R\\s*", " "));
    }
  }

  private static OrtRuntime.Build build(EngineKind engine, Where where) {
    if (where == Where.CUDA) {
      return OrtRuntime.Build.CUDA;
    }
    return engine == EngineKind.TRAINING_API ? OrtRuntime.Build.TRAINING : OrtRuntime.Build.STOCK;
  }

  /** One Linear of 4 values to 2 classes. */
  private static OnnxModel model() {
    Graph graph = new Graph();
    graph.addInput(ValueInfo.of("x", TensorType.of(ElementType.FLOAT, 2, 4)));
    graph.putInitializer(Tensor.ofFloats("weight", new float[] {1, 2, 3, 4, 5, 6, 7, 8}, 4, 2));
    graph.add(Node.of("multiply", "MatMul", List.of("x", "weight"), List.of("logits")));
    graph.addOutput(ValueInfo.of("logits", TensorType.of(ElementType.FLOAT, 2, 2)));
    return OnnxModel.of("probe", graph, 9, GraphBuilder.OPSET);
  }

  private static ByteBuffer input() {
    ByteBuffer data = ByteBuffer.allocateDirect(8 * Float.BYTES).order(ByteOrder.nativeOrder());
    data.asFloatBuffer().put(new float[] {1, 0, 0, 0, 1, 1, 1, 1});
    return data;
  }

  /** On a GPU a loop of one step, as a training there runs it. */
  private static void step(OrtRuntime runtime, EngineKind kind, Where where) {
    boolean gpu = where == Where.CUDA;
    Sessions sessions = new Sessions(runtime, 1);
    Engines engines =
        new Engines(
            model(),
            Set.of("weight"),
            CrossEntropyLoss.plain(),
            new Optimization(AdamW.defaults(), 1, LoraDropout.NONE),
            1,
            gpu ? 2 : 1,
            0,
            gpu ? sessions.on(Device.cuda(0), GpuKernels.DEFAULTS) : sessions);
    try (Engines.Opened opened = engines.open(kind, null, 1, null, line -> {})) {
      ElementType type = opened.labels().requireType().elementType();
      ByteBuffer classes =
          ByteBuffer.allocateDirect(2 * type.bytes()).order(ByteOrder.nativeOrder());
      List<HostTensor> batch =
          List.of(
              new HostTensor("x", ElementType.FLOAT, new long[] {2, 4}, input()),
              new HostTensor(opened.labels().name(), type, new long[] {2}, classes));
      opened.engine().step(batch, 1e-3);
      float[] after = Objects.requireNonNull(opened.engine().parameters().get("weight")).toFloats();
      if (after[0] == 1 || !Float.isFinite(after[0])) {
        throw new LoraGraphException(
            "a step of the %s engine leaves the weights as %s: please report it"
                .formatted(kind, Arrays.toString(after)));
      }
    }
  }
}
