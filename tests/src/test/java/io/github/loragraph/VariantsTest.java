package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.lora.LoraMerger;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each kind of adapter goes the whole way: inject, train, stop and go on, merge, take out. */
@Timeout(600)
class VariantsTest {
  private static final List<String> WORDS = List.of("good", "bad", "film", "the", "a", "strange");

  @TempDir Path folder;
  private Path plain;
  private final List<String> notes = new ArrayList<>();

  TrainingArguments.Engine engine() {
    return TrainingArguments.Engine.GRAPH;
  }

  /** What is more than plain LoRA, each by itself and some together. */
  private static final Map<String, UnaryOperator<LoraConfig.Builder>> VARIANTS =
      new LinkedHashMap<>();

  static {
    VARIANTS.put("rslora", c -> c.useRslora(true).alpha(3));
    VARIANTS.put(
        "patterns",
        c ->
            c.rankPattern("value", 3)
                .rankPattern("layer.1.*", 1)
                .alphaPattern("0.attention.self.query", 8));
    VARIANTS.put("dora", c -> c.useDora(true).alpha(4));
    VARIANTS.put("gaussian", c -> c.initLoraWeights(LoraConfig.Init.GAUSSIAN));
    VARIANTS.put("kaiming", c -> c.initLoraWeights(LoraConfig.Init.KAIMING));
    VARIANTS.put("orthogonal", c -> c.initLoraWeights(LoraConfig.Init.ORTHOGONAL));
    VARIANTS.put("pissa", c -> c.initLoraWeights(LoraConfig.Init.PISSA));
    VARIANTS.put("olora", c -> c.initLoraWeights(LoraConfig.Init.OLORA).alpha(5));
    VARIANTS.put("bias", c -> c.bias(LoraConfig.Bias.ALL));
    VARIANTS.put(
        "all",
        c ->
            c.useRslora(true)
                .useDora(true)
                .initLoraWeights(LoraConfig.Init.PISSA)
                .rankPattern("value", 3)
                .bias(LoraConfig.Bias.LORA_ONLY));
  }

  static Stream<String> variants() {
    return VARIANTS.keySet().stream();
  }

  @BeforeEach
  void makeModel() throws IOException {
    plain = folder.resolve("model");
    DataCommandsTest.makeModel(plain);
  }

  private static LoraConfig.Builder config() {
    return LoraConfig.builder().targetModules("query|value").rank(2).seed(3);
  }

  private Model adapted(String variant) {
    return Model.open(plain)
        .withNotes(notes::add)
        .inject(VARIANTS.get(variant).apply(config()).build());
  }

  /** Texts of several lengths, which do not fill the last step of an epoch. */
  private static List<Example> examples(int count, long seed) {
    Random random = new Random(seed);
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      StringBuilder text = new StringBuilder(i % 2 == 0 ? "good" : "bad");
      for (int words = random.nextInt(7); words > 0; words--) {
        text.append(' ').append(WORDS.get(random.nextInt(WORDS.size())));
      }
      examples.add(Example.of(text.toString(), i % 2 == 0 ? "pos" : "neg"));
    }
    return examples;
  }

  private TrainingArguments.Builder arguments() {
    return TrainingArguments.builder()
        .engine(engine())
        .device(Device.CPU)
        .threads(1)
        .numTrainEpochs(2)
        .trainBatchSize(4)
        .gradientAccumulationSteps(2)
        .learningRate(2e-2)
        .loraDropout(0.1)
        .loggingSteps(2)
        .evalSteps(3)
        .saveSteps(2)
        .seed(11);
  }

  @ParameterizedTest
  @MethodSource("variants")
  void isTrainedStoppedGoneOnWithMergedAndTakenOut(String variant) throws IOException {
    Dataset training = Dataset.of(examples(27, 1));
    Dataset heldOut = Dataset.of(examples(9, 2));
    OnnxModel before = adapted(variant).onnx();
    Path straight = folder.resolve("straight");
    Path stopped = folder.resolve("stopped");
    TrainingResult result =
        adapted(variant).train(training, heldOut, arguments().outputDir(straight).build());
    assertThrows(
        TrainingCancelledException.class,
        () ->
            adapted(variant)
                .train(
                    training,
                    heldOut,
                    arguments().outputDir(stopped).build(),
                    new TrainingListener() {
                      private long step;

                      @Override
                      public void onStepEnd(StepMetrics metrics) {
                        step = metrics.step();
                      }

                      @Override
                      public boolean shouldTrainingStop() {
                        return step == 5;
                      }
                    }));
    TrainingResult resumed =
        adapted(variant)
            .train(
                training,
                heldOut,
                arguments().outputDir(stopped).resumeFromCheckpoint(true).build());
    OnnxModel trained = result.model().onnx();
    for (Parameter parameter : Parameters.of(trained)) {
      float[] now = floats(trained, parameter);
      assertArrayEquals(now, floats(resumed.model().onnx(), parameter), parameter.name());
      boolean moved = !java.util.Arrays.equals(floats(before, parameter), now);
      assertEquals(parameter.trainable(), moved, parameter.name());
    }

    Model merged = result.model().merge();
    assertTrue(merged.change().orElseThrow().maxOutputDifference().orElseThrow() < 1e-5);
    assertFalse(LoraMerger.changesNothing(trained));
    assertEquals(result.evaluation().orElseThrow().score(), merged.evaluate(heldOut).score());
    assertEquals(result.evaluation().orElseThrow().loss(), merged.evaluate(heldOut).loss(), 1e-5);

    OnnxModel base = Model.open(plain).onnx();
    OnnxModel removed = result.model().unload().onnx();
    assertEquals(
        base.graph().nodes().stream().map(Object::toString).toList(),
        removed.graph().nodes().stream().map(Object::toString).toList());
    assertEquals(base.graph().initializers().keySet(), removed.graph().initializers().keySet());
    LoraMetadata metadata = LoraMetadata.require(trained);
    for (Tensor tensor : base.graph().initializers().values()) {
      Tensor after = removed.graph().initializer(tensor.name());
      if (!metadata.trainable().contains(tensor.name())) {
        assertEquals(tensor.bytes(), after.bytes(), tensor.name());
      }
    }
  }

  private static float[] floats(OnnxModel model, Parameter parameter) {
    return model.graph().constant(parameter.value()).toFloats();
  }

  @ParameterizedTest
  @MethodSource("variants")
  void isAtFirstTheModelItself(String variant) {
    OnnxModel injected = adapted(variant).onnx();
    assertEquals(
        variant.equals("patterns") ? 1 : 2, LoraMetadata.require(injected).formatVersion());
    assertEquals(!variant.equals("orthogonal"), LoraMerger.changesNothing(injected));
    OnnxModel base = Model.open(plain).onnx();
    OnnxModel merged = LoraMerger.merge(injected);
    for (Tensor tensor : base.graph().initializers().values()) {
      if (tensor.elementType().isFloatingPoint()) {
        assertArrayEquals(
            tensor.toFloats(), merged.graph().initializer(tensor.name()).toFloats(), 1e-6f);
      }
    }
  }

  @Test
  void ranksAndScalesAreThoseOfThePatterns() {
    OnnxModel injected = adapted("patterns").onnx();
    Map<String, String> found = new LinkedHashMap<>();
    for (LoraMetadata.Target target : LoraMetadata.require(injected).targets()) {
      found.put(
          target.path().replaceAll(".*layer\\.(\\d).*\\.", "$1."),
          target.rank()
              + " "
              + injected.graph().initializer(target.parameterA()).dim(1)
              + " "
              + injected.graph().initializer(target.scaleName()).toFloats()[0]);
    }
    assertEquals(
        Map.of(
            "0.query",
            "2 2 4.0",
            "0.value",
            "3 3 " + 2 / 3f,
            "1.query",
            "1 1 2.0",
            "1.value",
            "3 3 " + 2 / 3f),
        found);
    float scale =
        adapted("rslora")
            .onnx()
            .graph()
            .initializer("bert.encoder.layer.0.attention.self.query.lora_scale")
            .toFloats()[0];
    assertEquals((float) (3 / Math.sqrt(2)), scale);
  }

  @Test
  void whatMeansNothingIsRefusedOrSaid() {
    Model model = Model.open(plain).withNotes(notes::add);
    refused(model, "is for no adapted layer", c -> c.rankPattern("dense", 4));
    refused(model, "is for no adapted layer", c -> c.alphaPattern("dense", 4));
    refused(model, "excludes none of the 4 layers", c -> c.excludeModules("dense"));
    refused(model, "excludes all of the 4 layers", c -> c.excludeModules("query,value"));
    refused(model, "matches nothing in layer 7", c -> c.layersToTransform(List.of(0, 7)));
    refused(
        model,
        "even rank, and that of",
        c -> c.initLoraWeights(LoraConfig.Init.ORTHOGONAL).rank(3));
    model.inject(config().targetModules(List.of("query", "valeu")).build());
    assertTrue(
        notes.stream().anyMatch(n -> n.contains("'valeu' is the name of no layer")),
        notes::toString);
    notes.clear();
    model.inject(config().targetModulesAsInPeft("query|value").build());
    assertTrue(notes.stream().anyMatch(n -> n.contains("found anywhere")), notes::toString);
  }

  private static void refused(Model model, String why, UnaryOperator<LoraConfig.Builder> more) {
    LoraGraphException refusal =
        assertThrows(
            LoraGraphException.class, () -> model.inject(more.apply(config()).build()), why);
    assertTrue(refusal.getMessage().contains(why), refusal.getMessage());
  }

  @Test
  void layersAreChosenAsInPeft() {
    Model model = Model.open(plain).withNotes(notes::add);
    assertEquals(
        List.of("bert.encoder.layer.1.attention.self.query"),
        layers(
            model,
            LoraConfig.builder()
                .targetModulesAsInPeft("query,value")
                .excludeModules(".*value")
                .layersToTransform(List.of(1))));
    List<String> all = layers(model, LoraConfig.builder().allLinear().rank(1));
    assertEquals(13, all.size(), all::toString);
    assertFalse(all.contains("classifier"), all::toString);
  }

  private static List<String> layers(Model model, LoraConfig.Builder config) {
    return model.inject(config.build()).change().orElseThrow().layers();
  }

  @Test
  void theCommandLineSaysTheSame() throws IOException {
    Path mine = folder.resolve("mine.onnx");
    Cli.json(
        "inject",
        plain,
        "--target-modules",
        "query,value",
        "--rank",
        2,
        "--seed",
        3,
        "--rslora",
        "--dora",
        "--init",
        "pissa",
        "--rank-pattern",
        "value=3",
        "--bias",
        "lora-only",
        "--exclude",
        "layer.1.attention.self.value",
        "--layers",
        "0-1",
        "--standalone",
        "-o",
        mine);
    Path theirs = folder.resolve("theirs.onnx");
    Model.open(plain)
        .inject(
            VARIANTS
                .get("all")
                .apply(config())
                .targetModules(List.of("query", "value"))
                .excludeModules(List.of("layer.1.attention.self.value"))
                .build())
        .save(theirs);
    assertArrayEquals(Files.readAllBytes(theirs), Files.readAllBytes(mine));
  }
}
