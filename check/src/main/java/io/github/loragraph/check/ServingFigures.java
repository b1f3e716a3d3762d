package io.github.loragraph.check;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.BundledModel;
import io.github.loragraph.Device;
import io.github.loragraph.Example;
import io.github.loragraph.HeadConfig;
import io.github.loragraph.InferenceArguments;
import io.github.loragraph.LoraConfig;
import io.github.loragraph.Model;
import io.github.loragraph.MultiAdapterPredictor;
import io.github.loragraph.Predictor;
import io.github.loragraph.adapter.AdapterInputs;
import io.github.loragraph.adapter.AdapterNaming;
import io.github.loragraph.adapter.OnnxAdapter;
import io.github.loragraph.file.ProcFile;
import io.github.loragraph.lora.LoraMerger;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ort.ActiveAdapter;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What many adapters over one model cost, on the bundled model with a head of four classes and rank
 * 8 on query and value: the figures of {@code docs/adapters.md}. Memory is that of the process
 * (Linux), so each count is measured in a process of its own.
 *
 * <pre>{@code
 * java ... io.github.loragraph.check.ServingFigures one-session 20
 * java ... io.github.loragraph.check.ServingFigures session-each 20
 * java ... io.github.loragraph.check.ServingFigures speed
 * java ... io.github.loragraph.check.ServingFigures inputs
 * }</pre>
 */
public final class ServingFigures {
  private static final InferenceArguments ONE_THREAD =
      InferenceArguments.builder().device(Device.CPU).threads(1).build();

  private static final int BATCH = 32;
  private static final int TOKENS = 32;

  private static final long MEGABYTE = 1_000_000;

  private ServingFigures() {}

  /**
   * Prints the figures.
   *
   * @param arguments what is measured, and of how many adapters
   */
  public static void main(String[] arguments) throws OrtException {
    int count = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 1;
    switch (arguments.length == 0 ? "" : arguments[0]) {
      case "one-session" -> oneSession(count);
      case "session-each" -> sessionEach(count);
      case "speed" -> speed();
      case "inputs" -> inputs();
      default -> System.err.println("usage: one-session N | session-each N | speed | inputs");
    }
  }

  private static Model headed() {
    return Model.bundled(BundledModel.ALL_MINILM_L6_V2)
        .withNotes(line -> {})
        .addHead(HeadConfig.classification("a", "b", "c", "d"));
  }

  private static Model adapted(Model headed) {
    return headed.inject(LoraConfig.builder().targetModules("query|value").rank(8).build());
  }

  private static List<Example> texts(int count) {
    List<Example> texts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      texts.add(
          Example.of(
              "order number %d has not come yet and nobody answers when I call, so please tell me where my parcel is and when it comes"
                  .formatted(100 + i)));
    }
    return texts;
  }

  /** Of the process, after what is garbage was collected. */
  private static long megabytes() {
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    return ProcFile.bytes(ProcFile.SELF, "VmRSS").orElse(0) / MEGABYTE;
  }

  /** Asks in a way that all that is made when it is first needed is there. */
  private static void oneSession(int count) {
    Model headed = headed();
    // Each name gets values of its own, whatever they are.
    Model adapted = adapted(headed);
    List<Example> texts = texts(BATCH);
    try (MultiAdapterPredictor many = MultiAdapterPredictor.open(headed, ONE_THREAD)) {
      many.load("t0", adapted);
      many.predict("t0", texts);
      many.predict(MultiAdapterPredictor.BASE, texts);
      long before = megabytes();
      for (int i = 1; i < count; i++) {
        many.load("t" + i, adapted);
      }
      for (int i = 0; i < count; i++) {
        many.predict("t" + i, texts);
      }
      long after = megabytes();
      double[] times = new double[2];
      for (int size : new int[] {1, BATCH}) {
        List<Example> batch = texts.subList(0, size);
        times[size == 1 ? 0 : 1] =
            fastest(size == 1 ? 400 : 40, call -> many.predict("t" + call % count, batch));
      }
      System.out.printf(
          "one session, %d adapters of %.2f MB: %d MB, with one adapter %d MB; batch 1 %.2f ms, batch %d %.1f ms%n",
          count,
          many.adapterBytes() / (double) count / MEGABYTE,
          after,
          before,
          times[0],
          BATCH,
          times[1]);
    }
  }

  private static void sessionEach(int count) {
    Model adapted = adapted(headed());
    List<Example> texts = texts(BATCH);
    List<Predictor> predictors = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        predictors.add(adapted.withOnnx(LoraMerger.merge(adapted.onnx())).predictor(ONE_THREAD));
        predictors.get(i).predict(texts);
      }
      long after = megabytes();
      double[] times = new double[2];
      for (int size : new int[] {1, BATCH}) {
        List<Example> batch = texts.subList(0, size);
        times[size == 1 ? 0 : 1] =
            fastest(size == 1 ? 400 : 40, call -> predictors.get(call % count).predict(batch));
      }
      System.out.printf(
          "%d sessions of merged models: %d MB; batch 1 %.2f ms, batch %d %.1f ms%n",
          count, after, times[0], BATCH, times[1]);
    } finally {
      predictors.forEach(Predictor::close);
    }
  }

  /** One merged model against one adapter over the base, in turns. */
  private static void speed() {
    Model headed = headed();
    Model adapted = adapted(headed);
    List<Example> texts = texts(BATCH);
    try (MultiAdapterPredictor many = MultiAdapterPredictor.open(headed, ONE_THREAD);
        Predictor merged = adapted.merge(ONE_THREAD).predictor(ONE_THREAD);
        Predictor injected = adapted.predictor(ONE_THREAD)) {
      many.load("t", adapted);
      for (int size : new int[] {1, BATCH}) {
        List<Example> batch = texts.subList(0, size);
        List<Call> calls =
            List.of(
                call -> merged.predict(batch),
                call -> injected.predict(batch),
                call -> many.predict("t", batch),
                call -> many.predict(MultiAdapterPredictor.BASE, batch));
        double[] times = fastest(size == 1 ? 400 : 40, calls);
        System.out.printf(
            "batch %d: merged %.2f ms, injected %.2f ms, adapter over the base %.2f ms (%+.1f %%), base alone %.2f ms (%+.1f %%)%n",
            size,
            times[0],
            times[1],
            times[2],
            100 * (times[2] / times[0] - 1),
            times[3],
            100 * (times[3] / times[0] - 1));
      }
    }
  }

  /**
   * The values of an adapter as inputs of each call, against ONNX Runtime's own keeping of them.
   */
  private static void inputs() throws OrtException {
    Model headed = headed();
    OnnxModel injected = adapted(headed).onnx();
    OnnxAdapter adapter = AdapterInputs.of(injected);
    OnnxModel base = AdapterInputs.base(injected, AdapterNaming.LORA_GRAPH);
    OrtRuntime runtime = OrtRuntime.ofThisProcess();
    Map<String, OnnxTensorLike> values = new HashMap<>();
    for (Tensor tensor : adapter.parameters().values()) {
      values.put(tensor.name(), runtime.tensor(tensor));
    }
    try (Weights weights = new Weights();
        OrtSession session = new Sessions(runtime, 1).create(base, weights);
        OrtSession required = new Sessions(runtime, 1).create(withoutDefaults(base), weights);
        ActiveAdapter active = new ActiveAdapter(runtime, adapter)) {
      for (int size : new int[] {1, BATCH}) {
        Map<String, OnnxTensorLike> batch = batch(runtime, base, size);
        Map<String, OnnxTensorLike> all = new HashMap<>(values);
        all.putAll(batch);
        double[] times =
            fastest(
                size == 1 ? 400 : 40,
                List.of(
                    call -> active.run(session, batch).close(), call -> required.run(all).close()));
        System.out.printf(
            "batch %d: OrtLoraAdapter %.2f ms, %d tensors as inputs %.2f ms%n",
            size, times[0], values.size(), times[1]);
        batch.values().forEach(OnnxTensorLike::close);
      }
    } finally {
      values.values().forEach(OnnxTensorLike::close);
    }
  }

  /** ONNX Runtime's Java API takes no values for inputs that may be left out. */
  private static OnnxModel withoutDefaults(OnnxModel base) {
    Graph graph = base.graph().copy();
    for (ValueInfo input : List.copyOf(graph.inputs())) {
      graph.removeInitializer(input.name());
      graph.addInput(input);
    }
    return base.withGraph(graph);
  }

  private static Map<String, OnnxTensorLike> batch(OrtRuntime runtime, OnnxModel model, int size)
      throws OrtException {
    Map<String, OnnxTensorLike> batch = new HashMap<>();
    for (var input : model.graph().requiredInputs()) {
      ByteBuffer ids =
          ByteBuffer.allocateDirect(Long.BYTES * size * TOKENS).order(ByteOrder.nativeOrder());
      for (int i = 0; i < size * TOKENS; i++) {
        ids.putLong(
            input.name().equals("input_ids") ? 2000 + i : input.name().contains("mask") ? 1 : 0);
      }
      OnnxTensor tensor = runtime.tensor(ids.flip(), new long[] {size, TOKENS}, ElementType.INT64);
      batch.put(input.name(), tensor);
    }
    return batch;
  }

  /** What is timed. */
  @FunctionalInterface
  private interface Call {
    void run(int number) throws OrtException;
  }

  private static double fastest(int rounds, Call call) {
    return fastest(rounds, List.of(call))[0];
  }

  /** Milliseconds of the fastest call of each, in turns: the machine is not alone. */
  private static double[] fastest(int rounds, List<Call> calls) {
    double[] best = new double[calls.size()];
    Arrays.fill(best, Double.MAX_VALUE);
    try {
      for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < best.length; i++) {
          long start = System.nanoTime();
          calls.get(i).run(round);
          best[i] = Math.min(best[i], (System.nanoTime() - start) / 1e6);
        }
      }
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
    return best;
  }
}
