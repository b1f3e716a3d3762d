package io.github.loragraph.bench;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import ai.djl.util.Pair;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.lora.Method;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Map.Entry;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * An encoder in libtorch, through DJL: its forward pass and its training step with DJL's AdamW,
 * without a clipping of gradients. Who opens one closes it.
 */
final class TorchEncoder implements AutoCloseable {
  /** As DJL calls libtorch. */
  static final String ENGINE = "PyTorch";

  /** How the forward pass is run. */
  enum Form {
    /** As one TorchScript graph. */
    SCRIPT,
    /** Operation by operation, from Java. */
    EAGER
  }

  private final Model model;
  private final Encoder encoder;
  private final Form form;
  private final Map<String, NDArray> parameters;
  private final Map<String, NDArray> trained;
  private final ParameterStore store;
  private final Optimizer optimizer;
  private final Loss loss = Loss.softmaxCrossEntropyLoss();

  /** The batch as arrays. */
  private record Arrays(NDManager manager, Encoder.Inputs<NDArray> inputs, NDArray labels)
      implements AutoCloseable {
    @Override
    public void close() {
      manager.close();
    }
  }

  /**
   * Loads.
   *
   * @param modelFile the model of which {@link ScriptFile#beside} has made a script
   * @param frozen whether gradients of weights that are not trained are left out
   */
  TorchEncoder(Path modelFile, Form form, Method method, boolean frozen, double rate) {
    Path script = ScriptFile.beside(modelFile);
    this.form = form;
    this.model = Model.newInstance("encoder", ENGINE);
    String name = script.getFileName().toString().replaceFirst("\\.pt$", "");
    try {
      model.load(script.toAbsolutePath().getParent(), name, Map.of("trainParam", "true"));
    } catch (IOException | MalformedModelException e) {
      throw new LoraGraphException(
          "libtorch cannot load %s: %s".formatted(script, e.getMessage()), e);
    }
    this.parameters = new HashMap<>();
    for (Pair<String, Parameter> parameter : model.getBlock().getParameters()) {
      parameters.put(parameter.getValue().getName(), parameter.getValue().getArray());
    }
    this.encoder = Encoder.of(modelFile, parameters.keySet());
    this.trained =
        parameters.entrySet().stream()
            .filter(entry -> isTrained(entry.getKey(), method))
            .collect(Collectors.toMap(Entry::getKey, Entry::getValue, (a, b) -> a, TreeMap::new));
    this.store = new ParameterStore(model.getNDManager(), false);
    this.optimizer =
        Optimizer.adamW()
            .optLearningRateTracker(Tracker.fixed((float) rate))
            .optWeightDecays(0)
            .build();
    // A script's first run for training makes each weight ask for its gradient, frozen or not.
    try (Arrays arrays = arrays(TokenBatch.random(1, 1))) {
      logits(arrays.inputs, true);
    }
    parameters.forEach(
        (parameter, array) -> array.setRequiresGradient(!frozen || trained.containsKey(parameter)));
  }

  /**
   * Says how libtorch is to run, before it is loaded: scripts without its optimizer of graphs, with
   * which a step takes a tenth longer.
   *
   * @param count threads that compute one operator
   */
  static void threads(int count) {
    System.setProperty("ai.djl.pytorch.graph_optimizer", "false");
    System.setProperty("ai.djl.pytorch.num_threads", Integer.toString(count));
    System.setProperty("ai.djl.pytorch.num_interop_threads", "1");
  }

  private static boolean isTrained(String attribute, Method method) {
    boolean head = attribute.startsWith("classifier");
    return switch (method) {
      case FULL -> true;
      case HEAD -> head;
      case LORA -> head || attribute.contains("_lora_");
    };
  }

  private Arrays arrays(TokenBatch batch) {
    NDManager manager = model.getNDManager().newSubManager();
    Shape shape = new Shape(batch.batch(), batch.sequence());
    return new Arrays(
        manager,
        new Encoder.Inputs<>(
            manager.create(batch.ids(), shape),
            manager.create(batch.positions(encoder.roberta()), shape),
            manager.create(batch.types(), shape),
            manager.create(batch.mask(), new Shape(batch.batch(), 1, 1, batch.sequence())),
            manager.create(batch.tokens(), new Shape(batch.batch(), batch.sequence(), 1))),
        manager.zeros(new Shape(batch.batch())));
  }

  private NDArray logits(Encoder.Inputs<NDArray> inputs, boolean training) {
    if (form == Form.EAGER) {
      return encoder.logits(new EagerOps(parameters), inputs);
    }
    NDList list =
        new NDList(
            inputs.ids(), inputs.positions(), inputs.types(), inputs.mask(), inputs.tokens());
    return model.getBlock().forward(store, list, training).singletonOrThrow();
  }

  /** The answers, (batch, labels). */
  float[] logits(TokenBatch batch) {
    try (Arrays arrays = arrays(batch)) {
      return logits(arrays.inputs, false).toFloatArray();
    }
  }

  /** A training step with labels that are all 0; its loss. */
  double step(TokenBatch batch) {
    try (Arrays arrays = arrays(batch)) {
      float value;
      try (GradientCollector collector = Engine.getEngine(ENGINE).newGradientCollector()) {
        NDArray lost =
            loss.evaluate(new NDList(arrays.labels), new NDList(logits(arrays.inputs, true)));
        collector.backward(lost);
        value = lost.getFloat();
      }
      trained.forEach(
          (name, array) -> {
            try (NDArray gradient = array.getGradient()) {
              optimizer.update(name, array, gradient);
            }
          });
      return value;
    }
  }

  @Override
  public void close() {
    model.close();
  }
}
